"""Words about sources: what is known of leads, by what way, and how long it counts."""

from __future__ import annotations

import strawberry

from api.filtering import enum
from api.views import shown, view
from domain.provenance import Fact, SourceKind, StaleAfter

enum(
    Fact,
    "What is known of a lead, each with its own sources.",
    EMAIL="The e-mail address.",
    PHONE="The telephone number.",
    FIRST_NAME="The first name.",
    LAST_NAME="The last name.",
    JOB_TITLE="What the person does in the company.",
    COUNTRY="Where the person is.",
    COMPANY="The company the person works for, by its domain, else its name.",
    ORIGIN_SOURCE="Where the person came from.",
    ORIGIN_MEDIUM="By what medium the person came.",
    ORIGIN_CAMPAIGN="The campaign that brought the person.",
)
enum(
    SourceKind,
    "By what way something came to be known.",
    USER="A user of this system said so.",
    CRM="The system that customers are kept in.",
    INTEGRATION="Another system, by its API key.",
    FORM="A form that the person filled in.",
    IMPORT="A file.",
    ENRICHMENT="A service that completes what is known.",
)


@view(StaleAfter, description="After how long a fact about a lead is doubtful.")
class StaleAfterView:
    fact: Fact = shown("Which fact.")
    days: int = shown("After how many days without anybody saying it again.")


@strawberry.input(description="After how long a fact about a lead is doubtful.")
class StaleAfterInput:
    fact: Fact = shown("Which fact.")
    days: int = shown("After how many days, from 1 to 3650.")
