"""Handing leads over: marketing gives, sales answers, and both hear what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.briefs import freeze_brief
from domain.consent import check_may_be_contacted
from domain.errors import Invalid, NotFound
from domain.events import (
    LeadAccepted,
    LeadHandedOff,
    LeadReassigned,
    LeadRecycled,
    LeadRejected,
)
from domain.goals.counting import count_metric
from domain.goals.targets import Metric
from domain.handoff import (
    Handoff,
    HandoffStatus,
    NotAwaitingSales,
    WrongTeam,
    check_can_hand_off,
    decided,
    newest,
    returned,
)
from domain.identity import Actor, Permission, Team, TeamMember, User
from domain.ids import new_id
from domain.lead_intake.keys import resolve_lead
from domain.leads import Lead, StaleLead
from domain.lifecycle import definitions_in_force, enter_stage, fall_back
from domain.ports import Question, Work, first
from domain.routing import next_in_turn
from domain.sla import keeping
from domain.sla.agreeing import agreement_in_force
from domain.stages import Side, Stage
from domain.values import limited_text, require_text

# From where a lead may be sent back to marketing to be nurtured.
_RECYCLABLE = frozenset({Stage.MQL, Stage.SAL, Stage.SQL, Stage.OPPORTUNITY})
# How far a client's clock may run ahead of ours.
CLOCK_TOLERANCE = timedelta(minutes=5)


class NobodyToAsk(Invalid):
    """The tenant has no team of that side, or several and none was named."""

    code = "TEAM_NEEDED"


class NotRecyclable(Invalid):
    """The lead is at a stage that is not recycled."""

    code = "NOT_RECYCLABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox(Question[Sequence[Handoff]]):
    """Open hand-offs that a user owns or that wait unassigned in some teams, the urgent first.

    Those of people who must not be contacted are nobody's to work.
    """

    user_id: UUID
    team_ids: tuple[UUID, ...]
    limit: int = 100


async def inbox(work: Work, actor: Actor) -> Sequence[Handoff]:
    """Return what waits for a user's answer."""
    actor.require(Permission.VIEW)
    user_id = actor.require_user()
    teams = tuple(member.team_id for member in await work.find(TeamMember, user_id=user_id))
    return await work.ask(Inbox(user_id=user_id, team_ids=teams))


async def hand_off(
    work: Work,
    actor: Actor,
    lead_id: UUID,
    *,
    from_team_id: UUID | None = None,
    to_team_id: UUID | None = None,
    owner_id: UUID | None = None,
    reason: str | None = None,
    at: datetime | None = None,
    routed: bool = True,
) -> Handoff:
    """Give an MQL to sales: to a named owner, or to whoever's turn it is.

    With nobody available or all at their capacity, the hand-off waits in the team's inbox, and its
    clocks run all the same.  `at` lets a hand-off of the past be recorded when it was made; with
    `routed` off it is nobody's turn, because whose it was then is not known.
    """
    actor.require(Permission.HAND_OFF_LEADS)
    at = _instant(work, at)
    giver = await _team(work, actor, Side.MARKETING, from_team_id, "fromTeam")
    taker = await _team(work, actor, Side.SALES, to_team_id, "toTeam")
    # Signing an agreement takes this lock too, before those of the leads.  So what is handed off
    # meanwhile is judged by the agreement, or counted by its signature: never neither.
    await work.get(Team, taker.id, lock=True)
    # One that was merged while we waited is the lead that it was merged into.
    lead = await resolve_lead(work, lead_id, lock=True)
    check_can_hand_off(
        lead, len(await work.find(Handoff, lead_id=lead.id, status=HandoffStatus.OPEN))
    )
    check_may_be_contacted(lead, at=at)
    if routed or owner_id is not None:
        owner_id = await _owner(work, taker, owner_id, at)
    definition = (await definitions_in_force(work, at)).get(Stage.MQL)
    if reason is not None:
        reason = limited_text(reason, name="The reason", path=("reason",), longest=2000)
    lead = await work.save(replace(lead, owner_id=owner_id, updated_at=work.now))
    handoff = Handoff(
        id=new_id(),
        lead_id=lead.id,
        from_team_id=giver.id,
        to_team_id=taker.id,
        score=lead.score,
        handed_off_at=at,
        recorded_at=work.now,
        handed_off_by=actor.user_id,
        owner_id=owner_id,
        definition_id=definition.id if definition else None,
        persona_id=lead.persona_id,
        reason=reason,
    )
    handoff = await _promise(work, handoff, lead)
    await freeze_brief(work, handoff, lead, whole=routed)
    work.record(
        LeadHandedOff(
            at=at,
            lead_id=lead.id,
            handoff_id=handoff.id,
            to_team_id=taker.id,
            owner_id=owner_id,
        )
    )
    await count_metric(work, Metric.HANDOFFS, at=at, team_id=giver.id)
    return handoff


