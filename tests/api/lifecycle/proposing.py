"""What a stage takes: proposed, agreed on, and the leads it is about."""

from __future__ import annotations

from typing import Any

from domain.identity import User
from domain.ids import new_id, public
from domain.leads import Lead
from domain.stages import Stage
from tests.world import World

PROPOSE = """mutation($input: StageDefinitionProposeInput!) {
 stageDefinitionPropose(input: $input) {
  stageDefinition { id stage number words ownerSide criterion criterionText effectiveAt proposedAt
    isPending signedAt marketingSignedAt salesSignedAt proposedBy { name }
    marketingSignedBy { name } salesSignedBy { name } }
  userErrors { code path }
}}"""
SIGN = """mutation($id: ID!) { stageDefinitionSign(input: {definition: $id}) {
  stageDefinition { number isPending effectiveAt signedAt salesSignedBy { name } }
  userErrors { code path }
}}"""
CREATE = """mutation($input: LeadCreateInput!) { leadCreate(input: $input) {
  lead { stage history { nodes { stage definition { number } } } } userErrors { code } } }"""
MQL: dict[str, Any] = {
    "stage": "MQL",
    "words": "Asked for a demo.",
    "ownerSide": "MARKETING",
    "criterion": {"score": {"gte": "50"}},
}


async def propose(world: World, as_: User | None = None, **change: Any) -> dict[str, Any]:
    answer = await world.data(PROPOSE, {"input": {**MQL, **change}}, as_=as_ or world.marketer)
    payload: dict[str, Any] = answer["stageDefinitionPropose"]
    return payload


async def agree(world: World, **change: Any) -> str:
    """Have both sides sign a definition and return its id."""
    proposed = await propose(world, **change)
    assert proposed["userErrors"] == []
    id: str = proposed["stageDefinition"]["id"]
    signed = await world.data(SIGN, {"id": id}, as_=world.rep)
    assert signed["stageDefinitionSign"]["userErrors"] == []
    return id


async def add_lead(world: World, stage: Stage = Stage.LEAD, **more: Any) -> Lead:
    async with world.work() as work:
        lead: Lead = await work.add(
            Lead(
                id=new_id(),
                stage=stage,
                stage_entered_at=world.now,
                created_at=world.now,
                updated_at=world.now,
                **more,
            )
        )
    return lead


async def stored(world: World, kind: type) -> list[Any]:
    async with world.work() as work:
        return list(await work.find(kind))


def ref(lead: Lead) -> dict[str, str]:
    return {"id": public("Lead", lead.id)}
