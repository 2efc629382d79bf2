"""Whatever changes a lead or what it touched has it graded anew."""

from __future__ import annotations

from dataclasses import replace

from domain.grades import Grade
from domain.ids import new_id, public
from domain.lifecycle import StageDefinition
from domain.merging import merge_leads, unmerge_leads
from domain.scoring import (
    LeadGrading,
    rescore_soon,
)
from domain.stages import Side, Stage
from domain.touches import TouchKind
from infra.scoring import ScoreKeeper
from tests.agreements import an_mql
from tests.api.scoring.scored import (
    TERMS,
    a_touch,
    add_leads,
    grading,
    of,
    scored_by,
    stored,
    touch,
)
from tests.world import World


async def test_a_new_lead_is_graded_as_it_comes_in_and_a_changed_one_anew(world: World) -> None:
    await scored_by(world)
    created = await world.data(
        """mutation { leadCreate(input: {email: "a@acme.example", jobTitle: "Head"}) {
          lead { id fit grade } userErrors { code } } }"""
    )
    lead = created["leadCreate"]["lead"]
    assert (lead["fit"], lead["grade"]) == (25, "B3")

    changed = await world.data(
        """mutation($id: ID!) { leadUpdate(input: {lead: {id: $id}, jobTitle: "Head of IT"}) {
          lead { fit grade grading { explanation { rules { points } } } } } }""",
        {"id": lead["id"]},
    )
    assert (changed["leadUpdate"]["lead"]["fit"], changed["leadUpdate"]["lead"]["grade"]) == (
        30,
        "A3",
    )


async def test_a_touch_that_is_told_over_the_api_counts(world: World) -> None:
    (lead,) = await add_leads(world, "Head of IT")
    await scored_by(world)
    answer = await world.data(
        """mutation($id: ID!) { touchRecord(input: {kind: PAGE_VIEW, lead: {id: $id}}) {
          touch { id } userErrors { code path message } } }""",
        {"id": public("Lead", lead.id)},
    )
    assert answer["touchRecord"]["userErrors"] == []
    assert (await grading(world, lead))["grade"] == "A2"
    await ScoreKeeper(world.database).score_all()
    assert of(await stored(world, lead)) == (30, 8, Grade.A2)


async def test_many_leads_at_once_are_graded_as_they_come_in(world: World) -> None:
    (known,) = await add_leads(world, "Clerk")
    await scored_by(world)
    await touch(world, known, TouchKind.PAGE_VIEW)
    rows = [
        {"email": known.email, "jobTitle": "Head of IT"},
        {"email": "new@acme.example", "jobTitle": "Head"},
        {"email": "new@acme.example", "country": "IE"},
    ]
    answer = await world.data(
        """mutation($rows: [LeadRowInput!]!) { leadsUpsert(input: {rows: $rows}) {
          rows { outcome lead { grade grading { engagement } } } userErrors { code } } }""",
        {"rows": rows},
    )
    assert answer["leadsUpsert"]["rows"] == [
        {"outcome": "UPDATED", "lead": {"grade": "A2", "grading": {"engagement": 8}}},
        {"outcome": "CREATED", "lead": {"grade": "B3", "grading": {"engagement": 0}}},
        {"outcome": "UPDATED", "lead": {"grade": "B3", "grading": {"engagement": 0}}},
    ]
    async with world.work() as work:
        assert len(await work.find(LeadGrading)) == 2


async def test_what_was_touched_stays_when_a_lead_changes(world: World) -> None:
    (lead,) = await add_leads(world, "Head of IT")
    await scored_by(world)
    await touch(world, lead, TouchKind.PAGE_VIEW)
    world.wait(days=10)
    answer = await world.data(
        """mutation($id: ID!) { leadUpdate(input: {lead: {id: $id}, jobTitle: "Clerk"}) {
          lead { grade } userErrors { code } } }""",
        {"id": public("Lead", lead.id)},
    )
    assert answer["leadUpdate"] == {"lead": {"grade": "C3"}, "userErrors": []}
    assert of(await stored(world, lead)) == (0, 4, Grade.C3)


