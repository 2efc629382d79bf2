"""The board on the wall: one agreement at a glance, without a single person's data.

What it shows are figures, names of teams, agreements, promises and goals, and where a lead came
from.  Whoever walks past the screen may read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.errors import PermissionDenied
from domain.exchange import MissingRate
from domain.goals.progress import GoalProgress, progress_of
from domain.goals.targets import Goal
from domain.identity import Actor, Board, Permission, Team, Tenant
from domain.ports import Question, Work, by_id
from domain.public_text import plain_source
from domain.sla.agreement import Sla, start_of_day
from domain.sla.calendar import always_open
from domain.sla.clock import ClockState
from domain.sla.pacing import Pace
from domain.sla.standing import CommitmentStanding, SlaStanding, standing_of
from domain.stages import Side
from domain.values import Money

MOST_COUNTDOWNS, MOST_BREACHES, MOST_GOALS = 12, 8, 6
# However much is overdue, most of the list is left to what can still be kept.
_MOST_OVERDUE = 4
_BREACHES_OF = timedelta(days=7)
_LOOK_AGAIN = timedelta(seconds=60)
# What is said of one lead in more signs than this may be its story.
_LONGEST_SOURCE = 60
_LATE = frozenset({ClockState.BREACHED, ClockState.MET_LATE})


class CountdownState(StrEnum):
    """Where an open promise stands."""

    RUNNING = "RUNNING"
    WARNING = "WARNING"
    BREACHED = "BREACHED"
    PAUSED = "PAUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardClock:
    """What a board may know of a clock, and of its lead no more than where it came from."""

    clock_id: UUID
    origin_source: str | None
    team_name: str
    commitment_name: str
    state: ClockState
    due_at: datetime
    warn_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlasAround(Question[Sequence[Sla]]):
    """Signed agreements that may be in force at an instant, time zones aside."""

    at: datetime
    sales_team_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UrgentClocks(Question[Sequence[BoardClock]]):
    """The open clocks that are due next, and those that were due last, by when they are due."""

    at: datetime
    sales_team_id: UUID | None
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentBreaches(Question[Sequence[BoardClock]]):
    """Clocks that were told to be breached since an instant and were not excused, newest first."""

    since: datetime
    sales_team_id: UUID | None
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalsOn(Question[Sequence[Goal]]):
    """The goals whose period holds a day and that were not put away, what ends first in front."""

    on: date
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DealsWon:
    """What marketing's leads bought since an instant, in one currency by the rates of the days.

    `deals` are all deals won, `unrated` those of them that are left out of the amount because there
    is no rate; `missing` is the earliest of those.
    """

    deals: int
    minor: int
    unrated: int = 0
    missing: MissingRate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DealsWonSince(Question[DealsWon | None]):
    """The deals won since an instant with leads that were handed off; None before any deal."""

    since: datetime
    currency: str
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardReturn:
    """What marketing's leads bought this month, in the tenant's days and currency.

    A wall does not go dark for want of a rate: `unrated` says how many deals are left out of the
    amount, `missing` which rate to set first.
    """

    starts_on: date
    won: int
    amount: Money
    unrated: int = 0
    missing: MissingRate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardSla:
    """The agreement on the board."""

    name: str
    starts_on: date
    last_on: date
    number: int
    time_zone: str
    working_days: int
    working_days_elapsed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardSide:
    """One side, its status and its commitments."""

    side: Side
    team_name: str
    status: Pace
    commitments: Sequence[CommitmentStanding]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardCountdown:
    """An open promise and by when it is to be kept."""

    id: UUID
    label: str
    team_name: str
    commitment_label: str
    due_at: datetime
    state: CountdownState


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardBreach:
    """A promise that was broken at an instant, and when the answer came after all."""

    id: UUID
    label: str
    commitment_label: str
    at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardPicture:
    """Everything on the wall at one instant; `next_at` is when to look again at the latest."""

    as_of: datetime
    tenant_name: str
    sla: BoardSla | None
    sides: Sequence[BoardSide]
    countdowns: Sequence[BoardCountdown]
    breaches: Sequence[BoardBreach]
    goals: Sequence[GoalProgress]
    returned: BoardReturn | None
    next_at: datetime


async def board_picture(work: Work, actor: Actor) -> BoardPicture:
    """Return what hangs on the wall now.

    A board of one sales team shows the agreement in force for that team; any other shows, of
    those in force, the one that took effect last.
    """
    actor.require(Permission.VIEW_BOARD)
    board = await require_hung(work, actor)
    team_id = None if board is None else board.sales_team_id
    tenant = await work.get(Tenant, work.tenant_id)
    sla = await _in_force(work, team_id)
    standing = None if sla is None else await standing_of(work, sla)
    sides = () if standing is None else await _sides(work, standing)
    clocks = await work.ask(UrgentClocks(at=work.now, sales_team_id=team_id, most=MOST_COUNTDOWNS))
    told = await work.ask(
        RecentBreaches(since=work.now - _BREACHES_OF, sales_team_id=team_id, limit=MOST_BREACHES)
    )
    today = always_open(tenant.time_zone).local_day(work.now)
    goals = await progress_of(work, await work.ask(GoalsOn(on=today, limit=MOST_GOALS)))
    returned = await _returned(work, tenant, today)
    countdowns = most_urgent(clocks, work.now)
    return BoardPicture(
        as_of=work.now,
        tenant_name=tenant.name,
        sla=None if standing is None else _shown(standing),
        sides=sides,
        countdowns=countdowns,
        breaches=latest_breaches((*clocks, *told), work.now),
        goals=goals,
        returned=returned,
        next_at=_next_look(standing, clocks, work.now),
    )


def label_of(origin_source: str | None) -> str:
    """Return what a board calls a lead: where it came from, and never who it is.

    Where a lead came from is text that people and forms write, so whatever looks like an address
    or a telephone number, or is as long as a story, is left out.
    """
    source = plain_source(origin_source)
    is_told = source is not None and len(source) <= _LONGEST_SOURCE
    return f"Lead from {source}" if is_told else "Lead"


def most_urgent(clocks: Iterable[BoardClock], now: datetime) -> Sequence[BoardCountdown]:
    """Return the countdowns: what is due next, and before it what is overdue, by due instant.

    At most four are overdue, the latest ones, unless little else is open.
    """
    by_due = sorted(
        (clock for clock in clocks if clock.ended_at is None),
        key=lambda clock: (clock.due_at, clock.clock_id),
    )
    overdue = [clock for clock in by_due if clock.due_at < now]
    coming = [clock for clock in by_due if clock.due_at >= now]
    room = max(_MOST_OVERDUE, MOST_COUNTDOWNS - len(coming))
    chosen = (overdue[-room:] + coming)[:MOST_COUNTDOWNS]
    return [
        BoardCountdown(
            id=clock.clock_id,
            label=label_of(clock.origin_source),
            team_name=clock.team_name,
            commitment_label=clock.commitment_name,
            due_at=clock.due_at,
            state=_state(clock, now),
        )
        for clock in chosen
    ]


def latest_breaches(clocks: Iterable[BoardClock], now: datetime) -> Sequence[BoardBreach]:
    """Return the breaches of the last seven days, newest first; a clock breaks once, when due."""
    late = {clock.clock_id: clock for clock in clocks if _was_late(clock, now)}
    newest = sorted(late.values(), key=lambda clock: (clock.due_at, clock.clock_id), reverse=True)
    return [
        BoardBreach(
            id=clock.clock_id,
            label=label_of(clock.origin_source),
            commitment_label=clock.commitment_name,
            at=clock.due_at,
            ended_at=clock.ended_at,
        )
        for clock in newest[:MOST_BREACHES]
        if clock.due_at >= now - _BREACHES_OF
    ]


def _state(clock: BoardClock, now: datetime) -> CountdownState:
    """Say how an open clock stands now, whether or not anybody has noticed yet."""
    if clock.state is ClockState.PAUSED:
        return CountdownState.PAUSED
    if clock.state is ClockState.BREACHED or clock.due_at < now:
        return CountdownState.BREACHED
    is_soon = clock.warn_at is not None and clock.warn_at <= now
    return CountdownState.WARNING if is_soon else CountdownState.RUNNING


def _was_late(clock: BoardClock, now: datetime) -> bool:
    if clock.ended_at is not None:
        return clock.state in _LATE
    return _state(clock, now) is CountdownState.BREACHED


async def require_hung(work: Work, actor: Actor) -> Board | None:
    """Return the board somebody looks at.  Everybody else looks at the whole tenant.

    Raises:
        PermissionDenied: if the board's link was revoked while somebody was looking.
    """
    if actor.board_id is None:
        return None
    board = await work.get(Board, actor.board_id)
    if board.revoked_at is not None:
        raise PermissionDenied("This board's link was revoked.")
    return board


async def _returned(work: Work, tenant: Tenant, today: date) -> BoardReturn | None:
    first = today.replace(day=1)
    since = start_of_day(first, tenant.time_zone)
    found = await work.ask(
        DealsWonSince(since=since, currency=tenant.currency, time_zone=tenant.time_zone)
    )
    if found is None:
        return None
    return BoardReturn(
        starts_on=first,
        won=found.deals,
        amount=Money(found.minor, tenant.currency),
        unrated=found.unrated,
        missing=found.missing,
    )


async def _in_force(work: Work, sales_team_id: UUID | None) -> Sla | None:
    found = await work.ask(SlasAround(at=work.now, sales_team_id=sales_team_id))
    in_force = [sla for sla in found if sla.in_force(work.now)]
    return max(in_force, key=lambda sla: (sla.effective_at, sla.id), default=None)


async def _sides(work: Work, standing: SlaStanding) -> Sequence[BoardSide]:
    teams = by_id(await work.find(Team, id=tuple(side.team_id for side in standing.sides)))
    return [
        BoardSide(
            side=side.side,
            team_name=teams[side.team_id].name,
            status=side.status,
            commitments=[c for c in standing.commitments if c.commitment.side is side.side],
        )
        for side in standing.sides
    ]


def _shown(standing: SlaStanding) -> BoardSla:
    return BoardSla(
        name=standing.sla.name,
        starts_on=standing.starts_on,
        last_on=standing.ends_on - timedelta(days=1),
        number=standing.sla.number,
        time_zone=standing.sla.time_zone,
        working_days=standing.working_days,
        working_days_elapsed=standing.working_days_elapsed,
    )


def _next_look(
    standing: SlaStanding | None, clocks: Iterable[BoardClock], now: datetime
) -> datetime:
    """Return when to look again: an agreement may come into force, or end, with no event at all."""
    tick = timedelta(microseconds=1)
    coming = [clock.due_at + tick for clock in clocks if clock.ended_at is None]
    coming += [clock.warn_at for clock in clocks if clock.ended_at is None and clock.warn_at]
    coming += [standing.next_at] if standing is not None and standing.next_at else []
    return min([at for at in coming if at > now] + [now + _LOOK_AGAIN])
