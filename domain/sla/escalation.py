"""Doing what a ladder says when a clock reaches one of its steps."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.events import EscalationRaised
from domain.handoff_flow import route_elsewhere, take_out_of_rotation
from domain.identity import Actor, Permission, TeamMember
from domain.ports import Work
from domain.sla.clock import EscalationAction
from domain.sla.clocks import SlaClock
from domain.sla.keeping import Swept, sweep

_MOVES = {EscalationAction.REASSIGN, EscalationAction.OUT_OF_ROTATION}


async def sweep_and_escalate(
    work: Work, actor: Actor, *, limit: int = 500, after: datetime | None = None
) -> Swept:
    """Sweep, and act on every step that was reached, in the same transaction.

    Telling the owner or a manager and marking the clock is done by the event itself, which the
    feed, subscriptions and webhooks carry; a step that moves people or leads is done here.
    """
    actor.require(Permission.REASSIGN_LEADS)
    swept = await sweep(work, actor, limit=limit, after=after)
    acting = [step for step in swept.raised if step.action in _MOVES]
    if acting:
        clocks = await work.find(SlaClock, id=tuple({step.clock_id for step in acting}))
        teams = {clock.id: clock.team_id for clock in clocks}
        # All members at once, in the one order in which everybody locks them.
        await work.find(TeamMember, lock=True, team_id=tuple(set(teams.values())))
        for step in acting:
            await _act(work, actor, step, teams[step.clock_id])
    return swept


async def _act(work: Work, actor: Actor, step: EscalationRaised, team_id: UUID) -> None:
    if step.action is EscalationAction.REASSIGN:
        await route_elsewhere(work, actor, step.lead_id)
    elif step.user_id is not None:
        await take_out_of_rotation(work, actor, team_id=team_id, user_id=step.user_id)