async def accept_lead(
    work: Work, actor: Actor, lead_id: UUID, *, at: datetime | None = None, judged: bool = True
) -> Handoff:
    """Take a handed-off lead for oneself: it becomes an SAL, and the answer is given.

    With `judged` off the criterion of an SAL is not asked: that sales accepted it is a fact.
    """
    actor.require(Permission.ACCEPT_LEADS)
    lead, handoff = await _awaiting(work, actor, lead_id)
    at = _instant(work, at)
    check_may_be_contacted(lead, at=at)
    owner_id = actor.user_id or handoff.owner_id
    taken = decided(handoff, HandoffStatus.ACCEPTED, by=actor.user_id, at=at, heard_at=work.now)
    handoff = await work.save(replace(taken, owner_id=owner_id))
    lead = await work.save(replace(lead, owner_id=owner_id, updated_at=work.now))
    await enter_stage(work, actor, lead, Stage.SAL, at=at, judged=judged)
    await keeping.answered(work, handoff)
    work.record(LeadAccepted(at=at, by=actor.user_id, lead_id=lead.id, handoff_id=handoff.id))
    await count_metric(work, Metric.HANDOFFS_ACCEPTED, at=at, team_id=handoff.to_team_id)
    return handoff


async def reject_lead(
    work: Work, actor: Actor, lead_id: UUID, *, reason: str, at: datetime | None = None
) -> Handoff:
    """Send a handed-off lead back to marketing because it should not have come."""
    actor.require(Permission.ACCEPT_LEADS)
    lead, handoff = await _awaiting(work, actor, lead_id)
    at = _instant(work, at)
    handoff = await _send_back(
        work, actor, lead, handoff, HandoffStatus.REJECTED, reason=reason, at=at
    )
    work.record(LeadRejected(at=at, by=actor.user_id, lead_id=lead.id, handoff_id=handoff.id))
    await count_metric(work, Metric.HANDOFFS_REJECTED, at=at, team_id=handoff.to_team_id)
    return handoff


async def recycle_lead(
    work: Work, actor: Actor, lead_id: UUID, *, reason: str, at: datetime | None = None
) -> Lead:
    """Send a lead back to marketing because it needs more time, whether accepted yet or not."""
    actor.require(Permission.ACCEPT_LEADS)
    lead = await work.get(Lead, lead_id, lock=True)
    reason = require_text(reason, name="The reason", path=("reason",), longest=2000)
    if lead.stage not in _RECYCLABLE:
        raise NotRecyclable(f"The lead is {lead.stage}, which is not recycled.", path=("lead",))
    at = _instant(work, at)
    handoff = await first(work, Handoff, lead_id=lead.id, status=HandoffStatus.OPEN)
    if handoff is not None:
        await _check_may_answer(work, actor, handoff)
        await _send_back(work, actor, lead, handoff, HandoffStatus.RECYCLED, reason=reason, at=at)
    else:
        answered = await work.find(Handoff, lead_id=lead.id)
        handoff = newest(answered)
        if handoff is not None:
            await _check_may_answer(work, actor, handoff)
        await fall_back(work, actor, lead, Stage.LEAD, at=at, reason=reason)
        if handoff is not None and handoff.is_taken:
            # Why it goes back is the feedback that was promised.
            await keeping.fed_back(work, handoff.id, at=at)
            await work.save(
                returned(handoff, by=actor.user_id, at=at, heard_at=work.now, reason=reason)
            )
        await keeping.given_back(work, answered, at=at, reason=reason)
    handoff_id = handoff.id if handoff else None
    work.record(LeadRecycled(at=at, by=actor.user_id, lead_id=lead.id, handoff_id=handoff_id))
    return await work.get(Lead, lead_id)


