"""How marketing's promise to deliver stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from domain.sla.agreement import Commitment, Measure, Sla
from domain.sla.calendar import WorkingHours
from domain.sla.pacing import Bands, PaceReading, pace, weights
from domain.sla.standing.counts import DayCounts
from domain.sla.standing.figures import (
    CommitmentStanding,
    ExplainedInput,
    Explanation,
    SeriesDay,
    Unit,
)
from domain.sla.standing.timing import Moment
from domain.sla.standing.verdicts import BASIS_POINT, with_quality
from domain.values import minor_digits

_CENT = Decimal("0.01")

_FORMULA = (
    "attained = delivered - clawed back; "
    "expected = target * elapsed weight / total weight; "
    "gap = attained - expected; "
    "projected = attained + rate * (total weight - elapsed weight), where the rate is attained /"
    " elapsed weight, and leans on the promise until five working days have passed; "
    "needed per working day = (target - attained) / (total weight - elapsed weight); "
    "probability: deliveries to come are negative binomial (Gamma-Poisson, Jeffreys' prior); "
    "accepted share = accepted / (accepted + rejected), and a broken quality floor makes anything"
    " good AT_RISK, or MISSED at the end."
)


@dataclass(frozen=True, slots=True)
class _Totals:
    delivered: int
    clawed_back: int
    handed_off: int
    accepted: int
    rejected: int

    @classmethod
    def of(cls, days: Sequence[DayCounts]) -> _Totals:
        tallies = [day.tally for day in days]
        return cls(
            delivered=sum(tally.delivered for tally in tallies),
            clawed_back=sum(tally.clawed_back for tally in tallies),
            handed_off=sum(tally.handed_off for tally in tallies),
            accepted=sum(tally.accepted for tally in tallies),
            rejected=sum(tally.rejected for tally in tallies),
        )

    @property
    def accepted_share(self) -> Decimal | None:
        answered = self.accepted + self.rejected
        return Decimal(self.accepted) / answered if answered else None

    @property
    def average(self) -> Decimal | None:
        """What a hand-off counted on average."""
        counts = self.delivered and self.handed_off
        return Decimal(self.delivered) / self.handed_off if counts else None


def delivery_standing(
    sla: Sla,
    commitment: Commitment,
    days: Sequence[DayCounts],
    *,
    hours: WorkingHours,
    moment: Moment,
    now: datetime,
) -> CommitmentStanding:
    """Say whether a delivery is ahead or behind.

    A version that is in force for a part of the period owes the part of the target that falls on
    its days, by their weight, rounded to a whole lead, point or minor unit.
    """
    is_money = commitment.measure is Measure.MONEY
    scale = Decimal(1).scaleb(-minor_digits(sla.currency)) if is_money else Decimal(1)
    totals = _Totals.of(days)
    owed = _owed(sla, commitment, hours, moment)
    reading = pace(
        target=owed * scale,
        attained=(totals.delivered - totals.clawed_back) * scale,
        period=moment.period,
        on=moment.on,
        share_of_day=moment.share_of_day,
        hours=hours,
        weekday_weights=commitment.weekday_weights,
        bands=Bands(ahead=sla.ahead_band, at_risk=sla.at_risk_band),
        unit=(totals.average or _average_worth(commitment)) * scale,
    )
    share, floor = totals.accepted_share, commitment.quality_floor
    kept = None if share is None or floor is None else share >= floor
    return CommitmentStanding(
        commitment=commitment,
        status=with_quality(reading.pace, kept=kept, is_over=moment.is_over),
        unit=Unit(commitment.measure.value),
        currency=sla.currency if is_money else None,
        target=reading.target,
        attained=reading.attained,
        expected=reading.expected,
        gap=reading.gap,
        attainment=_attainment(reading),
        projected=reading.projected,
        needed_per_working_day=reading.needed_per_day,
        remaining_working_days=reading.remaining_days,
        probability=reading.probability,
        p10=reading.total_p10,
        p90=reading.total_p90,
        handed_off=totals.handed_off,
        accepted=totals.accepted,
        rejected=totals.rejected,
        accepted_share=_rounded_share(share),
        quality_floor=floor,
        quality_kept=kept,
        series=_series(commitment, days, reading.target, scale, hours, moment),
        explain=_explained(sla, commitment, totals, reading, scale, now),
    )


def _owed(sla: Sla, commitment: Commitment, hours: WorkingHours, moment: Moment) -> Decimal:
    target = Decimal(commitment.target or 0)
    if moment.period == sla.period:
        return target
    weighted = weights(sla.period, hours, commitment.weekday_weights)
    whole = sum((weight for _, weight in weighted), Decimal(0))
    part = sum((weight for day, weight in weighted if day in moment.period), Decimal(0))
    return (target * part / whole).quantize(Decimal(1), ROUND_HALF_UP)


def _average_worth(commitment: Commitment) -> Decimal:
    """Return what a hand-off counts on average as far as anybody can say before the first one."""
    worths = [rule.units for rule in commitment.values if rule.units > 0]
    return Decimal(sum(worths)) / len(worths) if worths else Decimal(1)


def _attainment(reading: PaceReading) -> Decimal | None:
    if not reading.expected:
        return None
    return (reading.attained / reading.expected).quantize(BASIS_POINT, ROUND_HALF_UP)


def _rounded_share(share: Decimal | None) -> Decimal | None:
    return None if share is None else share.quantize(BASIS_POINT, ROUND_HALF_UP)


def _series(
    commitment: Commitment,
    days: Sequence[DayCounts],
    target: Decimal,
    scale: Decimal,
    hours: WorkingHours,
    moment: Moment,
) -> tuple[SeriesDay, ...]:
    net: Mapping[date, int] = {d.tally.on: d.tally.delivered - d.tally.clawed_back for d in days}
    weighted = weights(moment.period, hours, commitment.weekday_weights)
    whole = sum((weight for _, weight in weighted), Decimal(0))
    line, passed, total = [], Decimal(0), 0
    for day, weight in weighted:
        passed += weight
        total += net.get(day, 0)
        expected = (target * passed / whole).quantize(_CENT, ROUND_HALF_UP)
        line.append(SeriesDay(day, total * scale if day <= moment.on else None, expected))
    return tuple(line)


def _explained(
    sla: Sla,
    commitment: Commitment,
    totals: _Totals,
    reading: PaceReading,
    scale: Decimal,
    now: datetime,
) -> Explanation:
    floor = commitment.quality_floor
    inputs = {
        "target for the whole period": (commitment.target or 0) * scale,
        "target": reading.target,
        "delivered": totals.delivered * scale,
        "clawed back": totals.clawed_back * scale,
        "elapsed weight": reading.elapsed_weight,
        "total weight": reading.total_weight,
        "handed off": totals.handed_off,
        "accepted": totals.accepted,
        "rejected": totals.rejected,
        "quality floor": "none" if floor is None else floor,
        "ahead from": 1 + sla.ahead_band,
        "at risk from": sla.at_risk_band,
    }
    return Explanation(
        formula=_FORMULA,
        inputs=tuple(ExplainedInput(name, str(value)) for name, value in inputs.items()),
        as_of=now,
    )
