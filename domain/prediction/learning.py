"""Learning from outcomes, and saying honestly how well it worked.

The outcomes are put in the order in which they were closed.  The first three fifths are learnt
from, the next fifth calibrates, and the last fifth only judges: so the model is judged by what came
after everything it knew.  The model that is used afterwards counts all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from domain.errors import DomainError
from domain.prediction.bayes import (
    Factor,
    Facts,
    OutcomeCounts,
    commonest,
    counted,
    evidence,
)
from domain.prediction.calibration import AS_IT_IS, PLACES, Calibration, calibrated, fitted

LEAST_OUTCOMES, LEAST_WON, LEAST_LOST = 200, 30, 30
DECILES = 10
MOST_VALUES = 200
"""Of each field: what was met less often than all of them says nothing anyway."""
ZERO = Decimal(0)


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

    `lift` is their won share by that of all: 1 is no better than chance.  `won` need not be whole:
    each of several leads with one chance counts as their average.
    """

    decile: int
    leads: int
    won: Decimal
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

    def __init__(self, *, won: int, lost: int, early: bool = False) -> None:
        known = f"{won} hand-off{' was' if won == 1 else 's were'} won and {lost} lost"
        takes = f"Learning takes {LEAST_OUTCOMES} in all, at least {LEAST_WON} of them won and"
        if early:
            super().__init__(
                f"Of the oldest three fifths {known}.  {takes} {LEAST_LOST} lost, and some of both"
                " kinds early on."
            )
        else:
            super().__init__(
                f"{known} so far.  {takes} {LEAST_LOST} lost: {_lacking(won=won, lost=lost)}."
            )
        self.won, self.lost = won, lost


def _lacking(*, won: int, lost: int) -> str:
    """Say how many outcomes more it takes, and of which kind."""
    more_won, more_lost = max(LEAST_WON - won, 0), max(LEAST_LOST - lost, 0)
    more = max(LEAST_OUTCOMES - won - lost, more_won + more_lost)
    kinds = [f"{n} {kind}" for n, kind in ((more_won, "won"), (more_lost, "lost")) if n]
    if not kinds:
        return f"{more} more"
    return f"{more} more, of them at least {' and '.join(kinds)}"


def require_enough(*, won: int, lost: int) -> None:
    """Refuse to learn from too little.

    Raises:
        NotEnoughOutcomes: which says how much it takes.
    """
    if won < LEAST_WON or lost < LEAST_LOST or won + lost < LEAST_OUTCOMES:
        raise NotEnoughOutcomes(won=won, lost=lost)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What outcomes taught, and what the newest of them, which judged it, were told beforehand."""

    model: TrainedModel
    judges: tuple[ClosedOutcome, ...]
    told: tuple[Decimal, ...]


def learnt_from(outcomes: Sequence[ClosedOutcome], fields: Sequence[str]) -> Lesson:
    """Return what outcomes teach about some fields.

    Raises:
        NotEnoughOutcomes: if they are too few, or the first three fifths are all of one kind.
    """
    ordered = in_time(outcomes)
    won = sum(each.won for each in ordered)
    require_enough(won=won, lost=len(ordered) - won)
    first, second = len(ordered) * 3 // 5, len(ordered) * 4 // 5
    early, middle, last = ordered[:first], ordered[first:second], ordered[second:]
    counts = _counts(early, fields)
    if not counts.won or not counts.lost:
        raise NotEnoughOutcomes(won=counts.won, lost=counts.lost, early=True)
    known = evidence(counts)
    line = fitted([(known.chance(each.facts), each.won) for each in middle])
    raw = [known.chance(each.facts) for each in last]
    told = tuple(calibrated(each, line) for each in raw)
    model = TrainedModel(
        counts=_counts(ordered, fields),
        calibration=line,
        validation=_validation(counts, len(middle), raw, told, [each.won for each in last]),
    )
    return Lesson(model=model, judges=tuple(last), told=told)


def in_time(outcomes: Sequence[ClosedOutcome]) -> list[ClosedOutcome]:
    """Return outcomes in the order in which they were closed."""
    return sorted(outcomes, key=lambda each: (each.closed_at, each.handoff_id))


class Predictor:
    """A model made ready to be asked about many leads."""

    def __init__(self, model: TrainedModel) -> None:
        self._evidence = evidence(model.counts)
        self._line = model.calibration
        total = model.counts.won + model.counts.lost
        self._average = (Decimal(model.counts.won) / total).quantize(PLACES)

    def probability(self, facts: Facts) -> Decimal:
        """Return the chance that is told of a lead."""
        return calibrated(self._evidence.chance(facts), self._line)

    def predict(self, facts: Facts) -> Prediction:
        """Return a lead's chance by what is known of it, and why it is so."""
        raw = self._evidence.chance(facts)
        return Prediction(
            probability=calibrated(raw, self._line),
            raw_probability=calibrated(raw, AS_IT_IS),
            average=self._average,
            factors=tuple(
                Factor(field=each.field, value=each.value, factor=each.factor.quantize(PLACES))
                for each in self._evidence.said_by(facts)
            ),
        )


def predict(model: TrainedModel, facts: Facts) -> Prediction:
    """Return one lead's chance by what is known of it."""
    return Predictor(model).predict(facts)


def _counts(outcomes: Sequence[ClosedOutcome], fields: Sequence[str]) -> OutcomeCounts:
    counts = counted(((each.facts, each.won) for each in outcomes), fields)
    return commonest(counts, MOST_VALUES)


def _validation(
    counts: OutcomeCounts,
    middle: int,
    raw: Sequence[Decimal],
    told: Sequence[Decimal],
    won: Sequence[bool],
) -> Validation:
    average = Decimal(counts.won) / (counts.won + counts.lost)
    return Validation(
        learnt=counts.won + counts.lost,
        calibrated=middle,
        judged=len(won),
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

    Each of several leads with one chance counts as their average, in whatever tenth it comes to
    lie: a model that tells all leads alike lifts none of them.
    """
    ranked = sorted(zip(chances, won, strict=True), key=lambda pair: -pair[0])
    overall = Decimal(sum(won)) / len(won)
    averages = _averages(ranked)
    deciles = []
    for n in range(DECILES):
        part = [
            (told, averages[told])
            for told, _ in ranked[len(ranked) * n // DECILES : len(ranked) * (n + 1) // DECILES]
        ]
        if part:
            deciles.append(_decile(n + 1, part, overall))
    return tuple(deciles)


def _averages(pairs: Sequence[tuple[Decimal, bool]]) -> Mapping[Decimal, Fraction]:
    """Return the share that was won of the leads with each chance."""
    counts: dict[Decimal, list[int]] = {}
    for told, is_won in pairs:
        count = counts.setdefault(told, [0, 0])
        count[0] += is_won
        count[1] += 1
    return {told: Fraction(won, number) for told, (won, number) in counts.items()}


def _decile(number: int, part: Sequence[tuple[Decimal, Fraction]], overall: Decimal) -> LiftDecile:
    exact = sum((average for _, average in part), Fraction(0))
    won = Decimal(exact.numerator) / exact.denominator
    share = won / len(part)
    return LiftDecile(
        decile=number,
        leads=len(part),
        won=won.quantize(PLACES),
        predicted_share=(sum((told for told, _ in part), ZERO) / len(part)).quantize(PLACES),
        won_share=share.quantize(PLACES),
        lift=(share / overall).quantize(PLACES) if overall else ZERO,
    )
