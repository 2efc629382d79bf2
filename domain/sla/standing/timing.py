"""When a status is read: how far the period has come, and when to look again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from domain.sla.agreement import Sla
from domain.sla.calendar import WorkingHours, always_open
from domain.sla.pacing import day_share
from domain.values import Period

_TICK = timedelta(microseconds=1)
_A_DAY = timedelta(days=1)

# While people are at work the expected figure moves all the time.  Once a minute is enough.
_WHILE_OPEN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Moment:
    """A place in a period as pacing takes it: the last day that counts, and how much of it.

    `share_of_day` is None once the day is over.
    """

    period: Period
    on: date
    share_of_day: Decimal | None

    @property
    def is_over(self) -> bool:
        last = self.period.end - _A_DAY
        return self.on > last or (self.on == last and self.share_of_day is None)

    @property
    def has_begun(self) -> bool:
        return self.on >= self.period.first


def moment_of(period: Period, hours: WorkingHours, zone: str, now: datetime) -> Moment:
    """Return how far a period of local days has come."""
    wall = always_open(zone)
    today = wall.local_day(now)
    if today < period.first:
        return before(period)
    if today >= period.end:
        return Moment(period, period.end - _A_DAY, None)
    return Moment(period, today, day_share(hours, now, zone=zone))


def before(period: Period) -> Moment:
    """Return the moment before a period, at which nothing of it has begun."""
    return Moment(period, period.first - _A_DAY, None)


def force_window(sla: Sla) -> Period | None:
    """Return the local days on which an agreement is in force; None if it never is.

    A version that takes over in the middle of a day shares that day with the one before: what was
    handed off in the morning counts for the old one and in the afternoon for the new one, and the
    day is expected of both.
    """
    until = sla.ends_at if sla.ceased_at is None else min(sla.ends_at, sla.ceased_at)
    since = max(sla.effective_at, sla.starts_at)
    if sla.signed_at is None or until <= since:
        return None
    wall = always_open(sla.time_zone)
    return Period(wall.local_day(since), wall.local_day(until - _TICK) + _A_DAY)


def agreement_moment(sla: Sla, hours: WorkingHours, now: datetime) -> Moment:
    """Return how far an agreement has come.  One that is not in force yet has not begun."""
    window = force_window(sla)
    if window is None:
        return before(sla.period)
    if now < sla.effective_at:
        return before(window)
    if sla.ceased_at is not None and sla.ceased_at <= now:
        return Moment(window, window.end - _A_DAY, None)
    return moment_of(window, hours, sla.time_zone, now)


def next_look(
    moment: Moment,
    *,
    hours: WorkingHours,
    zone: str,
    now: datetime,
    thresholds: Iterable[datetime | None] = (),
) -> datetime | None:
    """Return when to look again if nothing happens.

    The first of: a threshold (a clock that comes to be due soon, or late; another version that
    comes into force), a minute from now while people are at work, the next opening, the next local
    day.  Once the period is over only the thresholds are left.
    """
    coming = [at for at in thresholds if at is not None and at > now]
    wall = always_open(zone)
    if not moment.has_begun:
        coming.append(max(wall.day_starts_at(moment.period.first), now + _WHILE_OPEN))
    elif not moment.is_over:
        coming.append(wall.day_starts_at(moment.on + _A_DAY))
        coming.append(now + _WHILE_OPEN if hours.is_open(now) else hours.opens_next(now))
    return min(coming, default=None)
