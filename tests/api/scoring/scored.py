"""A scoring model, leads it grades, and how they stand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain.grades import Grade
from domain.ids import new_id, public
from domain.leads import Agency, Lead
from domain.scoring import (
    rescore,
)
from domain.touches import Channel, Touch, TouchKind
from tests.agreements import an_mql
from tests.world import World

PROPOSE = """mutation($input: ScoringModelProposeInput!) { scoringModelPropose(input: $input) {
  scoringModel { id number status name } userErrors { code path }
}}"""


ACTIVATE = """mutation($id: ID!) { scoringModelActivate(input: {model: $id}) {
  scoringModel { number status isScoring scored } userErrors { code path }
}}"""


GRADING = """query($id: ID!) { lead(ref: {id: $id}) { fit grade grading {
  fit engagement engagementPoints engagementCap grade asOf nextChangeAt model { number }
  explanation { part name cap points counted capped rules { name points touches halfLifeDays } }
}}}"""


TERMS: dict[str, Any] = {
    "fit": [
        {
            "name": "Role",
            "cap": 30,
            "rules": [
                {"name": "Head", "criterion": {"jobTitle": {"contains": "head"}}, "points": 25},
                {"name": "IT", "criterion": {"jobTitle": {"contains": "it"}}, "points": 10},
            ],
        }
    ],
    "engagement": [
        {
            "name": "Pages",
            "cap": 15,
            "halfLifeDays": 10,
            "rules": [
                {"name": "Page", "criterion": {"kind": {"eq": "PAGE_VIEW"}}, "points": 8},
            ],
        }
    ],
    "engagementCap": 50,
    "fitForA": 30,
    "fitForB": 20,
    "engagementFor1": 15,
    "engagementFor2": 5,
}


async def propose(world: World, terms: dict[str, Any] | None = None) -> str:
    given: dict[str, Any] = {"name": "Ours"} | ({"terms": terms} if terms else {})
    answer = await world.data(PROPOSE, {"input": given}, as_=world.marketer)
    assert answer["scoringModelPropose"]["userErrors"] == []
    id: str = answer["scoringModelPropose"]["scoringModel"]["id"]
    return id


async def activate(world: World, id: str) -> dict[str, Any]:
    answer = await world.data(ACTIVATE, {"id": id}, as_=world.marketer)
    payload: dict[str, Any] = answer["scoringModelActivate"]
    return payload


async def scored_by(world: World, terms: dict[str, Any] = TERMS) -> str:
    id = await propose(world, terms)
    assert (await activate(world, id))["userErrors"] == []
    return id


async def add_leads(world: World, *titles: str | None) -> list[Lead]:
    leads = [an_mql(world.now, n, job_title=title) for n, title in enumerate(titles)]
    async with world.work() as work:
        await work.add_all(leads)
    return leads


def a_touch(lead: Lead, at: datetime, kind: TouchKind = TouchKind.PAGE_VIEW, **more: Any) -> Touch:
    return Touch(
        id=new_id(),
        kind=kind,
        channel=Channel.DIRECT,
        agency=Agency.HUMAN,
        occurred_at=at,
        recorded_at=at,
        lead_id=lead.id,
        **more,
    )


async def touch(world: World, lead: Lead, *kinds: TouchKind) -> None:
    async with world.work() as work:
        await work.add_all([a_touch(lead, world.now, kind) for kind in kinds])
        await rescore(work, [lead.id])


async def stored(world: World, lead: Lead) -> Lead:
    async with world.work() as work:
        found: Lead = await work.get(Lead, lead.id)
        return found


async def grading(world: World, lead: Lead) -> dict[str, Any]:
    data = await world.data(GRADING, {"id": public("Lead", lead.id)})
    found: dict[str, Any] = data["lead"]["grading"]
    return found


def of(lead: Lead) -> tuple[int | None, int | None, Grade | None]:
    return lead.fit, lead.engagement, lead.grade