async def reassign_lead(work: Work, actor: Actor, lead_id: UUID, *, owner_id: UUID) -> Handoff:
    """Give an undecided hand-off to another member of the team."""
    actor.require(Permission.REASSIGN_LEADS)
    lead, handoff = await _open_handoff(work, actor, lead_id)
    check_may_be_contacted(lead, at=work.now)
    await _check_member(work, handoff.to_team_id, owner_id)
    return await _give(work, lead, handoff, owner_id)


async def route_elsewhere(work: Work, actor: Actor, lead_id: UUID) -> Handoff | None:
    """Give an undecided hand-off to whoever's turn it is but its owner; None if there is nobody.

    A lead that must not be contacted is nobody's turn.
    """
    actor.require(Permission.REASSIGN_LEADS)
    lead = await work.get(Lead, lead_id, lock=True)
    handoff = await first(work, Handoff, lead_id=lead.id, status=HandoffStatus.OPEN)
    if handoff is None or lead.do_not_contact:
        return None
    owner_id = await next_in_turn(work, handoff.to_team_id, work.now, but=handoff.owner_id)
    return None if owner_id is None else await _give(work, lead, handoff, owner_id)


async def take_out_of_rotation(work: Work, actor: Actor, *, team_id: UUID, user_id: UUID) -> None:
    """Route nothing more to a member until somebody makes him or her available again."""
    actor.require(Permission.REASSIGN_LEADS)
    member = await first(work, TeamMember, lock=True, team_id=team_id, user_id=user_id)
    if member is not None and member.available:
        await work.save(replace(member, available=False))


async def _promise(work: Work, handoff: Handoff, lead: Lead) -> Handoff:
    """Store a new hand-off under the agreement in force, with its clocks and credit."""
    found = await agreement_in_force(
        work,
        sales_team_id=handoff.to_team_id,
        marketing_team_id=handoff.from_team_id,
        at=handoff.handed_off_at,
    )
    if found is None:
        return await work.add(handoff)
    sla, commitments = found
    handoff = await work.add(replace(handoff, sla_id=sla.id))
    clocks = await keeping.start_clocks(work, handoff, sla, commitments)
    await keeping.credit_delivery(work, handoff, lead, sla, commitments)
    if lead.do_not_contact_at is not None:
        ended_at, why = lead.do_not_contact_at, lead.do_not_contact_reason or ""
        await keeping.given_back(work, [handoff], at=ended_at, reason=why)
    if not clocks:
        return handoff
    return await work.save(replace(handoff, due_at=min(clock.due_at for clock in clocks)))


async def _send_back(
    work: Work,
    actor: Actor,
    lead: Lead,
    handoff: Handoff,
    status: HandoffStatus,
    *,
    reason: str,
    at: datetime,
) -> Handoff:
    told = decided(handoff, status, by=actor.user_id, at=at, heard_at=work.now, reason=reason)
    handoff = await work.save(told)
    lead = await work.save(replace(lead, owner_id=None, updated_at=work.now))
    await fall_back(work, actor, lead, Stage.LEAD, at=at, reason=handoff.decision_reason or "")
    await keeping.answered(work, handoff)
    return handoff


