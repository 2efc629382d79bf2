"""What can be said of opportunities, and which one is meant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import strawberry
from strawberry import UNSET

from api.companies import CompanyRef
from api.identity import UserRef
from api.leads import LeadRef
from api.leads.inputs import ExternalIdInput, RowLeadRef, or_none
from api.opportunities import views  # noqa: F401  # declares the enums
from api.pipeline import PipelineStageRef
from api.types import MoneyInput
from api.views import shown
from domain import ids
from domain.errors import DomainError
from domain.leads import ExternalId
from domain.opportunities import (
    OpportunityDetails,
    OpportunityKey,
    OpportunityRow,
    OpportunityStatus,
)
from domain.values import minor_digits


@strawberry.input(
    one_of=True,
    description="Which opportunity is meant: exactly one of its id and another system's name.",
)
class OpportunityRef:
    id: strawberry.Maybe[strawberry.ID] = shown("Its id.", default=None)
    external_id: strawberry.Maybe[ExternalIdInput] = shown(
        "The name another system gave it.", default=None
    )

    def key(self, path: Sequence[str | int] = ("opportunity",)) -> OpportunityKey:
        """Return what tells the opportunity to the domain."""
        if self.id is not None:
            return ids.expect("Opportunity", self.id.value, path=(*path, "id"))
        if self.external_id is None:
            raise ValueError("GraphQL lets exactly one key of a @oneOf input through")
        return ExternalId(self.external_id.value.source, self.external_id.value.value)


@strawberry.input(description="A new opportunity.")
class OpportunityCreateInput:
    lead: LeadRef = shown("The person who may buy; sales must have accepted this lead.")
    name: str = shown("What to call it.")
    stage: PipelineStageRef | None = shown(
        "The stage it is in; the first one, if left out.", default=UNSET
    )
    amount: MoneyInput | None = shown("What it is worth.", default=UNSET)
    expected_close_on: date | None = shown("On which day it should close.", default=UNSET)
    owner: UserRef | None = shown("Who works on it; the lead's, if left out.", default=UNSET)
    company: CompanyRef | None = shown(
        "The company that buys; the lead's, if left out.", default=UNSET
    )
    external_id: ExternalIdInput | None = shown("What another system calls it.", default=UNSET)
    opened_at: datetime | None = shown("When it was opened; now, if left out.", default=UNSET)


@strawberry.input(description="What changes about an opportunity.  What is left out stays.")
class OpportunityUpdateInput:
    opportunity: OpportunityRef = shown("Which one.")
    name: strawberry.Maybe[str] = shown("What to call it.", default=None)
    amount: strawberry.Maybe[MoneyInput | None] = shown(
        "What it is worth; of a won one, what it brought, and the revenue follows.", default=None
    )
    expected_close_on: strawberry.Maybe[date | None] = shown(
        "On which day it should close.", default=None
    )
    owner: strawberry.Maybe[UserRef | None] = shown("Who works on it.", default=None)
    company: strawberry.Maybe[CompanyRef | None] = shown("The company that buys.", default=None)
    external_id: strawberry.Maybe[ExternalIdInput] = shown(
        "What another system calls it.", default=None
    )
    closed_at: datetime | None = shown(
        "When it was won or lost, if that was at another time; what was recorded follows.",
        default=UNSET,
    )
    version: int | None = shown(
        "The version you have seen; if it has changed since, this is refused as STALE.",
        default=UNSET,
    )


@strawberry.input(description="Which opportunity moves to which stage.")
class OpportunityAdvanceInput:
    opportunity: OpportunityRef = shown("Which one; it must be open.")
    stage: PipelineStageRef = shown("The stage it enters, ahead or behind.")
    at: datetime | None = shown("When, if earlier than now.", default=UNSET)


@strawberry.input(description="Which opportunity was won.")
class OpportunityWinInput:
    opportunity: OpportunityRef = shown("Which one; it must be open.")
    amount: MoneyInput | None = shown(
        "What it brought, if that is another amount than was expected.", default=UNSET
    )
    at: datetime | None = shown("When, if earlier than now.", default=UNSET)


@strawberry.input(description="Which opportunity was lost, and why.")
class OpportunityLoseInput:
    opportunity: OpportunityRef = shown("Which one; it must be open.")
    reason: str = shown("Why; marketing reads this.")
    at: datetime | None = shown("When, if earlier than now.", default=UNSET)


@strawberry.input(description="Which closed opportunity goes on.")
class OpportunityReopenInput:
    opportunity: OpportunityRef = shown("Which one; it must be won or lost.")
    reason: str | None = shown("Why; one that was won needs it.", default=UNSET)
    at: datetime | None = shown("When, if earlier than now.", default=UNSET)


@strawberry.input(description="An opportunity to open, change or close, told by its external id.")
class OpportunityRowInput:
    external_id: ExternalIdInput = shown("What your system calls it.")
    lead: RowLeadRef | None = shown("The person who may buy; a new one needs it.", default=UNSET)
    name: strawberry.Maybe[str] = shown(
        "What to call it; as your system does, if left out of a new one.", default=None
    )
    stage: PipelineStageRef | None = shown(
        "The stage it is in; the first one, if left out of a new one.", default=UNSET
    )
    amount: strawberry.Maybe[Decimal | None] = shown(
        "What it is worth, in units of the currency: 12.50.", default=None
    )
    currency: strawberry.Maybe[str] = shown(
        "Of which currency, by the three letters of ISO 4217.", default=None
    )
    expected_close_on: strawberry.Maybe[date | None] = shown(
        "On which day it should close.", default=None
    )
    owner: strawberry.Maybe[UserRef | None] = shown(
        "Who works on it; the lead's, if left out of a new one.", default=None
    )
    opened_at: datetime | None = shown(
        "When a new one was opened; now, if left out.", default=UNSET
    )
    status: OpportunityStatus | None = shown(
        "Whether it is open, won or lost; as it was, if left out.  What was closed otherwise is"
        " put right, and what was recorded follows.",
        default=UNSET,
    )
    closed_at: datetime | None = shown(
        "When it was won or lost; now, if left out where it was not.", default=UNSET
    )
    lost_reason: str | None = shown("Why it was lost; LOST needs it.", default=UNSET)


@strawberry.input(description="Opportunities to open, change or close.")
class OpportunitiesUpsertInput:
    rows: list[OpportunityRowInput] = shown(
        "At most 500; rows of the same opportunity apply in their order."
    )
    as_history: bool = shown(
        "Whether this is a history of facts: then leads need not have been accepted, nor be what"
        " both teams call an opportunity.  Needs IMPORT_LEADS.",
        default=False,
    )


def details_of_new(given: OpportunityCreateInput) -> tuple[OpportunityDetails, UserRef | None]:
    """Return what is said of a new opportunity, and the owner it names; the company aside."""
    said: dict[str, Any] = {"name": given.name}
    if given.amount:
        said |= _amount(given.amount)
    if given.expected_close_on:
        said["expected_close_on"] = given.expected_close_on
    if given.external_id:
        said["external_id"] = ExternalId(given.external_id.source, given.external_id.value)
    details = OpportunityDetails(**said, opened_at=or_none(given.opened_at))
    return details, or_none(given.owner)


def details_of_changes(given: OpportunityUpdateInput) -> OpportunityDetails:
    """Return what is said of an opportunity there is; owner and company aside."""
    said: dict[str, Any] = {}
    if given.name is not None:
        said["name"] = given.name.value
    if given.amount is not None:
        amount = given.amount.value
        said |= {"amount": None} if amount is None else _amount(amount)
    if given.expected_close_on is not None:
        said["expected_close_on"] = given.expected_close_on.value
    if given.external_id is not None:
        name = given.external_id.value
        said["external_id"] = ExternalId(name.source, name.value)
    return OpportunityDetails(**said)


def row_of(given: OpportunityRowInput) -> OpportunityRow | DomainError:
    """Return what a row says, or why it cannot be so."""
    try:
        return _row(given)
    except DomainError as refusal:
        return refusal


def _row(given: OpportunityRowInput) -> OpportunityRow:
    plain = ("name", "amount", "currency", "expected_close_on")
    told = {name: getattr(given, name) for name in plain}
    said: dict[str, Any] = {name: some.value for name, some in told.items() if some is not None}
    owner = given.owner.value if given.owner is not None else None
    owner_key = owner.key(("owner",)) if owner else None
    if given.owner is not None and not isinstance(owner_key, str):
        said["owner_id"] = owner_key
    return OpportunityRow(
        details=OpportunityDetails(
            **said,
            external_id=ExternalId(given.external_id.source, given.external_id.value),
            opened_at=or_none(given.opened_at),
        ),
        lead=given.lead.key() if given.lead else None,
        stage=given.stage.key() if given.stage else None,
        status=or_none(given.status),
        closed_at=or_none(given.closed_at),
        lost_reason=or_none(given.lost_reason),
        owner_email=owner_key if isinstance(owner_key, str) else None,
    )


def _amount(given: MoneyInput) -> dict[str, Any]:
    """Return an amount as details have it: in whole units, with its currency."""
    money = given.money(("amount",))
    units = Decimal(money.minor).scaleb(-minor_digits(money.currency))
    return {"amount": units, "currency": money.currency}
