"""What can be said of campaigns and their costs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from api.campaigns import views  # noqa: F401  # declares the enums
from api.leads.inputs import ExternalIdInput, or_none
from api.types import MoneyInput
from api.views import shown
from domain import ids
from domain.campaigns import UNSAID, CampaignKind, CampaignPlan, CostDetails
from domain.errors import DomainError
from domain.leads import ExternalId


@strawberry.input(
    one_of=True, description="Which campaign is meant: exactly one of its id and its code."
)
class CampaignRef:
    id: strawberry.Maybe[strawberry.ID] = shown("Its id.", default=None)
    code: strawberry.Maybe[str] = shown("Its code; capitals do not matter.", default=None)

    def key(self, path: Sequence[str | int] = ("campaign",)) -> UUID | str:
        """Return what tells the campaign to the domain."""
        if self.id is not None:
            return ids.expect("Campaign", self.id.value, path=(*path, "id"))
        return "" if self.code is None else self.code.value


@strawberry.input
class CampaignFieldsInput:
    """What can be said of a campaign.  What is left out stays; null takes it away."""

    kind: strawberry.Maybe[CampaignKind] = shown("What sort of effort it is.", default=None)
    starts_on: strawberry.Maybe[date | None] = shown("Its first day.", default=None)
    ends_on: strawberry.Maybe[date | None] = shown("The day after its last one.", default=None)
    budget: strawberry.Maybe[MoneyInput | None] = shown("What may be spent.", default=None)


@strawberry.input(description="A new campaign.")
class CampaignCreateInput(CampaignFieldsInput):
    name: str = shown("What to call it.")
    code: str = shown(
        "The `utm_campaign` by which touches and leads find it; it never changes, and no two"
        " campaigns have the same, capitals or not."
    )


@strawberry.input(description="What changes about a campaign.  What is left out stays.")
class CampaignUpdateInput(CampaignFieldsInput):
    campaign: CampaignRef = shown("Which one.")
    name: strawberry.Maybe[str] = shown("What to call it.", default=None)


@strawberry.input(description="Which campaign is put away.")
class CampaignArchiveInput:
    campaign: CampaignRef = shown("Which one.")


@strawberry.input(description="Which contents belong to a campaign.")
class CampaignAssetsSetInput:
    campaign: CampaignRef = shown("Which one.")
    assets: list[strawberry.ID] = shown("These and no others; at most 200.")


@strawberry.input
class CampaignCostFieldsInput:
    """What can be said of a cost."""

    campaign: CampaignRef = shown("Which campaign.")
    on: date = shown("On which day it was spent.")
    amount: Decimal = shown("How much, in units of the currency: 12.50.")
    # Plain text here, because a scalar would refuse all rows for the sake of a bad one.
    currency: str | None = shown("The currency, by its three letters.", default=UNSET)
    note: str | None = shown("What for.", default=UNSET)


@strawberry.input(description="A cost to record.")
class CampaignCostRecordInput(CampaignCostFieldsInput):
    external_id: ExternalIdInput | None = shown(
        "What another system calls it, by which it is never recorded twice.", default=UNSET
    )


@strawberry.input(description="A cost to record, or to correct if its external name is known.")
class CampaignCostRowInput(CampaignCostFieldsInput):
    external_id: ExternalIdInput | None = shown(
        "What another system calls it, by which it is never recorded twice.", default=UNSET
    )


@strawberry.input(description="Costs to record or to correct.")
class CampaignCostsUpsertInput:
    rows: list[CampaignCostRowInput] = shown("At most 500.")


@strawberry.input(description="All that a cost is, said anew.")
class CampaignCostCorrectInput(CampaignCostFieldsInput):
    cost: strawberry.ID = shown("Which one.")


@strawberry.input(description="Which cost is taken back.")
class CampaignCostDeleteInput:
    cost: strawberry.ID = shown("Which one.")


def plan_of(given: CampaignCreateInput | CampaignUpdateInput) -> CampaignPlan:
    """Return what an input says of a campaign."""
    name: Any = given.name
    if isinstance(given, CampaignUpdateInput):
        name = UNSAID if given.name is None else given.name.value
    budget: Any = UNSAID
    if given.budget is not None:
        budget = given.budget.value and given.budget.value.money(("budget",))
    return CampaignPlan(
        name=name,
        kind=UNSAID if given.kind is None else given.kind.value,
        starts_on=UNSAID if given.starts_on is None else given.starts_on.value,
        ends_on=UNSAID if given.ends_on is None else given.ends_on.value,
        budget=budget,
    )


def cost_of(given: CampaignCostFieldsInput) -> CostDetails:
    """Return what an input says of a cost."""
    name = or_none(getattr(given, "external_id", None))
    return CostDetails(
        campaign=given.campaign.key(),
        on=given.on,
        amount=given.amount,
        currency=or_none(given.currency),
        note=or_none(given.note),
        external_id=ExternalId(name.source, name.value) if name else None,
    )


def cost_of_row(given: CampaignCostRowInput) -> CostDetails | DomainError:
    """Return what a row says, or why it cannot be so."""
    try:
        return cost_of(given)
    except DomainError as refusal:
        return refusal
