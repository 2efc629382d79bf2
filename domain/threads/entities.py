"""Threads, their messages and mentions, and the rules they follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from domain.errors import DomainError
from domain.filters import FieldType, FilterField, FilterFields
from domain.paging import Narrowing
from domain.stages import Side

LONGEST_MESSAGE = 10_000
# How long the other side has for an answer, in its own working time, if the question says nothing.
USUAL_ANSWER = timedelta(hours=8)
LONGEST_ANSWER = timedelta(days=366)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a thread is about: exactly one thing."""

    lead_id: UUID | None = None
    handoff_id: UUID | None = None
    campaign_id: UUID | None = None
    asset_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A talk about one thing.

    `awaiting` is the side that owes an answer, since the message `ask_id`, until `due_at`; all
    three or none.
    """

    id: UUID
    started_at: datetime
    last_message_at: datetime
    started_by: UUID
    lead_id: UUID | None = None
    handoff_id: UUID | None = None
    campaign_id: UUID | None = None
    asset_id: UUID | None = None
    awaiting: Side | None = None
    ask_id: UUID | None = None
    due_at: datetime | None = None
    version: int = 1

    def is_overdue(self, now: datetime) -> bool:
        """Say whether the answer is late.  Exactly on time is in time."""
        return self.due_at is not None and now > self.due_at

    def next_change(self, now: datetime) -> datetime | None:
        """Return when the answer begins to be late, if that is still to come."""
        if self.due_at is None or now > self.due_at:
            return None
        return self.due_at + _TICK


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadMessage:
    """One message.  It stays in its place: changed it says so, and retracted it is empty.

    One that `asks` a side had `due_at` for its answer, which came with `answered_by_id`.
    """

    id: UUID
    thread_id: UUID
    author_id: UUID
    text: str
    sent_at: datetime
    asks: Side | None = None
    due_at: datetime | None = None
    answered_by_id: UUID | None = None
    edited_at: datetime | None = None
    retracted_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """That a message calls a user, by name or as somebody of a team.

    `letter_at` is when a letter tells them, if one is to.
    """

    id: UUID
    thread_id: UUID
    message_id: UUID
    user_id: UUID
    called_at: datetime
    team_id: UUID | None = None
    letter_at: datetime | None = None
    read_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadsThat(Narrowing):
    """Only threads that wait for a side, or whose answer is (or is not) late."""

    awaiting: Side | None = None
    overdue: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionsFor(Narrowing):
    """Only a user's mentions, and of those only the unread (or the read) ones."""

    user_id: UUID
    unread: bool | None = None


class NotYourMessage(DomainError):
    """Only who wrote a message changes it or takes it back."""

    code = "NOT_YOUR_MESSAGE"

    def __init__(self) -> None:
        super().__init__("Somebody else wrote this message.", path=("message",))


class MessageRetracted(DomainError):
    """A message that was taken back is not changed any more."""

    code = "MESSAGE_RETRACTED"

    def __init__(self) -> None:
        super().__init__("This message was taken back.", path=("message",))


class AnswerPending(DomainError):
    """A thread waits for one side at a time."""

    code = "ANSWER_PENDING"

    def __init__(self, side: Side) -> None:
        super().__init__(
            f"This thread waits for {side.lower()}'s answer; ask when that has come.",
            path=("asks",),
        )


def changed(message: ThreadMessage, text: str, *, by: UUID, at: datetime) -> ThreadMessage:
    """Return a message with another text."""
    _check_may_change(message, by)
    return replace(message, text=text, edited_at=at)


def retracted(message: ThreadMessage, *, by: UUID, at: datetime) -> ThreadMessage:
    """Return a message without its text."""
    _check_may_change(message, by)
    return replace(message, text="", retracted_at=at)


def _check_may_change(message: ThreadMessage, by: UUID) -> None:
    if message.author_id != by:
        raise NotYourMessage
    if message.retracted_at is not None:
        raise MessageRetracted


def waiting_for(thread: Thread, questions: Iterable[ThreadMessage]) -> Thread:
    """Return a thread as the questions that nobody has answered leave it.

    It waits for one side at a time: for the one it waited for, as long as that owes anything.  Its
    answer is due when the first of these questions is.
    """
    waiting = [each for each in questions if each.asks is not None]
    same = [each for each in waiting if each.asks is thread.awaiting]
    first = min(same or waiting, key=_by_due, default=None)
    if first is None:
        return replace(thread, awaiting=None, ask_id=None, due_at=None)
    return replace(thread, awaiting=first.asks, ask_id=first.id, due_at=first.due_at)


def _by_due(question: ThreadMessage) -> tuple[datetime, UUID]:
    return question.due_at or question.sent_at, question.id


# How each thing a thread is about is called.
SUBJECTS: Mapping[str, str] = MappingProxyType(
    {
        "lead_id": "Lead",
        "handoff_id": "Handoff",
        "campaign_id": "Campaign",
        "asset_id": "ContentAsset",
    }
)


def _points_at(name: str, attribute: str, kind: str, description: str) -> FilterField:
    return FilterField(
        name=name, attribute=attribute, type=FieldType.ID, kind=kind, description=description
    )


def _instant(name: str, attribute: str, description: str) -> FilterField:
    return FilterField(
        name=name, attribute=attribute, type=FieldType.INSTANT, description=description
    )


THREAD_FIELDS = FilterFields(
    "thread",
    (
        _points_at("leadId", "lead_id", "Lead", "The lead it is about."),
        _points_at("handoffId", "handoff_id", "Handoff", "The hand-off it is about."),
        _points_at("campaignId", "campaign_id", "Campaign", "The campaign it is about."),
        _points_at("assetId", "asset_id", "ContentAsset", "The content asset it is about."),
        _points_at("startedBy", "started_by", "User", "Who began it."),
        _instant("startedAt", "started_at", "When it began."),
        _instant("lastMessageAt", "last_message_at", "When something was said last."),
        _instant("dueAt", "due_at", "By when an answer is owed; missing where none is."),
    ),
)
