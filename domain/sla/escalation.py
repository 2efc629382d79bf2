"""Doing what a ladder says when a clock reaches one of its steps."""

from __future__ import annotations

from datetime import datetime

from domain.events import EscalationRaised
from domain.handoff_flow import route_elsewhere, take_out_of_rotation
from domain.identity import Actor, Permission
from domain.ports import Work
from domain.sla.clock import EscalationAction
from domain.sla.clocks import SlaClock
from domain.sla.keeping import Swept, sweep


async def sweep_and_escalate(
    work: Work, actor: Actor, *, limit: int = 500, after: datetime | None = None
) -> Swept:
    """Sweep, and act on every step that was reached, in the same transaction.

    Telling the owner or a manager and marking the clock is done by the event itself, which the
    feed, subscriptions and webhooks carry; a step that moves people or leads is done here.
    """
    actor.require(Permission.REASSIGN_LEADS)
    swept = await sweep(work, actor, limit=limit, after=after)
    for step in swept.raised:
        await _act(work, actor, step)
    return swept


async def _act(work: Work, actor: Actor, step: EscalationRaised) -> None:
    if step.action is EscalationAction.REASSIGN:
        await route_elsewhere(work, actor, step.lead_id)
    elif step.action is EscalationAction.OUT_OF_ROTATION and step.user_id is not None:
        clock = await work.get(SlaClock, step.clock_id)
        await take_out_of_rotation(work, actor, team_id=clock.team_id, user_id=step.user_id)
