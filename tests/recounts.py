"""Credits and figures recounted from facts, in plain Python with fractions.

Nothing of `domain.attribution` but what it stores is used here: the rules are written down once
more, as docs/attribution.md tells them, so that two mistakes would have to be the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.attribution import AttributionModel, CreditSpread, TouchAnchor
from domain.campaigns import Campaign, CampaignCost
from domain.exchange import ExchangeRate
from domain.leads import Agency, Lead
from domain.lifecycle import StageEntry
from domain.opportunities import Opportunity, OpportunityStatus
from domain.touches import Channel, Touch
from domain.values import minor_digits

Key = Any
# From stranger to fan.
STAGES = (
    *("VISITOR", "PROSPECT", "LEAD", "MQL", "SAL", "SQL"),
    *("OPPORTUNITY", "CUSTOMER", "ADVOCATE"),
)
Shared = dict[UUID, tuple[Decimal, int | None]]
"""The share and the minor units of each touch."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything that figures follow from."""

    leads: dict[UUID, Lead]
    touches: Sequence[Touch]
    deals: Sequence[Opportunity]
    entries: Sequence[StageEntry]
    campaigns: Sequence[Campaign]
    costs: Sequence[CampaignCost]
    rates: Sequence[ExchangeRate]
    currency: str
    zone: str
    today: date

    def human(self, lead_id: UUID) -> list[Touch]:
        """Return a lead's human touches in the order they happened."""
        mine = [t for t in self.touches if t.lead_id == lead_id and t.agency is Agency.HUMAN]
        return sorted(mine, key=lambda t: (t.occurred_at, t.id))

    def day(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.zone)).date()

    def rate(self, currency: str, on: date) -> Fraction:
        """Return what a minor unit is worth in ours."""
        known = [r for r in self.rates if r.currency == currency and r.starts_on <= on]
        rate = Fraction(max(known, key=lambda r: r.starts_on).rate)
        return rate * Fraction(10) ** (minor_digits(self.currency) - minor_digits(currency))

    def exchanged(self, minor: int | None, currency: str | None, on: date) -> int:
        if minor is None or currency is None:
            return 0
        return minor if currency == self.currency else half_up(minor * self.rate(currency, on))


def half_up(amount: Fraction) -> int:
    return (amount + Fraction(1, 2)).__floor__()


def by_largest_remainder(total: int, exact: Sequence[Fraction]) -> list[int]:
    """Round down, and give what is left to those that lost most; of equals to the earlier."""
    floors = [each.__floor__() for each in exact]
    order = sorted(range(len(exact)), key=lambda n: (floors[n] - exact[n], n))
    for place in order[: total - sum(floors)]:
        floors[place] += 1
    return floors


def belongs(facts: Facts, lead: Lead) -> UUID | None:
    """Return the campaign of a lead: that its origin names, else of its first touch with one."""
    named = (lead.origin_campaign or "").strip().lower()
    for campaign in facts.campaigns:
        if named == campaign.code:
            return campaign.id
    return next((t.campaign_id for t in facts.human(lead.id) if t.campaign_id), None)


def shared(
    model: AttributionModel, deal: Opportunity, lead: Lead, touches: Sequence[Touch]
) -> Shared:
    """Return what each touch gets of a deal; those that get nothing are left out."""
    if deal.status is OpportunityStatus.LOST:
        return {}
    counted = [t for t in touches if deal.closed_at is None or t.occurred_at <= deal.closed_at]
    if model.skips_direct:
        counted = [t for t in counted if t.channel is not Channel.DIRECT] or counted
    if not counted:
        return {}
    weights = _weights(model, counted, deal, lead)
    whole = sum(weights)
    shares = by_largest_remainder(10**12, [10**12 * weight / whole for weight in weights])
    money: Sequence[int | None] = [None] * len(counted)
    if deal.amount_minor is not None:
        money = by_largest_remainder(
            deal.amount_minor, [deal.amount_minor * weight / whole for weight in weights]
        )
    return {
        touch.id: (Decimal(share).scaleb(-12), minor)
        for touch, share, minor in zip(counted, shares, money, strict=True)
        if share or minor
    }


