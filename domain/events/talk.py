"""What the teams say to each other."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domain.events.happened import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadChanged(Event):
    """Something was said, changed or taken back in a thread."""

    thread_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class UserMentioned(Event):
    thread_id: UUID
    message_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionRead(Event):
    mention_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingGiven(Event):
    rating_id: UUID
    campaign_id: UUID | None
    handoff_id: UUID | None
