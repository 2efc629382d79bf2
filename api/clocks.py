"""Clocks: what sales owes each hand-off, as it stands this instant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import strawberry

from api.context import Info
from api.errors import mutation, query
from api.filtering import collection, enum, filter_input, order_input
from api.views import related, shown, view
from domain import ids
from domain.handoff import Handoff
from domain.identity import Permission, Team, User
from domain.leads import Lead
from domain.paging import Order
from domain.sla import keeping
from domain.sla.agreement import Commitment, Sla
from domain.sla.clock import ClockReading, ClockState, EscalationAction, Transition
from domain.sla.clocks import CLOCK_FIELDS, SlaClock

enum(
    ClockState,
    "How a clock stands.",
    SCHEDULED="It starts at the next opening.",
    RUNNING="It runs.",
    PAUSED="It was paused.",
    WARNING="It runs and is due soon.",
    BREACHED="It is past due and still open.",
    MET="The promise was kept in time.",
    MET_LATE="What was promised was done, but late.",
    WAIVED="It was excused, for a reason.",
    CANCELLED="It ended without anybody keeping or breaking it.",
    TRANSFERRED="Another clock took over when the hand-off went to somebody else.",
)
enum(
    EscalationAction,
    "What a step of the escalation ladder does.",
    NOTIFY="Tells the owner.",
    NOTIFY_MANAGER="Tells the team's managers.",
    SET_STATUS="Marks the clock as escalated.",
    REASSIGN="Gives the hand-off to the next in turn.",
    OUT_OF_ROTATION="Routes nothing more to the owner until made available again.",
)


@strawberry.type(name="ClockTransition", description="A change of a clock's state.")
class TransitionView:
    state: ClockState = shown("The state it entered.")
    at: datetime = shown("When, by the rules, however late it was noticed.")

    @classmethod
    def is_type_of(cls, value: object, info: object) -> bool:
        return isinstance(value, Transition)


async def _readings(work: Any, clocks: Sequence[SlaClock]) -> list[ClockReading]:
    terms = await keeping.terms_of(work, clocks)
    return [keeping.judged(c, terms[c.judged_by], work.now)[1] for c in clocks]


async def _reading(clock: SlaClock, info: Info) -> ClockReading:
    """Read a clock afresh, all of an operation's clocks together: a dead worker cannot lie."""
    reading: ClockReading = await info.context.load_with("clock readings", _readings, clock)
    return reading


@view(SlaClock, name="Clock", description="A running promise about one hand-off.")
class ClockView:
    started_at: datetime = shown("When the promise began.")
    due_at: datetime = shown("By when it is to be kept; the instant itself is in time.")
    warn_at: datetime | None = shown("When it begins to be due soon.")
    ended_at: datetime | None = shown("When it ended; null while it is open.")
    reason: str | None = shown("Why it was excused, cancelled, paused or transferred.")
    escalated: int = shown("How many steps of the escalation ladder it has reached.")
    lead = related("api.leads.LeadView", Lead, by="lead_id", description="The lead.")
    handoff = related(
        "api.handoff.HandoffView", Handoff, by="handoff_id", description="The hand-off."
    )
    sla = related("api.sla.SlaView", Sla, by="sla_id", description="The agreement.")
    commitment = related(
        "api.sla.CommitmentView", Commitment, by="commitment_id", description="The promise."
    )
    team = related("api.identity.TeamView", Team, by="team_id", description="Who owes it.")
    user = related(
        "api.identity.UserView", User, by="user_id", description="Who works the lead, if anybody."
    )
    parent = related(
        "api.clocks.ClockView",
        SlaClock,
        by="parent_id",
        description="The clock this one took over from.",
    )

    @strawberry.field(description="How it stands this instant, read afresh.")
    async def state(clock: strawberry.Parent[Any], info: Info) -> ClockState:
        return (await _reading(clock, info)).state

    @strawberry.field(description="How it came to that, in order.")
    async def transitions(clock: strawberry.Parent[Any], info: Info) -> list[TransitionView]:
        return list((await _reading(clock, info)).transitions)  # type: ignore[arg-type]  # views are not made

    @strawberry.field(description="Time left on the clock, in hours that count.")
    async def remaining(clock: strawberry.Parent[Any], info: Info) -> timedelta:
        return (await _reading(clock, info)).remaining

    @strawberry.field(description="Time past due, in hours that count.")
    async def overdue(clock: strawberry.Parent[Any], info: Info) -> timedelta:
        return (await _reading(clock, info)).overdue

    @strawberry.field(description="Human touches counted so far.")
    async def attempts(clock: strawberry.Parent[Any], info: Info) -> int:
        return (await _reading(clock, info)).attempts


ClockFilter = filter_input(CLOCK_FIELDS)
ClockOrder = order_input("Clock", {"DUE_AT": "due_at"}, "How clocks are ordered")


@strawberry.type
class Queries:
    clocks = collection(
        ClockView,
        SlaClock,
        description="Clocks, what is due first in front; open ones with `endedAt: {isNull: true}`.",
        default=(Order("due_at"),),
        fields=CLOCK_FIELDS,
        filter=ClockFilter,
        order=ClockOrder,
    )("clocks")

    @query("One clock, or null if there is none of that id.", shows=ClockView | None)
    async def clock(self, info: Info, id: strawberry.ID) -> Any:
        return await info.context.load(SlaClock, ids.expect("SlaClock", id, path=("id",)))


@strawberry.input(description="Which clock is excused, and why.")
class ClockWaiveInput:
    clock: strawberry.ID = shown("The clock; it must be open.")
    reason: str = shown("Why; it stays on record.")


@strawberry.input(description="Which clock is stopped, and why.")
class ClockPauseInput:
    clock: strawberry.ID = shown("The clock; it must be open.")
    reason: str = shown("Why; it stays on record.")


@strawberry.input(description="Which clock goes on.")
class ClockResumeInput:
    clock: strawberry.ID = shown("The clock; it must be paused.")


@strawberry.type
class Mutations:
    @mutation(
        ClockView,
        "Excuse an open clock: it counts as neither kept nor broken.",
        needs=Permission.WAIVE_CLOCKS,
    )
    async def clock_waive(self, info: Info, input: ClockWaiveInput) -> SlaClock:
        async with info.context.writing() as work:
            clock_id = ids.expect("SlaClock", input.clock, path=("clock",))
            return await keeping.waive_clock(
                work, info.context.actor, clock_id, reason=input.reason
            )

    @mutation(ClockView, "Stop an open clock until it is resumed.", needs=Permission.WAIVE_CLOCKS)
    async def clock_pause(self, info: Info, input: ClockPauseInput) -> SlaClock:
        async with info.context.writing() as work:
            clock_id = ids.expect("SlaClock", input.clock, path=("clock",))
            return await keeping.pause_clock(
                work, info.context.actor, clock_id, reason=input.reason
            )

    @mutation(ClockView, "Let a paused clock go on.", needs=Permission.WAIVE_CLOCKS)
    async def clock_resume(self, info: Info, input: ClockResumeInput) -> SlaClock:
        async with info.context.writing() as work:
            clock_id = ids.expect("SlaClock", input.clock, path=("clock",))
            return await keeping.resume_clock(work, info.context.actor, clock_id)
