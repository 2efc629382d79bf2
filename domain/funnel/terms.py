"""What a funnel report is asked for, and the cohorts that follow from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from uuid import UUID

from domain.errors import Invalid
from domain.filters import Filter
from domain.funnel.questions import FunnelDimension, Segment
from domain.stages import Stage
from domain.values import Period

DEFAULT_STAGES = (
    Stage.LEAD,
    Stage.MQL,
    Stage.SAL,
    Stage.SQL,
    Stage.OPPORTUNITY,
    Stage.CUSTOMER,
)
MOST_GROUPS, MOST_SEGMENTS, MOST_ROWS = 50, 10, 100
_NEWEST_COHORTS = 12
_EARLIEST, _LATEST = date(1970, 1, 1), date(2100, 1, 1)
_LEAST_CONFIDENCE, _MOST_CONFIDENCE = Decimal("0.5"), Decimal("0.999")


class CohortSpan(StrEnum):
    """How long leads are gathered into one cohort, in the tenant's time zone."""

    WEEK = "WEEK"
    MONTH = "MONTH"
    QUARTER = "QUARTER"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelTerms:
    """What a report is about.

    `first_on` and `last_on` are the days on which leads were first seen, both included.  `most`
    groups are told apart, the others are put together.  By `calendar_id` working time is counted.
    """

    stages: tuple[Stage, ...] = DEFAULT_STAGES
    first_on: date | None = None
    last_on: date | None = None
    filter: Filter | None = None
    dimension: FunnelDimension | None = None
    segments: tuple[Segment, ...] = ()
    cohorts: CohortSpan | None = None
    most: int = 10
    confidence: Decimal = Decimal("0.95")
    calendar_id: UUID | None = None


def check(terms: FunnelTerms) -> None:
    """Refuse what no report can be made of.

    Raises:
        Invalid: if fewer than two stages are named or one twice, the days are the wrong way
            round, there are two ways to tell leads apart, or a number is out of range.
    """
    if len(set(terms.stages)) < max(2, len(terms.stages)):
        raise Invalid("Name at least two stages, each once.", path=("stages",))
    for name, day in (("firstOn", terms.first_on), ("lastOn", terms.last_on)):
        if day and not _EARLIEST <= day < _LATEST:
            raise Invalid("A day lies from 1970 to 2099.", path=(name,))
    if terms.first_on and terms.last_on and terms.last_on < terms.first_on:
        raise Invalid("The last day lies before the first.", path=("lastOn",))
    if terms.dimension and terms.segments:
        raise Invalid("Group by a dimension or by segments, not by both.", path=("segments",))
    if not 1 <= terms.most <= MOST_GROUPS:
        raise Invalid(f"This must be from 1 to {MOST_GROUPS}.", path=("most",))
    if not _LEAST_CONFIDENCE <= terms.confidence <= _MOST_CONFIDENCE:
        raise Invalid("A confidence lies between 0.5 and 0.999.", path=("confidence",))
    _check_segments(terms.segments)


def _check_segments(segments: tuple[Segment, ...]) -> None:
    if len(segments) > MOST_SEGMENTS:
        raise Invalid(f"At most {MOST_SEGMENTS} segments are compared.", path=("segments",))
    if len({segment.name for segment in segments}) < len(segments):
        raise Invalid("Two segments have the same name.", path=("segments",))


def cohorts_of(terms: FunnelTerms, *, today: date) -> tuple[Period, ...]:
    """Return the cohorts in order; none where all leads are taken together.

    The first and the last are cut to the days asked for.  Without a first day there are the
    twelve newest, or as many as there is room for.

    Raises:
        Invalid: if there are more rows than a report has room for.
    """
    if terms.cohorts is None:
        return ()
    last, room = terms.last_on or today, MOST_ROWS // _groups(terms)
    first = terms.first_on or _earlier(terms.cohorts, last, min(_NEWEST_COHORTS, room) - 1)
    if last < first:
        raise Invalid("This lies in the future: nobody was seen yet.", path=("firstOn",))
    starts = list(_starts(terms.cohorts, first, last, most=room + 1))
    if len(starts) > room:
        raise Invalid(
            f"These are more than {room} cohorts of this many groups: name fewer days or groups.",
            path=("cohorts",),
        )
    return tuple(Period(*each) for each in pairwise([*starts, last + timedelta(days=1)]))


def _groups(terms: FunnelTerms) -> int:
    """Return how many groups there can be at most, the others as one of them."""
    return terms.most + 1 if terms.dimension else max(1, len(terms.segments))


def _starts(span: CohortSpan, first: date, last: date, *, most: int) -> Iterator[date]:
    start = first
    for _ in range(most):
        if start > last:
            return
        yield start
        start = _next(span, _start_of(span, start))


def _start_of(span: CohortSpan, day: date) -> date:
    """Return the first day of the week (a Monday), month or quarter of a day."""
    match span:
        case CohortSpan.WEEK:
            return day - timedelta(days=day.weekday())
        case CohortSpan.MONTH:
            return day.replace(day=1)
        case CohortSpan.QUARTER:
            return day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1)


def _next(span: CohortSpan, start: date) -> date:
    days = {CohortSpan.WEEK: 7, CohortSpan.MONTH: 31, CohortSpan.QUARTER: 92}[span]
    return _start_of(span, start + timedelta(days=days))


def _earlier(span: CohortSpan, day: date, count: int) -> date:
    """Return the start of the span that lies so many spans before that of a day."""
    start = _start_of(span, day)
    for _ in range(count):
        start = _start_of(span, start - timedelta(days=1))
    return start