async def _give(work: Work, lead: Lead, handoff: Handoff, owner_id: UUID) -> Handoff:
    previous = handoff.owner_id
    if previous == owner_id:
        return handoff
    await keeping.reassigned(work, handoff, owner_id=owner_id)
    handoff = await work.save(replace(handoff, owner_id=owner_id))
    await work.save(replace(lead, owner_id=owner_id, updated_at=work.now))
    work.record(
        LeadReassigned(
            at=work.now,
            lead_id=lead.id,
            handoff_id=handoff.id,
            owner_id=owner_id,
            previous_owner_id=previous,
        )
    )
    return handoff


async def _open_handoff(work: Work, actor: Actor, lead_id: UUID) -> tuple[Lead, Handoff]:
    """Return a locked lead and its open hand-off.

    Raises:
        StaleLead: if somebody else has just answered it.
        NotAwaitingSales: if there is nothing to answer.
    """
    lead = await work.get(Lead, lead_id, lock=True)
    handoffs = await work.find(Handoff, lead_id=lead.id)
    handoff = next((each for each in handoffs if each.is_open), None)
    if handoff is not None:
        return lead, handoff
    last = newest(handoffs)
    if last is not None and last.decided_by not in (None, actor.user_id):
        raise StaleLead(lead)
    raise NotAwaitingSales(lead)


async def _awaiting(work: Work, actor: Actor, lead_id: UUID) -> tuple[Lead, Handoff]:
    lead, handoff = await _open_handoff(work, actor, lead_id)
    await _check_may_answer(work, actor, handoff)
    return lead, handoff


async def _check_may_answer(work: Work, actor: Actor, handoff: Handoff) -> None:
    """Let the team that got a lead answer, and those who may reassign it."""
    if actor.user_id is None or Permission.REASSIGN_LEADS in actor.permissions:
        return
    if actor.user_id != handoff.owner_id:
        await _check_member(work, handoff.to_team_id, actor.user_id, path=())


async def _check_member(
    work: Work, team_id: UUID, user_id: UUID, *, path: Sequence[str] = ("owner",)
) -> None:
    user = await work.get(User, user_id)
    member = await first(work, TeamMember, team_id=team_id, user_id=user_id)
    if member is None or not user.active:
        raise WrongTeam(f"{user.name} is not in the team that got the lead.", path=path)


async def _team(work: Work, actor: Actor, side: Side, team_id: UUID | None, field: str) -> Team:
    """Return the named team, the actor's own, or the only one of a side."""
    if team_id is not None:
        team = await work.get(Team, team_id)
        if team.side is not side:
            raise WrongTeam(f"{team.name} is not a {side.lower()} team.", path=(field,))
        return team
    teams = await work.find(Team, side=side)
    if actor.user_id is not None and len(teams) > 1:
        member_of = {m.team_id for m in await work.find(TeamMember, user_id=actor.user_id)}
        teams = [team for team in teams if team.id in member_of] or teams
    if len(teams) != 1:
        which = "no" if not teams else "more than one"
        raise NobodyToAsk(f"There is {which} {side.lower()} team; name one.", path=(field,))
    return teams[0]


async def _owner(work: Work, team: Team, owner_id: UUID | None, at: datetime) -> UUID | None:
    if owner_id is None:
        return await next_in_turn(work, team.id, at)
    try:
        await _check_member(work, team.id, owner_id)
    except NotFound:
        raise NotFound("user", path=("owner",)) from None
    return owner_id


def _instant(work: Work, at: datetime | None) -> datetime:
    """Return when something was done: now, or an instant of the past that the request names."""
    if at is None:
        return work.now
    if at > work.now + CLOCK_TOLERANCE:
        raise Invalid("This lies in the future.", path=("at",))
    return min(at, work.now)
