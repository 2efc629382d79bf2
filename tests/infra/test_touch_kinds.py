"""Every way to meet us, by a person and by software, and what follows from it."""

from __future__ import annotations

from domain.content import AssetKind, ContentAsset
from domain.content_flow import ConsumedBy
from domain.ids import new_id
from domain.leads import Lead
from domain.scoring import PRESET, LeadGrading, activate_model, propose_model
from domain.touches import TouchKind
from infra.scoring import ScoreKeeper
from tests.journeys import DAY, a_campaign, a_deal, a_lead, a_stage, recounted, stored_credits
from tests.world import World

RECORD = """mutation($rows: [TouchRowInput!]!) { touchesRecord(input: {rows: $rows}) {
  rows { outcome userErrors { code path } } } }"""
# What the preset gives for each kind.
POINTS = {
    TouchKind.PAGE_VIEW: 2,
    TouchKind.FORM: 20,
    TouchKind.DOWNLOAD: 15,
    TouchKind.EMAIL_OPEN: 1,
    TouchKind.EMAIL_CLICK: 6,
    TouchKind.EVENT: 30,
    TouchKind.WEBINAR: 20,
    TouchKind.AD_CLICK: 4,
    TouchKind.CALL: 15,
    TouchKind.MEETING: 30,
    TouchKind.CHAT: 15,
}


async def told(world: World, agency: str) -> dict[TouchKind, Lead]:
    """Return a lead with a deal for each kind, after its one touch of a campaign's content."""
    leads = {kind: a_lead(world.now - DAY, email=f"{kind.lower()}@x.example") for kind in TouchKind}
    guide = ContentAsset(
        id=new_id(), title="Guide", kind=AssetKind.PAGE, created_at=world.now, url="https://a.b/c"
    )
    stage = a_stage(world.now)
    deals = [a_deal(world.now, lead=lead, stage=stage) for lead in leads.values()]
    async with world.work() as work:
        await work.add_all([*leads.values(), stage, guide, a_campaign(world.now, "spring"), *deals])
        model = await propose_model(work, world.actor(), name="Ours", terms=PRESET)
        await activate_model(work, world.actor(), model.id)
    await ScoreKeeper(world.database).score_all()
    url = "https://a.b/c?utm_campaign=spring"
    rows = [
        {"kind": kind, "agency": agency, "lead": {"email": lead.email}, "url": url}
        for kind, lead in leads.items()
    ]
    answer = await world.data(RECORD, {"rows": rows})
    assert answer["touchesRecord"]["rows"] == [{"outcome": "CREATED", "userErrors": []}] * len(rows)
    await ScoreKeeper(world.database).score_all()
    return leads


async def consumed(world: World, leads: dict[TouchKind, Lead]) -> list[list[int]]:
    async with world.work() as work:
        found = await work.ask(ConsumedBy(lead_ids=tuple(lead.id for lead in leads.values())))
    return [[each.times for each in of_one] for of_one in found]


async def scored(world: World, leads: dict[TouchKind, Lead]) -> dict[TouchKind, int]:
    async with world.work() as work:
        known = {grading.lead_id: grading for grading in await work.find(LeadGrading)}
    return {kind: known[lead.id].engagement for kind, lead in leads.items()}


async def with_campaign(world: World) -> int:
    async with world.work() as work:
        return sum(lead.campaign_id is not None for lead in await work.find(Lead))


async def test_what_a_person_does_is_scored_credited_and_told(world):
    leads = await told(world, "HUMAN")

    credits = await stored_credits(world)
    assert credits == await recounted(world)
    assert len({credit.opportunity_id for credit in credits.values()}) == len(TouchKind)
    assert await with_campaign(world) == len(TouchKind)
    assert await consumed(world, leads) == [[1]] * len(TouchKind)
    assert await scored(world, leads) == POINTS


async def test_what_software_does_counts_for_nothing(world):
    leads = await told(world, "AUTOMATIC")

    assert await stored_credits(world) == {}
    assert await with_campaign(world) == 0
    assert await consumed(world, leads) == [[]] * len(TouchKind)
    assert await scored(world, leads) == dict.fromkeys(TouchKind, 0)
