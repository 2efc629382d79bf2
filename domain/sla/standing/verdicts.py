"""What follows for a side from its commitments, and for the two of them together."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from domain.sla.pacing import Pace
from domain.sla.standing.figures import CommitmentStanding

BASIS_POINT = Decimal("0.0001")
_ONE = Decimal(1)

_FROM_WORST = (
    Pace.MISSED,
    Pace.BEHIND,
    Pace.AT_RISK,
    Pace.NOT_STARTED,
    Pace.ON_TRACK,
    Pace.AHEAD,
    Pace.MET,
)
_GOOD = frozenset({Pace.AHEAD, Pace.ON_TRACK, Pace.MET})


def worst(paces: Iterable[Pace]) -> Pace:
    """Return the worst of some paces: a side is as good as its weakest promise, and MET by all."""
    return min(paces, key=_FROM_WORST.index, default=Pace.NOT_STARTED)


def with_quality(pace: Pace, *, kept: bool | None, is_over: bool) -> Pace:
    """Return a delivery's pace with its quality floor taken into account.

    Plenty of leads that sales does not want are no delivery: with a broken floor nothing is better
    than AT_RISK, and when the period is over the promise is MISSED.
    """
    if kept is not False or pace not in _GOOD:
        return pace
    return Pace.MISSED if is_over else Pace.AT_RISK


def scaled_share(share: Decimal, attainment: Decimal | None) -> Decimal:
    """Return the share owed by a commitment that is linked to another one.

    It is the share as signed times what the other commitment has attained of what could be expected
    so far, counted at most once: where marketing delivers four fifths, sales owes four fifths of
    its coverage; where it delivers more, sales owes what it signed and not more than that.  Nothing
    expected yet changes nothing.
    """
    if attainment is None:
        return share
    return (share * min(_ONE, attainment)).quantize(BASIS_POINT, ROUND_HALF_UP)


def alignment_index(standings: Iterable[CommitmentStanding]) -> Decimal | None:
    """Return the geometric mean of what the commitments attained, from 0 to 1.

    Each commitment counts with attained by expected to date, a quality floor with the share
    accepted by the floor, none with more than 1; so one failing side cannot be hidden behind
    another's zeal.  What is not decided yet is left out; None if nothing is.
    """
    parts: list[Decimal] = []
    for standing in standings:
        if standing.attainment is not None:
            parts.append(min(_ONE, standing.attainment))
        if standing.quality_floor and standing.accepted_share is not None:
            parts.append(min(_ONE, standing.accepted_share / standing.quality_floor))
    if not parts:
        return None
    product = _ONE
    for part in parts:
        product *= part
    mean = product ** (_ONE / len(parts)) if product else Decimal(0)
    return mean.quantize(BASIS_POINT, ROUND_HALF_UP)
