"""Teams: the people who keep one side's promises, and how much each of them can hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from types import EllipsisType
from uuid import UUID

from domain.errors import DomainError, Invalid, NotFound
from domain.events import TeamChanged
from domain.filters import FieldType, FilterField, FilterFields
from domain.identity.people import User
from domain.identity.policy import Actor, Permission
from domain.ids import new_id
from domain.ports import Work
from domain.stages import Side
from domain.values import require_text

DEFAULT_CAPACITY = 50
LARGEST_CAPACITY = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """People who keep one side's promises, on one calendar."""

    id: UUID
    name: str
    side: Side
    created_at: datetime
    calendar_id: UUID | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamMember:
    """A user's place in a team.  `capacity` is how many undecided hand-offs he or she can hold."""

    id: UUID
    team_id: UUID
    user_id: UUID
    created_at: datetime
    available: bool = True
    capacity: int = DEFAULT_CAPACITY
    last_routed_at: datetime | None = None
    version: int = 1


TEAM_FIELDS = FilterFields(
    "team",
    (
        FilterField(
            name="name", attribute="name", type=FieldType.TEXT, description="What it is called."
        ),
        FilterField(
            name="side",
            attribute="side",
            type=FieldType.CHOICE,
            choices=Side,
            description="Whose promises it keeps.",
        ),
        FilterField(
            name="calendarId",
            attribute="calendar_id",
            type=FieldType.ID,
            kind="Calendar",
            description="The calendar it works by.",
        ),
    ),
)


class InactiveUser(DomainError):
    """Somebody who cannot sign in any more can work on nothing."""

    code = "INACTIVE_USER"

    def __init__(self, user: User) -> None:
        super().__init__(f"{user.name} is not active.", path=("user",))


def check_capacity(capacity: int) -> int:
    """Return how many undecided hand-offs somebody can hold, none being allowed."""
    if not 0 <= capacity <= LARGEST_CAPACITY:
        raise Invalid(
            f"A capacity is from 0 to {LARGEST_CAPACITY}, not {capacity}.", path=("capacity",)
        )
    return capacity


async def create_team(
    work: Work, actor: Actor, *, name: str, side: Side, calendar_id: UUID | None = None
) -> Team:
    """Set up a team of one side; without a calendar it works around the clock."""
    actor.require(Permission.MANAGE_TEAMS)
    team = Team(
        id=new_id(),
        name=require_text(name, name="The name", path=("name",)),
        side=side,
        created_at=work.now,
        calendar_id=await _existing_calendar(work, calendar_id),
    )
    await work.add(team)
    work.record(TeamChanged(team_id=team.id, at=work.now))
    return team


async def update_team(
    work: Work,
    actor: Actor,
    team_id: UUID,
    *,
    name: str | None = None,
    calendar_id: UUID | EllipsisType | None = ...,
) -> Team:
    """Rename a team or give it another calendar; `...` leaves the calendar as it is, None ends it.

    Clocks that run already keep the calendar they were started by.  The side never changes.
    """
    actor.require(Permission.MANAGE_TEAMS)
    team = await work.get(Team, team_id, lock=True)
    if name is not None:
        team = replace(team, name=require_text(name, name="The name", path=("name",)))
    if calendar_id is not ...:
        team = replace(team, calendar_id=await _existing_calendar(work, calendar_id))
    saved = await work.save(team)
    work.record(TeamChanged(team_id=team.id, at=work.now))
    return saved


async def add_team_member(
    work: Work,
    actor: Actor,
    *,
    team_id: UUID,
    user_id: UUID,
    available: bool = True,
    capacity: int = DEFAULT_CAPACITY,
) -> TeamMember:
    """Take a user into a team."""
    actor.require(Permission.MANAGE_TEAMS)
    team = await work.get(Team, team_id)
    user = await work.get(User, user_id)
    if not user.active:
        raise InactiveUser(user)
    member = TeamMember(
        id=new_id(),
        team_id=team.id,
        user_id=user.id,
        created_at=work.now,
        available=available,
        capacity=check_capacity(capacity),
    )
    await work.add(member)
    work.record(TeamChanged(team_id=team.id, at=work.now))
    return member


async def update_team_member(
    work: Work,
    actor: Actor,
    member_id: UUID,
    *,
    available: bool | None = None,
    capacity: int | None = None,
) -> TeamMember:
    """Say whether new hand-offs may go to a member, and how many at once; None leaves it."""
    actor.require(Permission.MANAGE_TEAMS)
    member = await work.get(TeamMember, member_id, lock=True)
    saved = await work.save(
        replace(
            member,
            available=member.available if available is None else available,
            capacity=member.capacity if capacity is None else check_capacity(capacity),
        )
    )
    work.record(TeamChanged(team_id=member.team_id, at=work.now))
    return saved


async def remove_team_member(work: Work, actor: Actor, member_id: UUID) -> TeamMember:
    """Take a user out of a team.  What he or she works on stays theirs until it is reassigned."""
    actor.require(Permission.MANAGE_TEAMS)
    member = await work.get(TeamMember, member_id, lock=True)
    await work.delete(TeamMember, id=member.id)
    work.record(TeamChanged(team_id=member.team_id, at=work.now))
    return member


async def _existing_calendar(work: Work, calendar_id: UUID | None) -> UUID | None:
    from domain.sla.calendars import Calendar  # calendars are edited by actors: a circle

    if calendar_id is None:
        return None
    try:
        return (await work.get(Calendar, calendar_id)).id
    except NotFound as error:
        raise NotFound("calendar", path=("calendar",)) from error
