"""Sharing out: which touch of a way gets how much, exactly."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from uuid import UUID

from domain.attribution.models import AttributionModel, CreditSpread, TouchAnchor
from domain.touches import Channel

# Shares are kept to this many places, so that those of one deal sum to exactly 1.
SHARE_PLACES = 12
# Weights are whole numbers: shares of a model times this, decays times 2 to the power of 100.
_WHOLE = 10**SHARE_PLACES
_DECAY_SCALE = 2**100
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A touch as attribution sees it."""

    touch_id: UUID
    at: datetime
    channel: Channel
    campaign_id: UUID | None = None
    asset_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestones:
    """When the lead and the deal came into being, and when the deal was closed, if it is."""

    lead_created_at: datetime
    deal_created_at: datetime
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """What one touch gets: a share of 0-1 and, where the deal has an amount, minor units."""

    step: Step
    share: Decimal
    amount_minor: int | None


def portions(
    model: AttributionModel,
    steps: Sequence[Step],
    milestones: Milestones,
    *,
    amount_minor: int | None,
) -> tuple[Portion, ...]:
    """Share a deal out among the touches before it, in the order they happened.

    The shares sum to exactly 1, the amounts to exactly the deal's; touches that get nothing are
    left out.  In which order the touches are given does not matter.

    * An anchor is the first touch, the last, or the last one at or before the milestone it is
      called after.  Anchors on one touch merge their shares.
    * An anchor that is missing (no touch was that early, or the deal is still open) leaves its
      share to everything else in proportion.
    * Where all touches are anchors, what was meant for the rest goes to them in proportion.
    * Where nothing that the model knows is there, all touches get the same.

    Source: docs/sources.md, "Attribution".
    """
    ordered = _counted(model, steps)
    if not ordered:
        return ()
    weights = _weights(model, ordered, milestones)
    shares = split(_WHOLE, weights)
    amounts: Sequence[int | None] = [None] * len(ordered)
    if amount_minor is not None:
        amounts = split(amount_minor, weights)
    return tuple(
        Portion(step=step, share=Decimal(share).scaleb(-SHARE_PLACES), amount_minor=amount)
        for step, share, amount in zip(ordered, shares, amounts, strict=True)
        if share or amount
    )


def split(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split a whole number by weights into whole parts that sum to it, by largest remainder.

    What is left over by rounding down goes, one each, to the parts that lost most; of those that
    lost the same, to the earlier.

    Raises:
        ValueError: if the total or a weight is negative, or all weights are 0.
    """
    whole = sum(weights)
    if total < 0 or whole <= 0 or min(weights) < 0:
        raise ValueError(f"{total} cannot be split by {weights}")
    floors = [total * weight // whole for weight in weights]
    lost = [total * weight % whole for weight in weights]
    by_loss = sorted(range(len(weights)), key=lambda place: (-lost[place], place))
    for place in by_loss[: total - sum(floors)]:
        floors[place] += 1
    return tuple(floors)


def _counted(model: AttributionModel, steps: Sequence[Step]) -> list[Step]:
    """Return the touches that count, in the order they happened."""
    ordered = sorted(steps, key=lambda step: (step.at, step.touch_id))
    if model.skips_direct:
        by_a_road = [step for step in ordered if step.channel is not Channel.DIRECT]
        return by_a_road or ordered
    return ordered


def _weights(
    model: AttributionModel, ordered: Sequence[Step], milestones: Milestones
) -> Sequence[int]:
    """Return each touch's weight; only their proportions mean anything."""
    places = _places([step.at for step in ordered], milestones)
    anchored = [0] * len(ordered)
    taken = set()
    for each in model.anchors:
        place = places[each.anchor]
        if place is not None:
            anchored[place] += int(each.share * _WHOLE)
            taken.add(place)
    others = [place for place in range(len(ordered)) if place not in taken]
    rest = int(model.rest_share * _WHOLE) if others else 0
    if rest:
        spread = _spread(model, [ordered[place].at for place in others])
        whole = sum(spread)
        anchored = [weight * whole for weight in anchored]
        for place, part in zip(others, spread, strict=True):
            anchored[place] = rest * part
    return anchored if any(anchored) else [1] * len(ordered)


def _places(
    instants: Sequence[datetime], milestones: Milestones
) -> Mapping[TouchAnchor, int | None]:
    """Return which touch each anchor is, None where there is none."""

    def last_by(at: datetime | None) -> int | None:
        if at is None:
            return None
        return bisect_right(instants, at) - 1 if instants[0] <= at else None

    return {
        TouchAnchor.FIRST: 0,
        TouchAnchor.LAST: len(instants) - 1,
        TouchAnchor.LEAD_CREATION: last_by(milestones.lead_created_at),
        TouchAnchor.DEAL_CREATION: last_by(milestones.deal_created_at),
        TouchAnchor.CLOSE: last_by(milestones.closed_at),
    }


def _spread(model: AttributionModel, instants: Sequence[datetime]) -> Sequence[int]:
    """Return the weights, among themselves, of the touches that are no anchors."""
    if model.spread is CreditSpread.EVEN or model.half_life_days is None:
        return [1] * len(instants)
    half_life = Decimal(model.half_life_days * (_DAY // _MICROSECOND))
    with localcontext(prec=40):
        ages = [(instants[-1] - at) // _MICROSECOND for at in instants]
        return [int(Decimal(2) ** (-age / half_life) * _DECAY_SCALE) for age in ages]
