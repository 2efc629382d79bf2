"""Credits: what a touch gets of a deal under a model, kept so that figures are sums."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from domain.attribution.models import AttributionModel
from domain.attribution.sharing import Milestones, Step, portions
from domain.touches import Channel
from domain.values import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributionCredit:
    """What a touch gets of an opportunity under a model: a share of 0-1, and money.

    Campaign, asset and channel are the touch's own, kept here so that figures read one table.
    """

    opportunity_id: UUID
    model_id: UUID
    touch_id: UUID
    channel: Channel
    share: Decimal
    campaign_id: UUID | None = None
    asset_id: UUID | None = None
    amount_minor: int | None = None
    currency: str | None = None

    @property
    def amount(self) -> Money | None:
        if self.amount_minor is None or self.currency is None:
            return None
        return Money(self.amount_minor, self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """An opportunity, and the lead's human touches that may have led to it."""

    opportunity_id: UUID
    is_lost: bool
    milestones: Milestones
    amount_minor: int | None
    currency: str | None
    steps: Sequence[Step]


def credits_of(
    journeys: Iterable[Journey], models: Sequence[AttributionModel]
) -> Iterator[AttributionCredit]:
    """Return all credits of some opportunities under some models.

    A lost deal gives none; a won one only to touches up to its close, that instant with it.
    """
    for journey in journeys:
        steps = _before_close(journey)
        for model in models:
            yield from _credits(journey, model, steps)


def _before_close(journey: Journey) -> Sequence[Step]:
    if journey.is_lost:
        return ()
    closed_at: datetime | None = journey.milestones.closed_at
    return [step for step in journey.steps if closed_at is None or step.at <= closed_at]


def _credits(
    journey: Journey, model: AttributionModel, steps: Sequence[Step]
) -> Iterator[AttributionCredit]:
    found = portions(model, steps, journey.milestones, amount_minor=journey.amount_minor)
    for portion in found:
        yield AttributionCredit(
            opportunity_id=journey.opportunity_id,
            model_id=model.id,
            touch_id=portion.step.touch_id,
            channel=portion.step.channel,
            share=portion.share,
            campaign_id=portion.step.campaign_id,
            asset_id=portion.step.asset_id,
            amount_minor=portion.amount_minor,
            currency=journey.currency,
        )
