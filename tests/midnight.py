"""What is told of a day changes at midnight, and a test that asks twice must not ask around it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

_ENOUGH = timedelta(minutes=2)


async def enough_of_today() -> datetime:
    """Return the time, on a day that goes on for a while: tomorrow, if today is nearly over."""
    now = datetime.now(UTC)
    if (now + _ENOUGH).date() == now.date():
        return now
    midnight = (now + _ENOUGH).replace(hour=0, minute=0, second=0, microsecond=0)
    await asyncio.sleep((midnight - now).total_seconds() + 0.1)
    return datetime.now(UTC)
