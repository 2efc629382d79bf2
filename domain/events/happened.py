"""What every event has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened at an instant, which may lie before the one it was noticed at."""

    at: datetime
    by: UUID | None = None
