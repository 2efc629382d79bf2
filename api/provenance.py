"""Where the facts about a lead come from."""

from __future__ import annotations

from datetime import datetime

import api.trust  # noqa: F401  # declares the enums
from api.views import shown, view
from domain.provenance import Fact, LeadFact, Observation, SourceKind


@view(Observation, name="LeadFactCandidate", description="What somebody says who is believed less.")
class LeadFactCandidateView:
    value: str | None = shown("What they say.")
    source: str = shown("Who says so.")
    kind: SourceKind = shown("By what way it came to be known.")
    observed_at: datetime = shown("When it was so.")


@view(LeadFact, description="One fact about a lead, and where it comes from.")
class LeadFactView:
    fact: Fact = shown("Which fact.")
    value: str | None = shown("What is believed; null: that there is no such thing.")
    source: str = shown("Who says so: `user`, an API key's name, or the system a file is of.")
    kind: SourceKind = shown("By what way it came to be known.")
    observed_at: datetime = shown("When it was so.")
    stale: bool = shown("Whether nobody has said so for longer than the tenant trusts it.")
    candidates: list[LeadFactCandidateView] = shown(
        "What others say who are believed less, the newest first, at most five."
    )
