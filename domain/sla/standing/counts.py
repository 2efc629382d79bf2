"""The counts a status is made from, day by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from domain.ports import Question
from domain.sla.clocks import SlaTally


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCounts:
    """What one commitment counted on one local day, and its clocks of that day still open.

    `late` are open and past due, whether anybody has noticed or not; `unswept` those of them that
    are not recorded as breached yet.  `next_at` is when one of these counts changes by itself.
    """

    tally: SlaTally
    open: int = 0
    late: int = 0
    due_soon: int = 0
    unswept: int = 0
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CountsOf(Question[Sequence[DayCounts]]):
    """The counts of some commitments as they stand at an instant, by commitment and day."""

    commitment_ids: tuple[UUID, ...]
    time_zone: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsweptHandoffs(Question[Mapping[date, int]]):
    """How many hand-offs have a late clock that nobody has noticed, and no other late one.

    By the local day the hand-off's first clock started, so that they can be added to what a
    coverage commitment has counted as breached.
    """

    commitment_ids: tuple[UUID, ...]
    time_zone: str
    at: datetime
