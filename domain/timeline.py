"""A person's story in one list: what they did, what was done about them, and how far they came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from domain.handoff import Handoff
from domain.leads import Activity
from domain.lifecycle import StageEntry
from domain.paging import PageRequest
from domain.ports import Question
from domain.touches import Touch

TimelineEntry: TypeAlias = Touch | Activity | StageEntry | Handoff

# What a timeline is made of, and the field of each that says when it was.
SOURCES: Mapping[type[TimelineEntry], str] = {
    Touch: "occurred_at",
    Activity: "occurred_at",
    StageEntry: "entered_at",
    Handoff: "handed_off_at",
}


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
