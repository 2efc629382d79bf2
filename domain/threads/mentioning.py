"""Whom a message calls: people, and everybody of a team."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.errors import DomainError, Invalid, NotFound
from domain.identity import Team, TeamMember, User
from domain.ports import E, Work, by_id

MOST_MENTIONS = 20
MOST_TEAMS = 5
# By name or as members of teams: a call that everybody gets is nobody's.
MOST_CALLED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """The people and the teams that a message names."""

    users: Sequence[UUID] = ()
    teams: Sequence[UUID] = ()


NOBODY = Called()


class HasLeft(DomainError):
    """Whoever has left hears of nothing any more."""

    code = "INACTIVE_USER"

    def __init__(self, name: str, *, place: int) -> None:
        super().__init__(f"{name} is not active.", path=("mentions", place))


class NobodyThere(DomainError):
    """A team without anybody who could hear a call."""

    code = "NOBODY_TO_CALL"

    def __init__(self, name: str, *, place: int) -> None:
        super().__init__(
            f"Nobody else of {name} is active, so nobody would hear.", path=("mentionTeams", place)
        )


def mention_allowed(*, users: int, teams: int) -> None:
    """Refuse to call everybody."""
    if users > MOST_MENTIONS:
        raise Invalid(f"A message mentions at most {MOST_MENTIONS} people.", path=("mentions",))
    if teams > MOST_TEAMS:
        raise Invalid(f"A message mentions at most {MOST_TEAMS} teams.", path=("mentionTeams",))


async def people_called(
    work: Work, called: Called, *, by: UUID
) -> Sequence[tuple[User, UUID | None]]:
    """Return who is called, each with the team as whose member; None for whoever is named.

    A team's call reaches those who are active in it now, but not `by`, who calls.
    """
    mention_allowed(users=len(called.users), teams=len(called.teams))
    people: dict[UUID, tuple[User, UUID | None]] = {
        user.id: (user, None) for user in await _named(work, called.users)
    }
    for team in await _existing(work, Team, called.teams, name="team", field="mentionTeams"):
        others = [user for user in await _active_of(work, team) if user.id != by]
        if not others:
            raise NobodyThere(team.name, place=called.teams.index(team.id))
        for user in others:
            people.setdefault(user.id, (user, team.id))
    if len(people) > MOST_CALLED:
        raise Invalid(
            f"A message calls at most {MOST_CALLED} people; these would be {len(people)}.",
            path=("mentionTeams",),
        )
    return tuple(people.values())


async def _named(work: Work, ids: Sequence[UUID]) -> Sequence[User]:
    found = await _existing(work, User, ids, name="user", field="mentions")
    for user in found:
        if not user.active:
            raise HasLeft(user.name, place=ids.index(user.id))
    return found


async def _active_of(work: Work, team: Team) -> Sequence[User]:
    members = await work.find(TeamMember, team_id=team.id)
    ids = tuple(member.user_id for member in members)
    return await work.find(User, id=ids, active=True) if ids else ()


async def _existing(
    work: Work, kind: type[E], ids: Sequence[UUID], *, name: str, field: str
) -> Sequence[E]:
    """Return entities in the order of their ids, each once."""
    found = by_id(await work.find(kind, id=tuple(ids))) if ids else {}
    for place, id in enumerate(ids):
        if id not in found:
            raise NotFound(name, path=(field, place))
    return [found[id] for id in dict.fromkeys(ids)]
