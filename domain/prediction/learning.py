"""Learning from outcomes, and saying honestly how well it worked.

The outcomes are put in the order in which they were closed.  The first three fifths are learnt
from, the next fifth calibrates, and the last fifth only judges: so the model is judged by what came
after everything it knew.  The model that is used afterwards counts all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from domain.errors import DomainError
from domain.prediction.bayes import (
    Factor,
    Facts,
    OutcomeCounts,
    chance,
    commonest,
    counted,
    factors,
)
from domain.prediction.calibration import AS_IT_IS, PLACES, Calibration, calibrated, fitted

LEAST_OUTCOMES, LEAST_WON, LEAST_LOST = 200, 30, 30
DECILES = 10
MOST_VALUES = 200
"""Of each field: what was met less often than all of them says nothing anyway."""
ONE, ZERO = Decimal(1), Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedOutcome:
    """What became of one hand-off, and what was known of the lead when it was made."""

    handoff_id: UUID
    facts: Facts
    won: bool
    closed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftDecile:
    """A tenth of the leads that judge a model, the most promising first.

    `lift` is their won share by that of all: 1 is no better than chance.
    """

    decile: int
    leads: int
    won: int
    predicted_share: Decimal
    won_share: Decimal
    lift: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """How well a model foretold the last fifth.

    A Brier score is the mean squared error of the chances; the less, the better, and
    `baseline_brier_score` is what saying the average every time would get.
    """

    learnt: int
    calibrated: int
    judged: int
    judged_won: int
    brier_score: Decimal
    raw_brier_score: Decimal
    baseline_brier_score: Decimal
    deciles: tuple[LiftDecile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """What was learnt."""

    counts: OutcomeCounts
    calibration: Calibration
    validation: Validation


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The chance of winning a lead, and what speaks for and against it."""

    probability: Decimal
    raw_probability: Decimal
    average: Decimal
    factors: tuple[Factor, ...]


class NotEnoughOutcomes(DomainError):
    """Too little has been won and lost to learn from it."""

    code = "NOT_ENOUGH_OUTCOMES"

    def __init__(self, *, won: int, lost: int) -> None:
        super().__init__(
            f"{won} hand-offs were won and {lost} lost so far.  Learning takes {LEAST_OUTCOMES} in"
            f" all, at least {LEAST_WON} of them won and {LEAST_LOST} lost."
        )
        self.won, self.lost = won, lost


def require_enough(*, won: int, lost: int) -> None:
    """Refuse to learn from too little.

    Raises:
        NotEnoughOutcomes: which says how much it takes.
    """
    if won < LEAST_WON or lost < LEAST_LOST or won + lost < LEAST_OUTCOMES:
        raise NotEnoughOutcomes(won=won, lost=lost)


def learnt_from(outcomes: Sequence[ClosedOutcome], fields: Sequence[str]) -> TrainedModel:
    """Return what outcomes teach about some fields.

    Raises:
        NotEnoughOutcomes: if they are too few, or the first three fifths are all of one kind.
    """
    ordered = sorted(outcomes, key=lambda each: (each.closed_at, each.handoff_id))
    won = sum(each.won for each in ordered)
    require_enough(won=won, lost=len(ordered) - won)
    first, second = len(ordered) * 3 // 5, len(ordered) * 4 // 5
    early, middle, last = ordered[:first], ordered[first:second], ordered[second:]
    counts = _counts(early, fields)
    if not counts.won or not counts.lost:
        raise NotEnoughOutcomes(won=counts.won, lost=counts.lost)
    line = fitted([(chance(counts, each.facts), each.won) for each in middle])
    return TrainedModel(
        counts=_counts(ordered, fields),
        calibration=line,
        validation=_validation(counts, line, len(middle), last),
    )


def predict(model: TrainedModel, facts: Facts) -> Prediction:
    """Return a lead's chance by what is known of it."""
    raw = chance(model.counts, facts)
    total = model.counts.won + model.counts.lost
    return Prediction(
        probability=calibrated(raw, model.calibration),
        raw_probability=calibrated(raw, AS_IT_IS),
        average=(Decimal(model.counts.won) / total).quantize(PLACES),
        factors=tuple(
            Factor(field=each.field, value=each.value, factor=each.factor.quantize(PLACES))
            for each in factors(model.counts, facts)
        ),
    )


def _counts(outcomes: Sequence[ClosedOutcome], fields: Sequence[str]) -> OutcomeCounts:
    counts = counted(((each.facts, each.won) for each in outcomes), fields)
    return commonest(counts, MOST_VALUES)


def _validation(
    counts: OutcomeCounts, line: Calibration, middle: int, last: Sequence[ClosedOutcome]
) -> Validation:
    raw = [chance(counts, each.facts) for each in last]
    told = [calibrated(each, line) for each in raw]
    won = [each.won for each in last]
    average = Decimal(counts.won) / (counts.won + counts.lost)
    return Validation(
        learnt=counts.won + counts.lost,
        calibrated=middle,
        judged=len(last),
        judged_won=sum(won),
        brier_score=brier_score(told, won),
        raw_brier_score=brier_score(raw, won),
        baseline_brier_score=brier_score([average] * len(won), won),
        deciles=lift_by_decile(told, won),
    )


def brier_score(chances: Sequence[Decimal], won: Sequence[bool]) -> Decimal:
    """Return the mean squared error of chances, to six decimal places.

    Source: Brier, "Verification of forecasts expressed in terms of probability" (1950).
    """
    errors = ((each - int(is_won)) ** 2 for each, is_won in zip(chances, won, strict=True))
    return (sum(errors, ZERO) / len(chances)).quantize(PLACES)


def lift_by_decile(chances: Sequence[Decimal], won: Sequence[bool]) -> tuple[LiftDecile, ...]:
    """Return how often each tenth was won, the most promising first.

    Leads of one chance keep their order, which is that of time and not of how they ended.
    """
    ranked = sorted(zip(chances, won, strict=True), key=lambda pair: -pair[0])
    overall = Decimal(sum(won)) / len(won)
    deciles = []
    for n in range(DECILES):
        part = ranked[len(ranked) * n // DECILES : len(ranked) * (n + 1) // DECILES]
        if part:
            deciles.append(_decile(n + 1, part, overall))
    return tuple(deciles)


def _decile(number: int, part: Sequence[tuple[Decimal, bool]], overall: Decimal) -> LiftDecile:
    won = sum(is_won for _, is_won in part)
    share = Decimal(won) / len(part)
    return LiftDecile(
        decile=number,
        leads=len(part),
        won=won,
        predicted_share=(sum((each for each, _ in part), ZERO) / len(part)).quantize(PLACES),
        won_share=share.quantize(PLACES),
        lift=(share / overall).quantize(PLACES) if overall else ZERO,
    )
