"""Hand-offs: giving leads to sales, and sales' answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

import strawberry
from strawberry import UNSET

from api.briefs import CallBriefView
from api.context import Info
from api.errors import mutation, query, subscription
from api.filtering import collection, enum, filter_input, order_input
from api.identity import TeamRef, UserRef, team_id_of, user_id_of
from api.leads import LeadRef, LeadView, lead_id_of
from api.outcomes import HANDOFF_ARGUMENTS, HandoffOutcomeView, handoffs_with
from api.views import listed, related, shown, view
from domain import handoff_flow, ids
from domain.briefs import briefs_of
from domain.handoff import HANDOFF_FIELDS, Handoff, HandoffStatus
from domain.identity import Permission, Team, User, resolve_user
from domain.leads import Lead
from domain.lifecycle import StageDefinition
from domain.opportunities import Opportunity
from domain.outcomes import outcomes_of
from domain.paging import Order
from domain.personas import Persona
from domain.ratings import Rating
from domain.sla.agreement import Sla
from domain.sla.clocks import SlaClock
from domain.threads import Thread

enum(
    HandoffStatus,
    "What sales has answered.",
    OPEN="Nothing yet: no feedback.",
    ACCEPTED="Sales took the lead.",
    REJECTED="Sales sent it back because it should not have come.",
    RECYCLED="Sales sent it back because it needs more time.",
    MERGED="Nothing: the person had been handed off already, as another lead.",
)


@view(Handoff, description="A lead on its way from marketing to sales, as it was at that moment.")
class HandoffView:
    status: HandoffStatus = shown("What sales has answered.")
    score: int = shown("The lead's score at that moment.")
    reason: str | None = shown("Why marketing handed it over, in its own words.")
    handed_off_at: datetime = shown("When marketing handed it over.")
    recorded_at: datetime = shown("When we learnt of it.")
    due_at: datetime | None = shown("When sales owes something first; null without an SLA.")
    decided_at: datetime | None = shown("When sales answered.")
    decision_reason: str | None = shown("Why sales sent it back.")
    returned_at: datetime | None = shown("When sales gave it back after having taken it.")
    return_reason: str | None = shown("Why sales gave it back after having taken it.")
    version: int = shown("How often it was changed.")
    lead = related("api.leads.LeadView", Lead, by="lead_id", description="The lead.")
    from_team = related(
        "api.identity.TeamView", Team, by="from_team_id", description="The team that gave it."
    )
    to_team = related(
        "api.identity.TeamView", Team, by="to_team_id", description="The team that got it."
    )
    owner = related(
        "api.identity.UserView",
        User,
        by="owner_id",
        description="Who works it; null while it waits in the team's inbox.",
    )
    handed_off_by = related(
        "api.identity.UserView", User, by="handed_off_by", description="Who handed it over."
    )
    decided_by = related(
        "api.identity.UserView", User, by="decided_by", description="Who answered."
    )
    definition = related(
        "api.lifecycle.StageDefinitionView",
        StageDefinition,
        by="definition_id",
        description="The definition of an MQL it was judged by.",
    )
    persona = related(
        "api.personas.PersonaView",
        Persona,
        by="persona_id",
        description="The lead's persona at that moment.",
    )
    sla = related("api.sla.SlaView", Sla, by="sla_id", description="The agreement it is judged by.")
    clocks = listed(
        "api.clocks.ClockView",
        SlaClock,
        by="handoff_id",
        description="What sales owes it, and how each promise stands.",
    )
    opportunities = listed(
        "api.opportunities.OpportunityView",
        Opportunity,
        by="handoff_id",
        description="The deals that came of it, the newest first.",
        order=(Order("opened_at", descending=True),),
    )
    ratings = listed(
        "api.ratings.RatingView",
        Rating,
        by="handoff_id",
        description="How good those who got it found the lead.",
    )
    threads = listed(
        "api.threads.ThreadView",
        Thread,
        by="handoff_id",
        description="What the teams say to each other about it, the latest first.",
        order=(Order("last_message_at", descending=True),),
    )

    @strawberry.field(description="What became of it: the furthest thing that happened.")
    async def outcome(handoff: strawberry.Parent[Any], info: Info) -> HandoffOutcomeView:
        return await info.context.load_with("outcomes", outcomes_of, handoff)  # type: ignore[no-any-return]  # HandoffOutcome

    @strawberry.field(
        description="What was known of the lead when it was handed off, which never changes; null"
        " of one that was recorded afterwards.  Only where the lead has wished to be left alone"
        " since, that is said, and there is no opener and nothing to send."
    )
    async def brief(handoff: strawberry.Parent[Any], info: Info) -> CallBriefView | None:
        return await info.context.load_with("Handoff.brief", briefs_of, handoff.id)  # type: ignore[no-any-return]  # CallBrief


HandoffFilter = filter_input(HANDOFF_FIELDS)
HandoffOrder = order_input(
    "Handoff",
    {"HANDED_OFF_AT": "handed_off_at", "DUE_AT": "due_at"},
    "How hand-offs are ordered",
)


@strawberry.type
class Queries:
    handoffs = collection(
        HandoffView,
        Handoff,
        description="Hand-offs, the newest first; `feedback: NONE` are those without feedback.",
        default=(Order("handed_off_at", descending=True),),
        fields=HANDOFF_FIELDS,
        filter=HandoffFilter,
        order=HandoffOrder,
        arguments=HANDOFF_ARGUMENTS,
        only=handoffs_with,
    )("handoffs")

    @query("One hand-off, or null if there is none of that id.", shows=HandoffView | None)
    async def handoff(self, info: Info, id: strawberry.ID) -> Any:
        return await info.context.load(Handoff, ids.expect("Handoff", id, path=("id",)))

    @query(
        "What waits for your answer: your own open hand-offs and your teams' unassigned ones;"
        " the most urgent first, at most 100.",
        shows=list[HandoffView],
    )
    async def handoff_inbox(self, info: Info) -> Sequence[Handoff]:
        return await _inbox(info)


@strawberry.type
class Subscriptions:
    @subscription(
        "What waits for your answer, whenever it changes; the most urgent first, at most 100.",
        needs=Permission.VIEW,
        shared=False,
        shows=list[HandoffView],
    )
    async def handoff_inbox(self, info: Info) -> AsyncIterator[Sequence[Handoff]]:
        with info.context.live.watch(info.context.actor.tenant_id) as watch:
            while True:
                yield await _inbox(info)
                await watch.news()


async def _inbox(info: Info) -> Sequence[Handoff]:
    async with info.context.work() as work:
        return await handoff_flow.inbox(work, info.context.actor)


@strawberry.input(description="Which lead to hand off, and to whom.")
class LeadHandOffInput:
    lead: LeadRef = shown("The lead; it must be an MQL.")
    from_team: TeamRef | None = shown(
        "The marketing team that gives it; yours, or the only one, if left out.", default=UNSET
    )
    to_team: TeamRef | None = shown(
        "The sales team that gets it; the only one if left out.", default=UNSET
    )
    owner: UserRef | None = shown(
        "Who is to work it; whoever's turn it is if left out.", default=UNSET
    )
    reason: str | None = shown("Why it is ready, in your words.", default=UNSET)
    at: datetime | None = shown("When it was handed off, if earlier than now.", default=UNSET)


@strawberry.input(description="Which lead you take.")
class LeadAcceptInput:
    lead: LeadRef = shown("The lead.")
    at: datetime | None = shown("When it was accepted, if earlier than now.", default=UNSET)


@strawberry.input(description="Which lead you send back, and why.")
class LeadRejectInput:
    lead: LeadRef = shown("The lead.")
    reason: str = shown("Why it should not have come; marketing reads this.")
    at: datetime | None = shown("When it was rejected, if earlier than now.", default=UNSET)


@strawberry.input(description="Which lead needs more time, and why.")
class LeadRecycleInput:
    lead: LeadRef = shown("The lead.")
    reason: str = shown("Why it is not ready yet; marketing reads this.")
    at: datetime | None = shown("When it was recycled, if earlier than now.", default=UNSET)


@strawberry.input(description="Which lead goes to whom.")
class LeadReassignInput:
    lead: LeadRef = shown("The lead; its hand-off must be open.")
    owner: UserRef = shown("Who is to work it now; a member of the team that got it.")


@strawberry.type
class Mutations:
    @mutation(HandoffView, "Hand an MQL to sales.", needs=Permission.HAND_OFF_LEADS)
    async def lead_hand_off(self, info: Info, input: LeadHandOffInput) -> Handoff:
        async with info.context.writing() as work:
            return await handoff_flow.hand_off(
                work,
                info.context.actor,
                await lead_id_of(work, input.lead),
                from_team_id=await team_id_of(work, input.from_team, path=("fromTeam",)),
                to_team_id=await team_id_of(work, input.to_team, path=("toTeam",)),
                owner_id=await user_id_of(work, input.owner, path=("owner",)),
                reason=input.reason or None,
                at=input.at or None,
            )

    @mutation(
        HandoffView,
        "Take a lead for yourself and stop the clock on sales' answer.",
        needs=Permission.ACCEPT_LEADS,
    )
    async def lead_accept(self, info: Info, input: LeadAcceptInput) -> Handoff:
        async with info.context.writing() as work:
            lead_id = await lead_id_of(work, input.lead, lock=True)
            return await handoff_flow.accept_lead(
                work, info.context.actor, lead_id, at=input.at or None
            )

    @mutation(
        HandoffView,
        "Send a lead back because it should not have come.",
        needs=Permission.ACCEPT_LEADS,
    )
    async def lead_reject(self, info: Info, input: LeadRejectInput) -> Handoff:
        async with info.context.writing() as work:
            lead_id = await lead_id_of(work, input.lead, lock=True)
            return await handoff_flow.reject_lead(
                work, info.context.actor, lead_id, reason=input.reason, at=input.at or None
            )

    @mutation(
        LeadView, "Send a lead back because it needs more time.", needs=Permission.ACCEPT_LEADS
    )
    async def lead_recycle(self, info: Info, input: LeadRecycleInput) -> Lead:
        async with info.context.writing() as work:
            lead_id = await lead_id_of(work, input.lead, lock=True)
            return await handoff_flow.recycle_lead(
                work, info.context.actor, lead_id, reason=input.reason, at=input.at or None
            )

    @mutation(
        HandoffView,
        "Give an open hand-off to another member of the team.",
        needs=Permission.REASSIGN_LEADS,
    )
    async def lead_reassign(self, info: Info, input: LeadReassignInput) -> Handoff:
        async with info.context.writing() as work:
            lead_id = await lead_id_of(work, input.lead, lock=True)
            owner_id = await resolve_user(work, input.owner.key(("owner",)), path=("owner",))
            return await handoff_flow.reassign_lead(
                work, info.context.actor, lead_id, owner_id=owner_id
            )
