"""Routing: whose turn it is to get a lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.identity import TeamMember, User
from domain.ports import Question, Work

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenHandoffCounts(Question[Mapping[UUID, int]]):
    """How many undecided hand-offs each of some users holds."""

    user_ids: tuple[UUID, ...]


async def next_in_turn(
    work: Work, team_id: UUID, at: datetime, *, but: UUID | None = None
) -> UUID | None:
    """Return who has waited longest for a lead among those who can take one.

    The members are locked, so that two hand-offs at the same instant go to two people.  Turns are
    kept strictly apart, also those of one transaction or of one that has waited for another.
    """
    members = await work.find(TeamMember, lock=True, team_id=team_id, available=True)
    users = await work.find(User, id=tuple(m.user_id for m in members), active=True)
    active = {user.id for user in users} - {but}
    load = await work.ask(OpenHandoffCounts(user_ids=tuple(active)))
    free = [m for m in members if m.user_id in active and load.get(m.user_id, 0) < m.capacity]
    if not free:
        return None
    turn = min(free, key=lambda m: (m.last_routed_at is not None, m.last_routed_at or at, m.id))
    latest = max((m.last_routed_at for m in members if m.last_routed_at), default=None)
    turn_at = work.now if latest is None or latest < work.now else latest + _TICK
    await work.save(replace(turn, last_routed_at=turn_at))
    return turn.user_id