async def test_a_grade_can_make_an_mql(world: World) -> None:
    definition = StageDefinition(
        id=new_id(),
        stage=Stage.MQL,
        number=1,
        words="Fits, and does something.",
        owner_side=Side.MARKETING,
        criterion={"grade": {"gte": "A2"}},
        effective_at=world.now,
        proposed_by=world.marketer.id,
        proposed_at=world.now,
        marketing_signed_by=world.marketer.id,
        marketing_signed_at=world.now,
        sales_signed_by=world.rep.id,
        sales_signed_at=world.now,
    )
    lead = replace(an_mql(world.now, job_title="Head of IT"), stage=Stage.LEAD)
    async with world.work() as work:
        await work.add_all([definition, lead])
    await scored_by(world)
    assert (await stored(world, lead)).stage is Stage.LEAD

    await touch(world, lead, TouchKind.PAGE_VIEW)

    assert (await stored(world, lead)).stage is Stage.MQL


async def test_a_persona_that_takes_a_lead_has_it_scored_anew(world: World) -> None:
    terms = {
        **TERMS,
        "fit": [
            {
                "name": "Ours",
                "cap": 30,
                "rules": [
                    {"name": "Ours", "criterion": {"personaId": {"isNull": False}}, "points": 30}
                ],
            }
        ],
    }
    (lead,) = await add_leads(world, "Head")
    await scored_by(world, terms)
    assert (await stored(world, lead)).grade is Grade.C3
    await world.data(
        """mutation { personaCreate(input: {name: "Helga", jobTitle: "Head",
          criterion: {jobTitle: {contains: "head"}}}) { userErrors { code } } }"""
    )
    await ScoreKeeper(world.database).score_all()
    assert (await stored(world, lead)).grade is Grade.A3


async def test_a_campaign_that_adopts_a_lead_and_its_touches_has_it_scored_anew(
    world: World,
) -> None:
    """Both rules ask for a campaign that is made after the lead and the touch are there."""
    belongs = {"campaignId": {"isNull": False}}
    terms = {
        **TERMS,
        "fit": [
            {
                "name": "Ours",
                "cap": 30,
                "rules": [{"name": "Ours", "criterion": belongs, "points": 30}],
            }
        ],
        "engagement": [
            {**TERMS["engagement"][0], "rules": [{"name": "C", "criterion": belongs, "points": 8}]}
        ],
    }
    (lead,) = await add_leads(world, "Head")
    async with world.work() as work:
        await work.add(a_touch(lead, world.now, utm_campaign="spring"))
    await scored_by(world, terms)
    assert of(await stored(world, lead)) == (0, 0, Grade.C3)
    await world.data(
        """mutation { campaignCreate(input: {code: "spring", name: "Spring"}) {
          userErrors { code } } }"""
    )
    await ScoreKeeper(world.database).score_all()
    assert of(await stored(world, lead)) == (30, 8, Grade.A2)


async def test_merged_leads_are_scored_by_what_both_touched_and_parted_ones_by_their_own(
    world: World,
) -> None:
    winner, loser = await add_leads(world, "Head of IT", "Clerk")
    await scored_by(world)
    for each in (winner, loser):
        await touch(world, each, TouchKind.PAGE_VIEW)
    async with world.work() as work:
        merge = await merge_leads(work, world.actor(), winner.id, [loser.id])
    assert of(await stored(world, winner)) == (30, 15, Grade.A1)
    async with world.work() as work:
        assert [each.lead_id for each in await work.find(LeadGrading)] == [winner.id]
        await unmerge_leads(work, world.actor(), merge.id)
    assert of(await stored(world, winner)) == (30, 8, Grade.A2)
    assert of(await stored(world, loser)) == (0, 8, Grade.C2)


async def test_a_touch_that_is_told_late_counts_as_if_it_had_come_in_time(world: World) -> None:
    early, late = await add_leads(world, "Head", "Head")
    await scored_by(world)
    at = world.now
    await touch(world, early, TouchKind.PAGE_VIEW)
    world.wait(days=10)
    async with world.work() as work:
        await work.add(a_touch(late, at))
        await rescore_soon(work, [early.id, late.id])
    await ScoreKeeper(world.database).score_all()
    assert of(await stored(world, late)) == of(await stored(world, early)) == (25, 4, Grade.B3)
