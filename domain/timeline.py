"""A person's story in one list: what they did, what was done about them, and how far they came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.handoff import Handoff
from domain.leads import Activity
from domain.lifecycle import StageEntry
from domain.paging import PageRequest
from domain.ports import Question
from domain.touches import Touch


class TimelineKind(StrEnum):
    """What an entry of a timeline is."""

    TOUCH = "TOUCH"
    ACTIVITY = "ACTIVITY"
    STAGE = "STAGE"
    HANDOFF = "HANDOFF"


# What each kind of entry is an entry of, and the field that says when it was.
SOURCES: Mapping[TimelineKind, tuple[type, str]] = {
    TimelineKind.TOUCH: (Touch, "occurred_at"),
    TimelineKind.ACTIVITY: (Activity, "occurred_at"),
    TimelineKind.STAGE: (StageEntry, "entered_at"),
    TimelineKind.HANDOFF: (Handoff, "handed_off_at"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One thing that happened, `what` naming it by its id; what it was is read when asked for."""

    kind: TimelineKind
    at: datetime
    what: UUID

    def of(self, kind: TimelineKind) -> UUID | None:
        """Return the id of what happened, if it was of a kind."""
        return self.what if self.kind is kind else None

    @property
    def touch_id(self) -> UUID | None:
        return self.of(TimelineKind.TOUCH)

    @property
    def activity_id(self) -> UUID | None:
        return self.of(TimelineKind.ACTIVITY)

    @property
    def stage_entry_id(self) -> UUID | None:
        return self.of(TimelineKind.STAGE)

    @property
    def handoff_id(self) -> UUID | None:
        return self.of(TimelineKind.HANDOFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineLength(Question[int]):
    """How many entries a lead's timeline has."""

    lead_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelinePage:
    """Some entries of a lead's timeline, the latest first."""

    nodes: Sequence[TimelineEntry]
    cursors: Sequence[str]
    has_next_page: bool
    has_previous_page: bool
    counting: TimelineLength


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelinesOf(Question[Sequence[TimelinePage]]):
    """The same page of each of several leads' timelines."""

    lead_ids: tuple[UUID, ...]
    page: PageRequest