def _weights(
    model: AttributionModel, touches: Sequence[Touch], deal: Opportunity, lead: Lead
) -> list[Fraction]:
    def last_by(at: datetime | None) -> int | None:
        early = [n for n, t in enumerate(touches) if at is not None and t.occurred_at <= at]
        return early[-1] if early else None

    anchors = {
        TouchAnchor.FIRST: 0,
        TouchAnchor.LAST: len(touches) - 1,
        TouchAnchor.LEAD_CREATION: last_by(lead.created_at),
        TouchAnchor.DEAL_CREATION: last_by(deal.opened_at),
        TouchAnchor.CLOSE: last_by(deal.closed_at),
    }
    weights = [Fraction(0)] * len(touches)
    known = {each.anchor: anchors[each.anchor] for each in model.anchors}
    for each in model.anchors:
        place = known[each.anchor]
        if place is not None:
            weights[place] += Fraction(each.share)
    others = [n for n in range(len(touches)) if n not in known.values()]
    spread = [_fading(model, touches[others[-1]], touches[n]) for n in others]
    for n, part in zip(others, spread, strict=True):
        weights[n] = Fraction(model.rest_share) * part / sum(spread)
    return weights if any(weights) else [Fraction(1)] * len(touches)


def _fading(model: AttributionModel, last: Touch, touch: Touch) -> Fraction:
    if model.spread is CreditSpread.EVEN or model.half_life_days is None:
        return Fraction(1)
    age = Fraction(
        (last.occurred_at - touch.occurred_at) // timedelta(microseconds=1), 86_400 * 10**6
    )
    with localcontext(prec=60):
        halves = age / model.half_life_days
        return Fraction(Decimal(2) ** -(Decimal(halves.numerator) / halves.denominator))


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What figures are asked for."""

    dimension: str
    cohort: bool
    first: date
    end: date
    model: AttributionModel
    fits: Callable[[Lead], bool] | None = None


class Recount:
    """The figures of a question, counted one fact after the other."""

    def __init__(self, facts: Facts, asked: Asked) -> None:
        self.facts, self.asked = facts, asked
        self.rows: dict[Key, dict[str, Any]] = defaultdict(lambda: defaultdict(int))
        self.total: dict[str, Any] = defaultdict(int)
        self._count_leads()
        self._count_touches()
        self._count_deals()
        if asked.fits is None:
            self._count_costs()

    def _within(self, day: date) -> bool:
        return self.asked.first <= day < self.asked.end

    def _counts(self, lead: Lead | None, at: datetime) -> bool:
        """Whether a fact of a lead counts: by the lead's creation, or by its own date."""
        if lead is None:
            return (
                not self.asked.cohort
                and self.asked.fits is None
                and self._within(self.facts.day(at))
            )
        if self.asked.fits is not None and not self.asked.fits(lead):
            return False
        return self._within(self.facts.day(lead.created_at if self.asked.cohort else at))

    def _lead_keys(self, lead: Lead) -> set[Key]:
        human = self.facts.human(lead.id)
        match self.asked.dimension:
            case "CHANNEL":
                return {human[0].channel.value if human else None}
            case "CONTENT":
                return {str(t.asset_id) for t in human if t.asset_id} or {None}
            case _:
                return {self._of_lead(lead)}

    def _of_lead(self, lead: Lead | None) -> Key:
        if lead is None:
            return None
        name = {"CAMPAIGN": "campaign_id", "ORIGIN": "origin_source", "PERSONA": "persona_id"}
        value = getattr(lead, name[self.asked.dimension])
        return None if value is None else str(value)

    def _touch_key(self, touch: Touch) -> Key:
        match self.asked.dimension:
            case "CAMPAIGN":
                return None if touch.campaign_id is None else str(touch.campaign_id)
            case "CHANNEL":
                return touch.channel.value
            case "CONTENT":
                return None if touch.asset_id is None else str(touch.asset_id)
            case _:
                return self._of_lead(self.facts.leads.get(touch.lead_id)) if touch.lead_id else None

    def _add(self, name: str, keys: set[Key], number: Any = 1) -> None:
        self.total[name] += number
        for key in keys:
            self.rows[key][name] += number

    def _count_leads(self) -> None:
        for lead in self.facts.leads.values():
            if self._counts(lead, lead.created_at):
                self._add("leads", self._lead_keys(lead))
            for name, stage in (("mqls", "MQL"), ("accepted", "SAL"), ("sqls", "SQL")):
                reached_at = self._reached_at(lead, STAGES.index(stage))
                if reached_at is not None and self._counts(lead, reached_at):
                    self._add(name, self._lead_keys(lead))

    def _reached_at(self, lead: Lead, place: int) -> datetime | None:
        """Return when a lead first was as far as a stage: what it skipped counts as passed.

        Without a history it is since when it has stood where it stands.
        """
        steps = [e for e in self.facts.entries if e.lead_id == lead.id]
        far = [e.entered_at for e in steps if STAGES.index(e.stage) >= place]
        if not far and STAGES.index(lead.stage) >= place:
            return lead.stage_entered_at
        return min(far, default=None)

    def _count_touches(self) -> None:
        for touch in self.facts.touches:
            lead = self.facts.leads.get(touch.lead_id) if touch.lead_id else None
            if touch.agency is Agency.HUMAN and self._counts(lead, touch.occurred_at):
                self._add("touches", {self._touch_key(touch)})

    def _count_deals(self) -> None:
        for deal in self.facts.deals:
            lead, won = self.facts.leads[deal.lead_id], deal.status is OpportunityStatus.WON
            at = deal.closed_at if won and deal.closed_at else deal.opened_at
            if deal.status is OpportunityStatus.LOST or not self._counts(lead, at):
                continue
            on = self.facts.day(at) if won else self.facts.today
            for key, share, minor in self._earned(deal, lead, on):
                self._add("won" if won else "pipeline", {key}, minor)
                if won:
                    self._add("won_deals", {key}, share)
            if won:
                self._count_influence(deal, lead, on)

    def _earned(
        self, deal: Opportunity, lead: Lead, on: date
    ) -> Sequence[tuple[Key, Decimal, int]]:
        """Return what each key gets of a deal, touch by touch, in our currency."""
        whole = self.facts.exchanged(deal.amount_minor, deal.currency, on)
        touches = {touch.id: touch for touch in self.facts.human(lead.id)}
        parts = shared(self.asked.model, deal, lead, list(touches.values()))
        if self.asked.dimension in {"ORIGIN", "PERSONA"} or not parts:
            key = self._of_lead(lead) if self.asked.dimension in {"ORIGIN", "PERSONA"} else None
            return [(key, Decimal(1), whole)]
        order = sorted(parts, key=lambda touch_id: (touches[touch_id].occurred_at, touch_id))
        minors = [parts[touch_id][1] or 0 for touch_id in order]
        if deal.currency is not None and deal.currency != self.facts.currency:
            rate = self.facts.rate(deal.currency, on)
            minors = by_largest_remainder(whole, [minor * rate for minor in minors])
        return [
            (self._touch_key(touches[touch_id]), parts[touch_id][0], minor)
            for touch_id, minor in zip(order, minors, strict=True)
        ]

    def _count_influence(self, deal: Opportunity, lead: Lead, on: date) -> None:
        before = [
            touch
            for touch in self.facts.human(lead.id)
            if deal.closed_at is not None and touch.occurred_at <= deal.closed_at
        ]
        keys = {self._touch_key(touch) for touch in before}
        if self.asked.dimension in {"ORIGIN", "PERSONA"}:
            keys = {self._of_lead(lead)}
        if keys:
            whole = self.facts.exchanged(deal.amount_minor, deal.currency, on)
            self._add("influenced", keys, whole)

    def _count_costs(self) -> None:
        for cost in self.facts.costs:
            if not self._within(cost.on):
                continue
            minor = self.facts.exchanged(cost.amount_minor, cost.currency, cost.on)
            self.total["cost"] += minor
            for key, part in self._spread(cost.campaign_id, minor):
                self.rows[key]["cost"] += part

    def _spread(self, campaign_id: UUID, minor: int) -> Sequence[tuple[Key, int]]:
        """Return a cost in parts, as many as its campaign's human touches of the period have keys.

        They are cut where the running number of touches cuts, in the order of the keys.
        """
        if self.asked.dimension == "CAMPAIGN":
            return [(str(campaign_id), minor)]
        numbers: dict[Key, int] = defaultdict(int)
        for touch in self.facts.touches:
            human = touch.agency is Agency.HUMAN and self._within(self.facts.day(touch.occurred_at))
            if human and touch.campaign_id == campaign_id:
                numbers[self._touch_key(touch)] += 1
        if not numbers:
            return [(None, minor)]
        parts, running, whole = [], 0, sum(numbers.values())
        for key in sorted(numbers, key=lambda key: (key is None, key or "")):
            below = minor * running // whole
            running += numbers[key]
            parts.append((key, minor * running // whole - below))
        return parts
