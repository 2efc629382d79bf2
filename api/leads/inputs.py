"""What can be said of leads, and which lead is meant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

import strawberry
from graphql import GraphQLError
from strawberry import UNSET

from api.identity import UserRef
from api.leads import views  # noqa: F401  # declares the enums
from api.types import SCALARS, CountryCode, EmailAddress
from api.views import shown
from domain import ids
from domain.errors import DomainError, Invalid
from domain.identity import UserKey
from domain.lead_details import LeadDetails, NamedCompany
from domain.leads import ActivityKind, Agency, ExternalId, LeadKey

T = TypeVar("T")


@strawberry.input(description="The name another system gave something.")
class ExternalIdInput:
    source: str = shown("Which system, such as `hubspot`; capitals do not matter.")
    value: str = shown("What it calls it.")


@strawberry.input(
    one_of=True,
    description="Which lead is meant: exactly one of its id, another system's name, its address.",
)
class LeadRef:
    id: strawberry.Maybe[strawberry.ID] = shown("Its id.", default=None)
    external_id: strawberry.Maybe[ExternalIdInput] = shown(
        "The name another system gave it.", default=None
    )
    email: strawberry.Maybe[EmailAddress] = shown("Its e-mail address.", default=None)

    def key(self, path: Sequence[str | int] = ("lead",)) -> LeadKey:
        """Return what tells the lead to the domain."""
        if self.id is not None:
            return ids.expect("Lead", self.id.value, path=(*path, "id"))
        if self.external_id is not None:
            name = self.external_id.value
            return ExternalId(name.source, name.value)
        return "" if self.email is None else str(self.email.value)


@strawberry.input(
    one_of=True,
    description="Which lead a row is about: exactly one of its id, another system's name, its"
    " address.",
)
class RowLeadRef:
    # Plain text, because a scalar would refuse all rows for the sake of a bad one.
    id: strawberry.Maybe[strawberry.ID] = shown("Its id.", default=None)
    external_id: strawberry.Maybe[ExternalIdInput] = shown(
        "The name another system gave it.", default=None
    )
    email: strawberry.Maybe[str] = shown("Its e-mail address.", default=None)

    def key(self) -> LeadKey:
        """Return what tells the lead to the domain."""
        if self.id is not None:
            return ids.expect("Lead", self.id.value, path=("lead", "id"))
        if self.external_id is not None:
            return ExternalId(self.external_id.value.source, self.external_id.value.value)
        return "" if self.email is None else self.email.value


@strawberry.input(
    description="A company by its domain, or by its name where it has none.  Capitals, accents and"
    " the legal form do not matter: `ACME GmbH & Co. KG` is `Acme`."
)
class CompanyInput:
    name: str | None = shown(
        "Its name, for a company that is not known yet; else it keeps its own.", default=UNSET
    )
    domain: str | None = shown(
        "Its domain on the internet, or a URL or e-mail address there; what was registered of it is"
        " kept.  The domain of a provider of free e-mail tells no company.",
        default=UNSET,
    )


@strawberry.input
class LeadFieldsInput:
    """What can be said of a lead.  What is left out stays; null takes it away."""

    first_name: strawberry.Maybe[str | None] = shown("The first name.", default=None)
    last_name: strawberry.Maybe[str | None] = shown("The last name.", default=None)
    phone: strawberry.Maybe[str | None] = shown(
        "The telephone number, kept in the form of E.164.  Without a + it is one of the lead's"
        " country, else of the tenant's `phoneCountry`.",
        default=None,
    )
    job_title: strawberry.Maybe[str | None] = shown(
        "What the person does in the company.", default=None
    )
    company: strawberry.Maybe[CompanyInput | None] = shown(
        "The company the person works for; it is made if there is none yet.  Where none is said, a"
        " lead without one gets that of its e-mail address, unless the provider is a free one.",
        default=None,
    )
    origin_source: strawberry.Maybe[str | None] = shown(
        "Where the person came from, such as organic search or a fair.", default=None
    )
    origin_medium: strawberry.Maybe[str | None] = shown(
        "By what medium the person came, such as e-mail or an advertisement.", default=None
    )
    origin_campaign: strawberry.Maybe[str | None] = shown(
        "The campaign that brought the person.", default=None
    )
    score: strawberry.Maybe[int | None] = shown(
        "How promising the lead is, from -1000 to 1000; null makes it 0.", default=None
    )
    owner: strawberry.Maybe[UserRef | None] = shown(
        "Who works on the lead; taking it from somebody else needs REASSIGN_LEADS.", default=None
    )
    external_ids: strawberry.Maybe[list[ExternalIdInput] | None] = shown(
        "What other systems call the lead, at most 20; added to the names it has.", default=None
    )
    source: str | None = shown(
        "Who says so: a system's name, or `crm`, `form`, `import` or `enrichment`.  Left out, it is"
        " the user or the API key that asks.  What a source says that ranks below another is kept"
        " as a candidate; see `Lead.provenance`.",
        default=UNSET,
    )
    observed_at: datetime | None = shown("When it was so; now, if left out.", default=UNSET)


@strawberry.input
class LeadFormInput(LeadFieldsInput):
    """What a form can say of a lead."""

    email: strawberry.Maybe[EmailAddress | None] = shown("The e-mail address.", default=None)
    country: strawberry.Maybe[CountryCode | None] = shown("Where the person is.", default=None)


@strawberry.input(description="A new lead.")
class LeadCreateInput(LeadFormInput):
    created_at: datetime | None = shown(
        "When the person was first seen; now, if left out.", default=UNSET
    )


@strawberry.input(description="What changes about a lead.  What is left out stays.")
class LeadUpdateInput(LeadFormInput):
    lead: LeadRef = shown("The lead.")
    version: int | None = shown(
        "The version you have seen; if it has changed since, you get StaleLeadError.",
        default=UNSET,
    )


@strawberry.input(
    description="A lead to create or to update, told by an external id or its e-mail address."
)
class LeadRowInput(LeadFieldsInput):
    # Plain text here, because a scalar would refuse all rows for the sake of a bad one.
    email: strawberry.Maybe[str | None] = shown("The e-mail address.", default=None)
    country: strawberry.Maybe[str | None] = shown(
        "Where the person is, by the two letters of ISO 3166-1.", default=None
    )
    created_at: datetime | None = shown(
        "When a new lead was first seen; now, if left out.", default=UNSET
    )


@strawberry.input(description="Leads to create or to update.")
class LeadsUpsertInput:
    rows: list[LeadRowInput] = shown("At most 500; rows of the same lead apply in their order.")


@strawberry.input(description="What was done about a lead.")
class ActivityLogInput:
    lead: LeadRef = shown("The lead.")
    kind: ActivityKind = shown("What was done.")
    agency: Agency = shown("Whether a person did it.", default=Agency.HUMAN)
    answered: bool = shown("Whether the buyer was reached.", default=False)
    occurred_at: datetime | None = shown("When it was done; now, if left out.", default=UNSET)
    text: str | None = shown("What there is to say about it; a note needs it.", default=UNSET)


_PLAIN = (
    "email",
    "phone",
    "first_name",
    "last_name",
    "job_title",
    "country",
    "origin_source",
    "origin_medium",
    "origin_campaign",
    "score",
)


def details_of(
    given: LeadFormInput | LeadRowInput, *, created_at: datetime | None = None
) -> LeadDetails:
    """Return what an input says of a lead."""
    said: dict[str, Any] = {name: getattr(given, name) for name in _PLAIN}
    said = {name: some.value for name, some in said.items() if some is not None}
    if given.owner is not None:
        owner = given.owner.value
        said.update(_owner(owner.key(("owner",)) if owner else None))
    if given.company is not None:
        company = given.company.value
        said["company"] = company and NamedCompany(or_none(company.name), or_none(company.domain))
    if given.external_ids is not None:
        names = given.external_ids.value or ()
        said["external_ids"] = tuple(ExternalId(name.source, name.value) for name in names)
    return LeadDetails(
        **said,
        created_at=or_none(created_at),
        source=or_none(given.source),
        observed_at=or_none(given.observed_at),
    )


def _owner(key: UserKey | None) -> dict[str, Any]:
    return {"owner_email": key} if isinstance(key, str) else {"owner_id": key}


_read_email: Any = SCALARS[EmailAddress].parse_value


def details_of_row(given: LeadRowInput) -> LeadDetails | DomainError:
    """Return what a row says, or why it cannot be so."""
    email = given.email.value if given.email is not None else None
    try:
        if email:
            _read_email(email)
        return details_of(given, created_at=given.created_at)
    except GraphQLError as error:
        return Invalid(error.message, path=("email",))
    except DomainError as refusal:
        return refusal


def or_none(value: T | None) -> T | None:
    """Return a value, None where it was left out."""
    return None if value is UNSET else value
