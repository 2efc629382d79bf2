"""The pace of a promise that a share of something is done in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from domain.sla.pacing.delivery import DEFAULT_BANDS, Bands, Pace
from domain.statistics import incomplete_beta, wilson_interval
from domain.values import Period

_BASIS_POINT = Decimal("0.0001")
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareReading:
    """How a share stands.

    `met_share` is None while nothing is decided.  `low` and `high` enclose the true share four
    times in five (Wilson), so they compare with the p10 and p90 of a delivery.  `probability` is
    that of the true share being at least the target (Jeffreys' prior), 1 or 0 once it is settled,
    and None while nothing is decided.  `best_share` and `worst_share` are what the share becomes
    if all, or none, of the undecided are met.
    """

    pace: Pace
    target_share: Decimal
    met: int
    decided: int
    undecided: int
    met_share: Decimal | None
    low: Decimal
    high: Decimal
    best_share: Decimal | None
    worst_share: Decimal | None
    probability: Decimal | None


def share(
    *,
    met: int,
    decided: int,
    target_share: Decimal,
    period: Period,
    on: date,
    share_of_day: Decimal | None = None,
    undecided: int = 0,
    bands: Bands = DEFAULT_BANDS,
) -> ShareReading:
    """Say whether enough of what was decided was met.

    During the period, by the share met so far: AHEAD from `bands.ahead` above the target (or at
    all of them, where the target leaves less room than that), ON_TRACK from the target,
    AT_RISK from `bands.at_risk` of it, else BEHIND.  While nothing is decided nothing was missed:
    ON_TRACK.  After the period the same rule goes on while undecided ones can turn the result,
    then it is MET or MISSED.  With nothing to do at all the promise is met.

    Args:
        met: How many were met in time.
        decided: How many can no longer change: closed ones, and open ones already in breach.
            Leave out the waived, cancelled and transferred.
        target_share: The least share to be met, 0 to 1.
        on: The last day that counts.
        share_of_day: How much of that day has passed; None once it is over.
        undecided: Open ones still in time.
    """
    if not 0 <= met <= decided or undecided < 0 or not 0 <= target_share <= 1:
        raise ValueError(f"no share of {met} in {decided}, {undecided}, for {target_share}")
    is_over = on >= period.end or (on == max(period) and share_of_day is None)
    every = decided + undecided
    best = _ratio(met + undecided, every)
    worst = _ratio(met, every)
    settled = _settled(best, worst, target_share) if is_over else None
    met_share = _ratio(met, decided)
    interval = wilson_interval(met, decided, confidence=Decimal("0.8"))
    return ShareReading(
        pace=settled or _pace(met_share, target_share, bands, has_begun=on >= period.first),
        target_share=target_share,
        met=met,
        decided=decided,
        undecided=undecided,
        met_share=_rounded(met_share),
        low=interval.low.quantize(_BASIS_POINT, ROUND_HALF_UP),
        high=interval.high.quantize(_BASIS_POINT, ROUND_HALF_UP),
        best_share=_rounded(best),
        worst_share=_rounded(worst),
        probability=_rounded(_probability(met, decided, target_share, settled)),
    )


def _settled(best: Decimal | None, worst: Decimal | None, target: Decimal) -> Pace | None:
    if worst is None or worst >= target:
        return Pace.MET
    return Pace.MISSED if best is not None and best < target else None


def _pace(met: Decimal | None, target: Decimal, bands: Bands, *, has_begun: bool) -> Pace:
    if not has_begun:
        return Pace.NOT_STARTED
    if met is None:
        return Pace.ON_TRACK
    if met > target and met >= min(_ONE, target * (1 + bands.ahead)):
        return Pace.AHEAD
    if met >= target * min(_ONE, bands.on_track):
        return Pace.ON_TRACK
    return Pace.AT_RISK if met >= target * bands.at_risk else Pace.BEHIND


def _probability(met: int, decided: int, target: Decimal, settled: Pace | None) -> Decimal | None:
    if settled is not None:
        return Decimal(settled is Pace.MET)
    if not decided:
        return None
    half = Decimal("0.5")
    return 1 - incomplete_beta(target, met + half, decided - met + half)


def _ratio(part: int, whole: int) -> Decimal | None:
    return Decimal(part) / whole if whole else None


def _rounded(value: Decimal | None) -> Decimal | None:
    return None if value is None else value.quantize(_BASIS_POINT, ROUND_HALF_UP)
