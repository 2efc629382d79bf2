"""Instants as whole microseconds since 1970, which add up exactly and sort quickly."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
SECOND, MINUTE, DAY = 1_000_000, 60_000_000, 86_400_000_000

_EPOCH_DAY = EPOCH.toordinal()


def ticks_of(at: datetime) -> int:
    return (at - EPOCH) // TICK


def instant_of(ticks: int) -> datetime:
    return EPOCH + ticks * TICK


def midnight(day: date) -> int:
    """Return the start of a day in UTC."""
    return (day.toordinal() - _EPOCH_DAY) * DAY
