"""A lead of whom much is known, and the briefs that tell it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from domain.content import AssetKind, ContentAsset, JourneyStage
from domain.ids import new_id, public
from domain.leads import Agency, Company, Lead
from domain.personas import Persona
from domain.touches import Channel, Touch, TouchKind
from tests.agreements import an_mql
from tests.world import World

FIELDS = """doNotContact mayBeCalled mayBeWrittenTo phoneWithdrawnAt emailWithdrawnAt
  asOf who { name email phone jobTitle company country origin stage }
  persona { name number jobTitle goals challenges }
  read { title kind topic journeyStage times lastAt } grade fit engagement
  reasons { part rule points } openQuestions
  suggestion { title kind url reason } opener"""
BRIEF = f"query($id: ID!) {{ callBrief(lead: {{id: $id}}) {{ {FIELDS} }} }}"
FROZEN = f"query($id: ID!) {{ handoff(id: $id) {{ brief {{ {FIELDS} }} }} }}"


async def a_known_lead(world: World) -> Lead:
    """Store a lead who read a page twice and a paper once, and what there is to send."""
    company = Company(id=new_id(), name="Initech", created_at=world.now)
    persona = Persona(
        id=new_id(),
        name="Helga",
        job_title="Head of IT",
        goals=("Sleep at night",),
        challenges=("No budget",),
        buying_questions=("What does it cost?",),
        criterion=None,
        rank=1,
        number=1,
        created_at=world.now,
    )
    lead = an_mql(
        world.now,
        first_name="Ada",
        last_name="Byron",
        job_title="Head of IT",
        country="IE",
        company_id=company.id,
        persona_id=persona.id,
        origin_source="fair",
        origin_medium="stand",
    )
    page = asset(world, "Why nights are short", AssetKind.PAGE, JourneyStage.AWARENESS)
    paper = asset(world, "Ways to sleep", AssetKind.WHITEPAPER, JourneyStage.CONSIDERATION)
    costs = asset(world, "What it costs", AssetKind.ARTICLE, JourneyStage.DECISION)
    machine = replace(touch(world, lead, costs, hours=1), agency=Agency.AUTOMATIC)
    async with world.work() as work:
        await work.add_all([company, persona, lead, page, paper, costs])
        await work.add_all([touch(world, lead, page, hours=n) for n in (50, 30)])
        await work.add_all([touch(world, lead, paper, hours=2), machine])
    return lead


def asset(world: World, title: str, kind: AssetKind, stage: JourneyStage) -> ContentAsset:
    return ContentAsset(
        id=new_id(),
        title=title,
        kind=kind,
        created_at=world.now,
        topic="sleep",
        journey_stage=stage,
        url=f"https://acme.example/{new_id().hex}",
    )


def touch(world: World, lead: Lead, about: ContentAsset, *, hours: int) -> Touch:
    at = world.now - timedelta(hours=hours)
    return Touch(
        id=new_id(),
        kind=TouchKind.PAGE_VIEW,
        channel=Channel.DIRECT,
        agency=Agency.HUMAN,
        occurred_at=at,
        recorded_at=at,
        lead_id=lead.id,
        asset_id=about.id,
    )


async def brief_of(world: World, lead: Lead) -> dict[str, Any]:
    data = await world.data(BRIEF, {"id": public("Lead", lead.id)}, as_=world.rep)
    found: dict[str, Any] = data["callBrief"]
    return found


async def frozen(world: World, handoff_id: Any) -> dict[str, Any] | None:
    data = await world.data(FROZEN, {"id": public("Handoff", handoff_id)}, as_=world.rep)
    found: dict[str, Any] | None = data["handoff"]["brief"]
    return found
