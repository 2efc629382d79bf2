"""A clock's course: when it ran, when it was held, and when it gets where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.sla.calendar import WorkingHours
from domain.sla.clock.facts import ClockFact, FactKind

# The resolution of stored instants: "after the due instant" begins one tick later.
_TICK = timedelta(microseconds=1)
_NOTHING = timedelta(0)


class Pause(NamedTuple):
    """A time in which the clock is held.  One without `ends` goes on."""

    starts: datetime
    ends: datetime | None


class Span(NamedTuple):
    """A time between pauses, and the time on the clock before and during it.

    One without `ends` goes on; what it will hold is not known.
    """

    starts: datetime
    ends: datetime | None
    before: timedelta
    during: timedelta


class Threshold(NamedTuple):
    """Where an amount of time on the clock is reached.

    `comes` is whether the clock gets there by itself; if not, a pause holds it, and `at` supposes
    that the pause ends at once.
    """

    at: datetime
    comes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A clock's course up to `until`, the instant it was closed or else now."""

    hours: WorkingHours
    pauses: tuple[Pause, ...]
    spans: tuple[Span, ...]
    elapsed: timedelta
    now: datetime
    ended_at: datetime | None

    @property
    def until(self) -> datetime:
        return self.now if self.ended_at is None else self.ended_at

    def threshold(self, amount: timedelta) -> Threshold:
        for span in self.spans:
            left = amount - span.before
            if span.ends is None:
                return Threshold(self.hours.add(span.starts, left), comes=True)
            if left > span.during:
                continue
            at = self.hours.add(span.starts, left)
            # A pause that begins at this instant holds the clock, unless it was standing at
            # closing time anyway: then a pause over night must shift nothing.
            if at < span.ends or (at == span.ends and not self.hours.is_open(at)):
                return Threshold(at, comes=True)
        return Threshold(self.hours.add(self.until, amount - self.elapsed), comes=False)

    def reached(self, threshold: Threshold) -> bool:
        if self.ended_at is None:
            return threshold.comes and threshold.at <= self.now
        return threshold.comes and threshold.at < self.ended_at

    def next_of(self, thresholds: Iterable[Threshold], due: Threshold) -> datetime | None:
        """Return the first instant after now at which the reading changes by itself."""
        if self.ended_at is not None:
            return None
        coming = [threshold.at for threshold in thresholds if threshold.comes]
        if due.comes:
            coming.append(due.at + _TICK)
        coming.append(self.spans[0].starts)
        return min((at for at in coming if at > self.now), default=None)


def course(
    known: Sequence[ClockFact],
    *,
    started_at: datetime,
    hours: WorkingHours,
    now: datetime,
    ended_at: datetime | None,
) -> Course:
    """Lay out a clock's course from the facts known, in order."""
    until = now if ended_at is None else ended_at
    pauses = tuple(_pauses(fact for fact in known if ended_at is None or fact.at < ended_at))
    starting = (started_at, *(pause.ends for pause in pauses if pause.ends is not None))
    ending = (*(pause.starts for pause in pauses), None)
    spans, elapsed = [], _NOTHING
    # A last pause that goes on leaves one ending too many: there is no span after it.
    for starts, ends in zip(starting, ending, strict=False):
        during = hours.between(starts, ends or max(starts, until))
        spans.append(Span(starts, ends, elapsed, during))
        elapsed += during
    return Course(
        hours=hours,
        pauses=pauses,
        spans=tuple(spans),
        elapsed=elapsed,
        now=now,
        ended_at=ended_at,
    )


def _pauses(facts: Iterable[ClockFact]) -> Iterator[Pause]:
    """Unite the pauses: the clock goes on when every pause has ended.

    A resumption with nothing to resume is ignored.
    """
    starts, depth = None, 0
    for fact in facts:
        if fact.kind is FactKind.PAUSED:
            starts, depth = starts or fact.at, depth + 1
        elif fact.kind is FactKind.RESUMED and starts is not None:
            depth -= 1
            if depth == 0:
                yield Pause(starts, fact.at)
                starts = None
    if starts is not None:
        yield Pause(starts, None)
