"""The tenant's event log: everything that happened, in one order without gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.events import ClockTransitioned
from domain.identity import Actor, Permission
from domain.paging import BadPage, read_cursor, write_cursor
from domain.ports import Question, Work
from domain.sla.clock import ClockState

PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    """An event with its number, which is a safe cursor: a later reader sees no gap below it."""

    number: int
    id: UUID
    kind: str
    at: datetime
    recorded_at: datetime
    payload: Mapping[str, Any]
    by: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastNumber(Question[int]):
    """The number of the newest event in the log; 0 where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsAfter(Question[Sequence[LoggedEvent]]):
    """The next events of one kind, in their order."""

    kind: str
    after: int
    limit: int = PAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockTransitionEvent:
    """A change of a clock's state, as it stands in the log."""

    number: int
    at: datetime
    recorded_at: datetime
    clock_id: UUID
    sla_id: UUID
    commitment_id: UUID
    handoff_id: UUID
    lead_id: UUID
    state: ClockState
    user_id: UUID | None = None
    reason: str | None = None
    by: UUID | None = None

    @property
    def cursor(self) -> str:
        """Where it stands in the log; who goes on from here misses nothing."""
        return cursor_at(self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockTransitionFilter:
    """Which changes somebody wants to hear of: all that fit everything that is set."""

    sla_id: UUID | None = None
    commitment_id: UUID | None = None
    user_id: UUID | None = None
    states: frozenset[ClockState] = field(default_factory=frozenset)

    def fits(self, event: ClockTransitionEvent) -> bool:
        """Say whether a change is wanted."""
        pairs = (
            (self.sla_id, event.sla_id),
            (self.commitment_id, event.commitment_id),
            (self.user_id, event.user_id),
        )
        named = all(wanted is None or wanted == found for wanted, found in pairs)
        return named and (not self.states or event.state in self.states)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the log, read to the end of `until`, and what was wanted of it."""

    events: Sequence[ClockTransitionEvent]
    until: int
    is_last: bool


def cursor_at(number: int) -> str:
    """Return the cursor that stands behind the event of a number."""
    return write_cursor((number,))


def number_at(cursor: str, *, last: int) -> int:
    """Return the number of the event that a cursor stands behind.

    Raises:
        BadPage: if it is no cursor, or one of another log: to wait for a number that may never
            come, or comes again for something else, would be to miss events in silence.
    """
    values = read_cursor(cursor, "after")
    number = values[0] if len(values) == 1 else None
    if type(number) is not int or not 0 <= number <= last:
        raise BadPage("`after` is not a cursor of this log.", path=("after",))
    return number


def clock_transition(event: LoggedEvent) -> ClockTransitionEvent:
    """Return what a logged `ClockTransitioned` says."""
    told = event.payload

    def optional(name: str) -> UUID | None:
        return UUID(told[name]) if told.get(name) else None

    return ClockTransitionEvent(
        number=event.number,
        at=event.at,
        recorded_at=event.recorded_at,
        clock_id=UUID(told["clock_id"]),
        sla_id=UUID(told["sla_id"]),
        commitment_id=UUID(told["commitment_id"]),
        handoff_id=UUID(told["handoff_id"]),
        lead_id=UUID(told["lead_id"]),
        state=ClockState(told["state"]),
        user_id=optional("user_id"),
        reason=told.get("reason"),
        by=event.by,
    )


async def feed_start(work: Work, actor: Actor, after: str | None) -> int:
    """Return the number to read the log from: that of a cursor, or where the log ends now."""
    actor.require(Permission.VIEW)
    last = await work.ask(LastNumber())
    return last if after is None else number_at(after, last=last)


async def clock_transitions_after(
    work: Work, actor: Actor, number: int, wanted: ClockTransitionFilter
) -> Stretch:
    """Return the wanted changes of the next stretch of the log.

    It is read by kind and number alone and sifted here, so a filter that fits little costs no
    more than one that fits all, and the reader moves on even where nothing fits.
    """
    actor.require(Permission.VIEW)
    logged = await work.ask(EventsAfter(kind=ClockTransitioned.__name__, after=number))
    events = [clock_transition(event) for event in logged]
    return Stretch(
        [event for event in events if wanted.fits(event)],
        until=logged[-1].number if logged else number,
        is_last=len(logged) < PAGE,
    )
