"""How sales' promises stand: each that a share of something is done in time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from domain.sla.agreement import Commitment, CommitmentKind, Sla
from domain.sla.pacing import Bands, share
from domain.sla.standing.counts import DayCounts
from domain.sla.standing.figures import (
    CommitmentStanding,
    ExplainedInput,
    Explanation,
    SeriesDay,
    Unit,
)
from domain.sla.standing.timing import Moment
from domain.sla.standing.verdicts import BASIS_POINT, scaled_share

_FORMULA = (
    "met share = met / (met + breached); breached = closed late + open and past due; the excused"
    " (waived, cancelled, transferred) count as neither; "
    "target = the share as signed{link}; "
    "probability: that the true share is at least the target (Beta, Jeffreys' prior)."
)
_LINK = ", times what the linked commitment has attained of what was expected so far (at most 1)"


@dataclass(frozen=True, slots=True)
class Kept:
    """How many were opened on some day, and what became of them."""

    opened: int = 0
    met: int = 0
    late: int = 0
    excused: int = 0
    due_soon: int = 0

    def __add__(self, other: Kept) -> Kept:
        return Kept(
            self.opened + other.opened,
            self.met + other.met,
            self.late + other.late,
            self.excused + other.excused,
            self.due_soon + other.due_soon,
        )

    @property
    def decided(self) -> int:
        return self.met + self.late

    @property
    def undecided(self) -> int:
        return max(self.opened - self.decided - self.excused, 0)


def of_clocks(day: DayCounts) -> Kept:
    """Return what became of the clocks that started on a day."""
    tally = day.tally
    return Kept(
        opened=tally.opened,
        met=tally.met,
        late=tally.met_late + day.late,
        excused=tally.excused,
        due_soon=day.due_soon,
    )


def of_handoffs(unswept: Mapping[date, int]) -> Callable[[DayCounts], Kept]:
    """Return how a coverage commitment counts: by hand-offs, with one late clock late.

    `unswept` are hand-offs that are late by now though nobody has noticed.
    """

    def kept(day: DayCounts) -> Kept:
        tally = day.tally
        late = tally.breached + unswept.get(tally.on, 0)
        return Kept(opened=tally.opened, met=tally.met, late=late)

    return kept


def share_standing(
    sla: Sla,
    commitment: Commitment,
    days: Sequence[DayCounts],
    *,
    kept_on: Callable[[DayCounts], Kept],
    moment: Moment,
    now: datetime,
    linked: Decimal | None = None,
) -> CommitmentStanding:
    """Say whether enough was done in time.  `linked` is what the linked commitment attained."""
    signed = Decimal(1) if commitment.target_share is None else commitment.target_share
    owed = scaled_share(signed, linked)
    by_day = {day.tally.on: kept_on(day) for day in days}
    total = sum(by_day.values(), Kept())
    reading = share(
        met=total.met,
        decided=total.decided,
        undecided=total.undecided,
        target_share=owed,
        period=moment.period,
        on=moment.on,
        share_of_day=moment.share_of_day,
        bands=Bands(ahead=sla.ahead_band, at_risk=sla.at_risk_band),
    )
    is_coverage = commitment.kind is CommitmentKind.COVERAGE
    met = reading.met_share
    return CommitmentStanding(
        commitment=commitment,
        status=reading.pace,
        unit=Unit.SHARE,
        currency=None,
        target=owed,
        attained=met,
        expected=owed,
        gap=None if met is None else met - owed,
        attainment=_attainment(total, owed),
        probability=reading.probability,
        p10=reading.low,
        p90=reading.high,
        opened=total.opened,
        open=total.undecided if is_coverage else sum(day.open for day in days),
        due_soon=None if is_coverage else total.due_soon,
        breached=total.late,
        met=total.met,
        excused=None if is_coverage else total.excused,
        met_share=met,
        target_share=owed,
        next_at=min((day.next_at for day in days if day.next_at), default=None),
        series=_series(by_day, owed, moment),
        explain=_explained(
            sla, commitment, total, signed=signed, owed=owed, linked=linked, now=now
        ),
    )


def _attainment(total: Kept, owed: Decimal) -> Decimal | None:
    if not total.decided or not owed:
        return None
    met = Decimal(total.met) / total.decided
    return (met / owed).quantize(BASIS_POINT, ROUND_HALF_UP)


def _series(by_day: Mapping[date, Kept], owed: Decimal, moment: Moment) -> tuple[SeriesDay, ...]:
    line, total = [], Kept()
    for day in moment.period:
        total += by_day.get(day, Kept())
        met = None
        if total.decided and day <= moment.on:
            met = (Decimal(total.met) / total.decided).quantize(BASIS_POINT, ROUND_HALF_UP)
        line.append(SeriesDay(day, met, owed))
    return tuple(line)


def _explained(
    sla: Sla,
    commitment: Commitment,
    total: Kept,
    *,
    signed: Decimal,
    owed: Decimal,
    linked: Decimal | None,
    now: datetime,
) -> Explanation:
    inputs: dict[str, object] = {
        "opened": total.opened,
        "met": total.met,
        "breached": total.late,
        "excused": total.excused,
        "undecided": total.undecided,
        "target share as signed": signed,
        "target share": owed,
        "ahead from": 1 + sla.ahead_band,
        "at risk from": sla.at_risk_band,
    }
    if commitment.linked_to is not None:
        inputs["attainment of the linked commitment"] = "none yet" if linked is None else linked
    return Explanation(
        formula=_FORMULA.format(link="" if commitment.linked_to is None else _LINK),
        inputs=tuple(ExplainedInput(name, str(value)) for name, value in inputs.items()),
        as_of=now,
    )
