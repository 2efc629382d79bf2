"""What is public of leads, their companies and what was done about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias
from uuid import UUID

import strawberry

import api.grades  # declares the enum Grade
import api.stages  # noqa: F401  # declares the enum Stage
from api.context import Info
from api.errors import Refused, UserError
from api.filtering import enum
from api.timeline import content_consumed, timeline
from api.types import CountryCode, EmailAddress
from api.views import listed, related, shown, view
from domain import lead_intake
from domain.campaigns import Campaign
from domain.consent import Consent
from domain.customers import Customer
from domain.grades import Grade
from domain.handoff import Handoff
from domain.identity import User
from domain.lead_intake import UpsertedRow, UpsertOutcome
from domain.leads import Activity, ActivityKind, Agency, Company, ExternalId, Lead, LeadExternalId
from domain.lifecycle import StageEntry
from domain.next_steps import NextStep
from domain.opportunities import Opportunity
from domain.paging import Order
from domain.personas import Persona
from domain.ports import Work, by_id
from domain.prediction import LeadPrediction, predictions_of
from domain.provenance import LeadFact, LeadProvenance
from domain.scoring import Grading, gradings_of
from domain.sla.clocks import SlaClock
from domain.stages import Stage
from domain.threads import Thread
from domain.touches import Touch

if TYPE_CHECKING:
    from api.customers import CustomerView

enum(
    ActivityKind,
    "What was done.",
    CALL="A telephone call.",
    EMAIL="An e-mail.",
    MEETING="A meeting, in person or not.",
    NOTE="A note for colleagues; the buyer sees nothing of it.",
)
enum(
    Agency,
    "Whether a person did it.",
    HUMAN="A person did.",
    AUTOMATIC="Software did; this never keeps a promise of human touch.",
)
enum(
    UpsertOutcome,
    "What became of a row.",
    CREATED="A new one was stored.",
    UPDATED="The one there was has changed.",
    UNCHANGED="Nothing changed: all of this was said already, or who says so is believed less than"
    " who said otherwise.",
    REFUSED="Nothing was done, for the reasons in `userErrors`.",
)


@view(Company, description="A company that leads work for.")
class CompanyView:
    name: str = shown("Its name.")
    normal_name: str = shown(
        "Its name in small letters, without accents, marks and legal form; of companies without a"
        " domain, no other has it."
    )
    domain: str | None = shown("The domain it registered, which no other company has.")
    created_at: datetime = shown("When it was first seen.")
    version: int = shown("Goes up with every change; send it along to change what you have seen.")
    leads = listed(
        "api.leads.LeadView",
        Lead,
        by="company_id",
        description="The people who work there, the newest first.",
        order=(Order("created_at", descending=True),),
    )
    opportunities = listed(
        "api.opportunities.OpportunityView",
        Opportunity,
        by="company_id",
        description="The deals with it, the newest first.",
        order=(Order("opened_at", descending=True),),
    )
    customers = listed(
        "api.customers.CustomerView",
        Customer,
        by="company_id",
        description="Who of its people bought, the newest first.",
        order=(Order("bought_at", descending=True),),
    )


@view(Activity, description="Something that was done about a lead.")
class ActivityView:
    kind: ActivityKind = shown("What was done.")
    agency: Agency = shown("Whether a person did it.")
    answered: bool = shown("Whether the buyer was reached.")
    occurred_at: datetime = shown("When it was done.")
    recorded_at: datetime = shown("When we learnt of it.")
    text: str | None = shown("What there is to say about it.")
    lead = related("api.leads.LeadView", Lead, by="lead_id", description="The lead.")
    user = related(
        "api.identity.UserView",
        User,
        by="user_id",
        description="Who did it; null if it was automatic or reported by an integration.",
    )


@view(ExternalId, description="The name another system gave something.")
class ExternalIdView:
    source: str = shown("Which system.")
    value: str = shown("What it calls it.")


_Grading: TypeAlias = Annotated["GradingView", strawberry.lazy("api.scoring")]  # type: ignore[name-defined]  # noqa: F821  # named lazily, against a circle
_Prediction: TypeAlias = Annotated["LeadPredictionView", strawberry.lazy("api.prediction")]  # type: ignore[name-defined]  # noqa: F821  # as above


@view(Lead, description="A person who may become a customer.")
class LeadView:
    email: EmailAddress | None = shown("The e-mail address, which no other lead has.")
    phone: str | None = shown("The telephone number, in the form of E.164: +4930123456.")
    first_name: str | None = shown("The first name.")
    last_name: str | None = shown("The last name.")
    job_title: str | None = shown("What the person does in the company.")
    country: CountryCode | None = shown("Where the person is.")
    origin_source: str | None = shown("Where the person came from.")
    origin_medium: str | None = shown("By what medium the person came.")
    origin_campaign: str | None = shown("The campaign that brought the person.")
    do_not_contact: bool = shown("Whether the person must not be contacted.")
    do_not_contact_at: datetime | None = shown("Since when; null while they may be.")
    do_not_contact_reason: str | None = shown("Why.")
    score: int = shown("How promising the lead is, from -1000 to 1000.")
    stage: Stage = shown("How far the person has come.")
    stage_entered_at: datetime = shown("When the lead entered its stage.")
    created_at: datetime = shown("When the person was first seen.")
    updated_at: datetime = shown("When the lead was last changed.")
    fit: int | None = shown("How well the lead fits, in points; null without a scoring model.")
    grade: Grade | None = shown("Fit and engagement in one word, as lists are filtered by it.")
    edition: int = shown(
        "Goes up with every change that somebody makes, and not with what follows by rule; send it"
        " along to change what you have seen.",
        name="version",
    )
    company = related(
        CompanyView, Company, by="company_id", description="The company the person works for."
    )
    owner = related(
        "api.identity.UserView", User, by="owner_id", description="Who works on the lead."
    )
    persona = related(
        "api.personas.PersonaView",
        Persona,
        by="persona_id",
        description="The buyer persona the lead belongs to.",
    )
    campaign = related(
        "api.campaigns.CampaignView",
        Campaign,
        by="campaign_id",
        description="The campaign that its origin names, else the first that touched it.",
    )
    history = listed(
        "api.lifecycle.StageEntryView",
        StageEntry,
        by="lead_id",
        description="Every stage the lead has entered, the first one first.",
        order=(Order("entered_at"),),
    )
    activities = listed(
        ActivityView,
        Activity,
        by="lead_id",
        description="What was done about the lead, the latest first.",
        order=(Order("occurred_at", descending=True),),
    )
    handoffs = listed(
        "api.handoff.HandoffView",
        Handoff,
        by="lead_id",
        description="The lead's ways from marketing to sales, the latest first.",
        order=(Order("handed_off_at", descending=True),),
    )
    clocks = listed(
        "api.clocks.ClockView",
        SlaClock,
        by="lead_id",
        description="What sales owes the lead, the latest promise first.",
        order=(Order("started_at", descending=True),),
    )
    threads = listed(
        "api.threads.ThreadView",
        Thread,
        by="lead_id",
        description="What the teams say to each other about the lead, the latest first.",
        order=(Order("last_message_at", descending=True),),
    )
    next_steps = listed(
        "api.next_steps.NextStepView",
        NextStep,
        by="lead_id",
        description="What somebody meant to do next, the latest first.",
        order=(Order("set_at", descending=True),),
    )

    consents = listed(
        "api.consent.ConsentView",
        Consent,
        by="lead_id",
        description="What the person has said about being contacted and tracked, the latest first.",
        order=(Order("occurred_at", descending=True),),
    )

    @strawberry.field(
        description="Where each fact about the lead comes from, and what others say instead."
    )
    async def provenance(
        lead: strawberry.Parent[Any], info: Info
    ) -> list[Annotated[LeadFactView, strawberry.lazy("api.provenance")]]:  # type: ignore[name-defined]  # noqa: F821  # named lazily, against a circle
        return await info.context.load_with("Lead.provenance", _provenance, lead.id)  # type: ignore[no-any-return]  # LeadFact

    touches = listed(
        "api.touches.TouchView",
        Touch,
        by="lead_id",
        description="Each time the person met us, the latest first.",
        order=(Order("occurred_at", descending=True),),
    )
    timeline = timeline
    content_consumed = content_consumed
    opportunities = listed(
        "api.opportunities.OpportunityView",
        Opportunity,
        by="lead_id",
        description="The deals with this person, the newest first.",
        order=(Order("opened_at", descending=True),),
    )

    @strawberry.field(
        description="The customer this person is; null before anything was bought.",
        graphql_type=Annotated["CustomerView", strawberry.lazy("api.customers")] | None,
    )
    async def customer(lead: strawberry.Parent[Any], info: Info) -> Any:
        return await info.context.load_with("Lead.customer", _customers, lead.id)

    @strawberry.field(
        description="How the lead is graded this instant, and why; null without a scoring model."
    )
    async def grading(lead: strawberry.Parent[Any], info: Info) -> _Grading | None:
        return await info.context.load_with("Lead.grading", _gradings, lead.id)

    @strawberry.field(
        description="The chance of winning the lead; null until a prediction model is trained."
    )
    async def prediction(lead: strawberry.Parent[Any], info: Info) -> _Prediction | None:
        return await info.context.load_with("Lead.prediction", _predictions, lead)

    @strawberry.field(description="What other systems call the lead, by system.")
    async def external_ids(lead: strawberry.Parent[Any], info: Info) -> list[ExternalIdView]:
        return await info.context.load_with("Lead.externalIds", _external_ids, lead.id)  # type: ignore[no-any-return]  # ExternalId


async def _provenance(work: Work, lead_ids: Sequence[UUID]) -> list[Sequence[LeadFact]]:
    found = by_id(await work.find(LeadProvenance, id=lead_ids))
    trust = await lead_intake.trust_of(work)
    return [found[id].shown(trust) if id in found else () for id in lead_ids]


async def _customers(work: Work, lead_ids: Sequence[UUID]) -> list[Customer | None]:
    found = {each.lead_id: each for each in await work.find(Customer, lead_id=lead_ids)}
    return [found.get(lead_id) for lead_id in lead_ids]


async def _gradings(work: Work, lead_ids: Sequence[UUID]) -> list[Grading | None]:
    found = await gradings_of(work, lead_ids)
    return [found[lead_id] for lead_id in lead_ids]


async def _predictions(work: Work, leads: Sequence[Lead]) -> list[LeadPrediction | None]:
    found = await predictions_of(work, leads)
    return [found[lead.id] for lead in leads]


async def _external_ids(work: Work, lead_ids: Sequence[UUID]) -> list[Sequence[ExternalId]]:
    found = await work.find(LeadExternalId, lead_id=lead_ids)
    ordered = sorted(found, key=lambda name: (name.source, name.value))
    by_lead: dict[UUID, list[ExternalId]] = {lead_id: [] for lead_id in lead_ids}
    for name in ordered:
        by_lead[name.lead_id].append(ExternalId(name.source, name.value))
    return [by_lead[lead_id] for lead_id in lead_ids]


@view(UpsertedRow, name="LeadUpsertRow", description="What became of one row.")
class UpsertedRowView:
    index: int = shown("Which row, from 0.")
    outcome: UpsertOutcome = shown("What became of it.")
    lead: LeadView | None = shown("The lead as this request left it; null if refused.")

    @strawberry.field(description="Why it was refused; empty if it was not.")
    def user_errors(row: strawberry.Parent[Any]) -> list[UserError]:
        return [Refused(refusal) for refusal in row.refusals]  # type: ignore[misc]  # shown as errors
