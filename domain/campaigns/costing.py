"""What campaigns cost, day by day: recorded, corrected, taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from domain.campaigns.campaign import Campaign, CampaignCost
from domain.campaigns.planning import campaign_key, campaign_of
from domain.errors import DomainError, Invalid, NotFound
from domain.events import CampaignChanged
from domain.identity import CURRENCIES, Actor, Permission, UnknownCurrency
from domain.ids import new_id
from domain.lead_details import external_id
from domain.leads import ExternalId
from domain.ports import Work, first
from domain.values import limited_text, minor_digits

MOST_ROWS = 500
LONGEST_NOTE = 1_000
_DAYS = (date(1970, 1, 1), date(2150, 1, 1))
# So that sums of all costs there can be still fit.
_MOST_MINOR = 10**15


@dataclass(frozen=True, slots=True, kw_only=True)
class CostDetails:
    """What somebody says of a cost.  The campaign is told by id or by code.

    By its external name a row finds the cost that it, or an earlier row, recorded before.
    """

    campaign: UUID | str
    on: date
    amount: Decimal
    currency: str | None
    note: str | None = None
    external_id: ExternalId | None = None


class CostOutcome(StrEnum):
    """What became of a row."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """What became of one row of a bulk request, and the cost as the request left it."""

    index: int
    outcome: CostOutcome
    cost: CampaignCost | None = None
    refusals: tuple[DomainError, ...] = ()


class TooManyCosts(Invalid):
    """More rows than one request may bring."""

    code = "ROWS_TOO_MANY"


class CostWithoutCurrency(Invalid):
    """A number that could be of any money."""

    code = "COST_WITHOUT_CURRENCY"

    def __init__(self) -> None:
        super().__init__("A cost needs its currency.", path=("currency",))


class CostNegative(Invalid):
    """A cost that would bring something in."""

    code = "COST_NEGATIVE"

    def __init__(self) -> None:
        super().__init__("A cost is not negative; correct or delete the one it is to undo.",
                         path=("amount",))  # fmt: skip


async def record_cost(work: Work, actor: Actor, details: CostDetails) -> CampaignCost:
    """Record what a campaign cost on a day; by its external name it is never recorded twice."""
    (row,) = await upsert_costs(work, actor, [details])
    if row.cost is None:
        raise _alone(row.refusals[0])
    return row.cost


async def correct_cost(
    work: Work, actor: Actor, cost_id: UUID, details: CostDetails
) -> CampaignCost:
    """Say anew all that a cost is; its external name stays."""
    actor.require(Permission.EDIT_CAMPAIGNS)
    cost = await _cost(work, cost_id)
    campaign = await campaign_of(work, details.campaign)
    corrected = _told(cost, details, campaign.id)
    if corrected == cost:
        return cost
    for campaign_id in sorted({cost.campaign_id, corrected.campaign_id}):
        work.record(CampaignChanged(at=work.now, campaign_id=campaign_id))
    return await work.save(corrected)


async def delete_cost(work: Work, actor: Actor, cost_id: UUID) -> CampaignCost:
    """Take a cost back, as if it had never been recorded; the audit log keeps it."""
    actor.require(Permission.EDIT_CAMPAIGNS)
    cost = await _cost(work, cost_id)
    await work.delete(CampaignCost, id=cost.id)
    work.record(CampaignChanged(at=work.now, campaign_id=cost.campaign_id))
    return cost


async def upsert_costs(
    work: Work, actor: Actor, rows: Sequence[CostDetails | DomainError]
) -> tuple[CostRow, ...]:
    """Record or correct up to 500 costs, in a fixed number of statements.

    A bad row is refused and spoils no other; one that is a refusal already stays one.

    Raises:
        TooManyCosts: if there are more than 500, and then nothing is done.
    """
    actor.require(Permission.EDIT_CAMPAIGNS)
    if len(rows) > MOST_ROWS:
        raise TooManyCosts(
            f"There are {len(rows)} rows; one request takes at most {MOST_ROWS}.", path=("rows",)
        )
    ready = [_ready(row) for row in rows]
    said = [row for row in ready if isinstance(row, CostDetails)]
    book = _Book(work.now, actor.user_id, await _campaigns(work, said), await _named(work, said))
    outcomes = [book.take(index, row) for index, row in enumerate(ready)]
    await work.add_all(list(book.new.values()))
    await work.save_all(list(book.changed.values()))
    for campaign_id in sorted({cost.campaign_id for cost in book.touched}):
        work.record(CampaignChanged(at=work.now, campaign_id=campaign_id))
    return tuple(book.settled(outcome) for outcome in outcomes)


def _ready(row: CostDetails | DomainError) -> CostDetails | DomainError:
    """Return a row whose names are as they are kept, or why they cannot be."""
    if isinstance(row, DomainError):
        return row
    name = row.external_id
    try:
        return replace(
            row,
            campaign=campaign_key(row.campaign),
            external_id=None if name is None else external_id(name, path=("externalId",)),
        )
    except Invalid as refusal:
        return refusal


class _Book:
    """The costs of one request, so that a later row sees what an earlier one did."""

    def __init__(
        self,
        now: datetime,
        by: UUID | None,
        campaigns: Mapping[UUID | str, UUID],
        named: Mapping[ExternalId, CampaignCost],
    ) -> None:
        self.new: dict[UUID, CampaignCost] = {}
        self.changed: dict[UUID, CampaignCost] = {}
        self.touched: list[CampaignCost] = []
        self._now = now
        self._by = by
        self._campaigns = campaigns
        self._named = dict(named)

    def take(self, index: int, row: CostDetails | DomainError) -> CostRow:
        """Return what becomes of a row."""
        try:
            if isinstance(row, DomainError):
                raise row
            return self._upsert(index, row)
        except DomainError as refusal:
            refusal.index, refusal.path = index, ("rows", index, *refusal.path)
            return CostRow(index=index, outcome=CostOutcome.REFUSED, refusals=(refusal,))

    def settled(self, row: CostRow) -> CostRow:
        """Return a row with its cost as it is stored in the end."""
        if row.cost is None:
            return row
        changed = self.changed.get(row.cost.id)
        if changed is not None:
            return replace(row, cost=replace(changed, version=changed.version + 1))
        return replace(row, cost=self.new.get(row.cost.id, row.cost))

    def _upsert(self, index: int, row: CostDetails) -> CostRow:
        campaign_id = self._campaigns.get(row.campaign)
        if campaign_id is None:
            raise NotFound("campaign", path=("campaign",))
        name = row.external_id
        known = self._named.get(name) if name else None
        cost = _told(known or self._blank(campaign_id, name), row, campaign_id)
        if cost == known:
            return CostRow(index=index, outcome=CostOutcome.UNCHANGED, cost=cost)
        is_new = known is None or known.id in self.new
        (self.new if is_new else self.changed)[cost.id] = cost
        self.touched += [cost] if known is None else [cost, known]
        if name:
            self._named[name] = cost
        outcome = CostOutcome.CREATED if known is None else CostOutcome.UPDATED
        return CostRow(index=index, outcome=outcome, cost=cost)

    def _blank(self, campaign_id: UUID, name: ExternalId | None) -> CampaignCost:
        return CampaignCost(
            id=new_id(),
            campaign_id=campaign_id,
            on=_DAYS[0],
            amount_minor=0,
            currency="",
            recorded_at=self._now,
            recorded_by=self._by,
            external_source=name.source if name else None,
            external_value=name.value if name else None,
        )


def _told(cost: CampaignCost, details: CostDetails, campaign_id: UUID) -> CampaignCost:
    """Return a cost as somebody says it is."""
    if not details.currency:
        raise CostWithoutCurrency
    if details.currency not in CURRENCIES:
        raise UnknownCurrency(details.currency)
    if not _DAYS[0] <= details.on < _DAYS[1]:
        raise Invalid("Costs are dated from 1970 to 2149.", path=("on",))
    note = limited_text(
        (details.note or "").strip(), name="The note", path=("note",), longest=LONGEST_NOTE
    )
    return replace(
        cost,
        campaign_id=campaign_id,
        on=details.on,
        amount_minor=_minor(details.amount, details.currency),
        currency=details.currency,
        note=note or None,
    )


def _minor(amount: Decimal, currency: str) -> int:
    if not amount.is_finite():
        raise Invalid("This is not an amount.", path=("amount",))
    if amount < 0:
        raise CostNegative
    minor = amount.scaleb(minor_digits(currency))
    if minor != minor.to_integral_value() or minor > _MOST_MINOR:
        raise Invalid(f"{amount} is not an amount of {currency}.", path=("amount",))
    return int(minor)


async def _campaigns(work: Work, rows: Sequence[CostDetails]) -> Mapping[UUID | str, UUID]:
    """Return the campaigns that rows tell, by what they tell them by."""
    keys = {row.campaign for row in rows}
    wanted = sorted(key for key in keys if isinstance(key, UUID))
    codes = sorted(key for key in keys if isinstance(key, str))
    by_id = await work.find(Campaign, id=wanted) if wanted else ()
    by_code = await work.find(Campaign, code=codes) if codes else ()
    return {**{each.id: each.id for each in by_id}, **{each.code: each.id for each in by_code}}


async def _named(work: Work, rows: Sequence[CostDetails]) -> Mapping[ExternalId, CampaignCost]:
    """Return the costs that rows may name, and let nobody else change them meanwhile."""
    names = {row.external_id for row in rows if row.external_id is not None}
    if not names:
        return {}
    found = await work.find(
        CampaignCost,
        lock=True,
        external_source=sorted({name.source for name in names}),
        external_value=sorted({name.value for name in names}),
    )
    return {
        ExternalId(cost.external_source, cost.external_value): cost
        for cost in found
        if cost.external_source is not None and cost.external_value is not None
    }


async def _cost(work: Work, cost_id: UUID) -> CampaignCost:
    cost = await first(work, CampaignCost, id=cost_id, lock=True)
    if cost is None:
        raise NotFound("campaign cost", path=("cost",))
    return cost


def _alone(refusal: DomainError) -> DomainError:
    """Return the refusal of a row as that of a request of its own."""
    refusal.index, refusal.path = None, refusal.path[2:]
    return refusal
