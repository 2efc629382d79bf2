from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domain.errors import DomainError
from domain.events import LeadGraded
from domain.grades import Grade
from domain.identity import system
from domain.ids import new_id, public
from domain.leads import Agency, Lead
from domain.lifecycle import StageDefinition
from domain.scoring import (
    EngagementSums,
    LeadGrading,
    ScoringModel,
    TouchRule,
    active_model,
    rescore,
    rescore_soon,
    score_next,
    sweep_gradings,
)
from domain.scoring.points import engagement_from
from domain.scoring.rescoring import engagements
from domain.stages import Side, Stage
from domain.touches import Channel, Touch, TouchKind
from infra.database import Database
from infra.scoring import ScoreKeeper
from tests.agreements import an_mql
from tests.world import World

PROPOSE = """mutation($input: ScoringModelProposeInput!) { scoringModelPropose(input: $input) {
  scoringModel { id number status name } userErrors { code path }
}}"""
ACTIVATE = """mutation($id: ID!) { scoringModelActivate(input: {model: $id}) {
  scoringModel { number status isScoring scored } userErrors { code path }
}}"""
GRADING = """query($id: ID!) { lead(ref: {id: $id}) { fit grade grading {
  fit engagement grade asOf nextChangeAt model { number }
  explanation { part name cap points counted capped rules { name points touches halfLifeDays } }
}}}"""
GRADED = """query($filter: LeadFilter) {
  leads(filter: $filter, orderBy: [{field: GRADE}]) { nodes { email grade } }
}"""
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
    "a": 30,
    "b": 20,
    "one": 15,
    "two": 5,
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


async def test_nobody_is_graded_without_a_model(world: World) -> None:
    (lead,) = await add_leads(world, "Head of IT")
    await touch(world, lead, TouchKind.PAGE_VIEW)
    data = await world.data(GRADING, {"id": public("Lead", lead.id)})
    assert data == {"lead": {"fit": None, "grade": None, "grading": None}}


async def test_activating_a_model_grades_the_leads_there_are(world: World) -> None:
    head, clerk = await add_leads(world, "Head of IT", "Clerk")
    await touch(world, head, TouchKind.PAGE_VIEW)

    payload = await activate(world, await propose(world, TERMS))

    model = {"number": 1, "status": "ACTIVE", "isScoring": True, "scored": 2}
    assert payload == {"scoringModel": model, "userErrors": []}
    assert of(await stored(world, head)) == (30, 8, Grade.A2)
    assert of(await stored(world, clerk)) == (0, 0, Grade.C3)


async def test_a_grade_is_explained_rule_by_rule(world: World) -> None:
    (lead,) = await add_leads(world, "Head of IT")
    await scored_by(world)
    await touch(world, lead, *[TouchKind.PAGE_VIEW] * 2, TouchKind.CALL)

    assert await grading(world, lead) == {
        "fit": 30,
        "engagement": 15,
        "grade": "A1",
        "asOf": "2026-03-10T12:00:00Z",
        # The sixteen points of two pages are fifteen after log2(16/15) half-lives.
        "nextChangeAt": "2026-03-11T10:20:47Z",
        "model": {"number": 1},
        "explanation": [
            {
                "part": "FIT",
                "name": "Role",
                "cap": 30,
                "points": "35",
                "counted": "30",
                "capped": True,
                "rules": [
                    {"name": "Head", "points": "25", "touches": None, "halfLifeDays": None},
                    {"name": "IT", "points": "10", "touches": None, "halfLifeDays": None},
                ],
            },
            {
                "part": "ENGAGEMENT",
                "name": "Pages",
                "cap": 15,
                "points": "16.000000",
                "counted": "15",
                "capped": True,
                "rules": [
                    {"name": "Page", "points": "16.000000", "touches": 2, "halfLifeDays": 10}
                ],
            },
        ],
    }


async def test_a_read_tells_what_is_left_though_no_worker_runs(world: World) -> None:
    (lead,) = await add_leads(world, "Head of IT")
    await scored_by(world)
    await touch(world, lead, TouchKind.PAGE_VIEW)
    world.wait(days=10)

    found = await grading(world, lead)

    assert (found["engagement"], found["grade"]) == (4, "A3")
    assert (await stored(world, lead)).grade is Grade.A2  # as lists show it until the sweep


async def test_the_worker_keeps_the_lists_true(world: World) -> None:
    (lead,) = await add_leads(world, "Head of IT")
    await scored_by(world)
    await touch(world, lead, TouchKind.PAGE_VIEW)
    keeper = ScoreKeeper(world.database)
    at = datetime.fromisoformat((await grading(world, lead))["nextChangeAt"])

    world.at(at - timedelta(seconds=1))
    await keeper.score_all()
    assert of(await stored(world, lead)) == (30, 8, Grade.A2)

    world.at(at)
    await keeper.score_all()
    assert of(await stored(world, lead)) == (30, 7, Grade.A2)

    world.wait(days=90)
    await keeper.score_all()
    assert of(await stored(world, lead)) == (30, 0, Grade.A3)
    async with world.work() as work:
        [kept] = await work.find(LeadGrading, lead_id=lead.id)
    assert kept.changes_at is None


async def test_lists_are_filtered_and_ordered_by_grade(world: World) -> None:
    leads = await add_leads(world, "Clerk", "Head of IT", "Head")
    await scored_by(world)
    await touch(world, leads[2], TouchKind.PAGE_VIEW)

    found = await world.data(GRADED, {"filter": {"grade": {"gte": "B2"}}})
    assert [each["grade"] for each in found["leads"]["nodes"]] == ["A3", "B2"]
    found = await world.data(GRADED, {"filter": {"fit": {"lt": 25}}})
    assert [each["email"] for each in found["leads"]["nodes"]] == [leads[0].email]


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


async def test_what_was_touched_counts_at_once_and_in_lists_when_the_worker_has_been(
    world: World,
) -> None:
    (lead,) = await add_leads(world, "Head of IT")
    await scored_by(world)
    async with world.work() as work:
        await work.add(a_touch(lead, world.now))
        await rescore_soon(work, [lead.id])

    found = await grading(world, lead)
    assert (found["engagement"], found["grade"]) == (8, "A2")
    assert (await stored(world, lead)).grade is Grade.A3
    await world.data(
        """mutation($id: ID!) { leadUpdate(input: {lead: {id: $id}, country: "IE"}) {
          userErrors { code } } }""",
        {"id": public("Lead", lead.id)},
    )
    assert (await grading(world, lead))["grade"] == "A2"  # the change has not hidden the touch

    await ScoreKeeper(world.database).score_all()
    assert of(await stored(world, lead)) == (30, 8, Grade.A2)


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


async def test_a_touch_that_is_stored_while_the_worker_scores_is_not_lost(world: World) -> None:
    (lead,) = await add_leads(world, "Head of IT")
    await scored_by(world)

    async def score() -> None:
        async with world.work() as work:
            await rescore(work, [lead.id])

    async with world.work() as storing:
        await storing.add(a_touch(lead, world.now))
        await rescore_soon(storing, [lead.id])
        scoring = asyncio.create_task(score())
        done, _ = await asyncio.wait([scoring], timeout=0.3)
        assert not done  # it waits until the touch can be seen
    await scoring
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


async def test_a_grade_that_changes_is_told_and_no_personal_data_with_it(world: World) -> None:
    (lead,) = await add_leads(world, "Head of IT")
    await scored_by(world)
    async with world.work() as work:
        await work.add(a_touch(lead, world.now))
        await rescore(work, [lead.id])
        told = [each for each in work._events if isinstance(each, LeadGraded)]
        await rescore(work, [lead.id])
        assert [each for each in work._events if isinstance(each, LeadGraded)] == told
    assert told == [LeadGraded(at=world.now, lead_id=lead.id, grade=Grade.A2)]


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


async def test_a_change_is_a_new_version_and_grades_everybody_anew(world: World) -> None:
    (lead,) = await add_leads(world, "Head of IT")
    first = await scored_by(world)
    second = await propose(world, {**TERMS, "a": 40})
    assert (await stored(world, lead)).grade is Grade.A3

    await activate(world, second)

    assert (await stored(world, lead)).grade is Grade.B3
    async with world.work() as work:
        models = await work.find(ScoringModel)
    assert [(m.number, m.status.value, m.ceased_at is None) for m in models] == [
        (1, "CEASED", False),
        (2, "ACTIVE", True),
    ]
    again = await activate(world, first)
    assert again["userErrors"] == [{"code": "SCORING_MODEL_NOT_PROPOSED", "path": ["model"]}]


async def test_many_leads_are_graded_in_the_background_and_the_count_shows_it(
    world: World,
) -> None:
    leads = await add_leads(world, *["Head"] * 5)
    id = await scored_by(world)
    async with world.work() as work:
        model = await active_model(work)
        assert model is not None
        await work.save(replace(model, scoring_after=UUID(int=0), scored=0))
        for lead in await work.find(Lead):
            await work.save(replace(lead, grade=None))
    for expected in (2, 4, 5):
        async with world.work() as work:
            assert await score_next(work, system(world.tenant.id), limit=2) is (expected < 5)
            assert (await work.get(ScoringModel, model.id)).scored == expected
    assert [(await stored(world, lead)).grade for lead in leads] == [Grade.B3] * 5

    world.wait(minutes=1)
    await ScoreKeeper(world.database).score_all()
    data = await world.data(
        "query($id: ID!) { scoringModel(id: $id) { isScoring scored } }", {"id": id}
    )
    assert data["scoringModel"] == {"isScoring": False, "scored": 5}


async def test_a_preview_says_what_would_change_and_changes_nothing(world: World) -> None:
    leads = await add_leads(world, "Head of IT", "Clerk")
    await scored_by(world)
    id = await propose(world, {**TERMS, "a": 40})
    data = await world.data(
        """query($id: ID!) { scoringPreview(model: $id) { sampled changed model { number }
          grades { grade now then } leads { now then { grade fit } lead { email } } } }""",
        {"id": id},
    )
    preview = data["scoringPreview"]
    assert (preview["sampled"], preview["changed"], preview["model"]) == (2, 1, {"number": 2})
    assert [each for each in preview["grades"] if each["now"] or each["then"]] == [
        {"grade": "A3", "now": 1, "then": 0},
        {"grade": "B3", "now": 0, "then": 1},
        {"grade": "C3", "now": 1, "then": 1},
    ]
    assert preview["leads"] == [
        {"now": "A3", "then": {"grade": "B3", "fit": 30}, "lead": {"email": leads[0].email}}
    ]
    assert (await stored(world, leads[0])).grade is Grade.A3
    wrong = await world.ask(
        "query($id: ID!) { scoringPreview(model: $id, sample: 0) { sampled } }", {"id": id}
    )
    assert wrong["data"] is None


async def test_the_preset_is_offered_and_proposed_as_it_is(world: World) -> None:
    data = await world.data("{ scoringPreset { a b one two engagementCap fit { name cap } } }")
    assert data["scoringPreset"]["fit"][0] == {"name": "Role", "cap": 50}
    await activate(world, await propose(world))
    data = await world.data("{ scoringModels { nodes { terms { a engagementCap } status } } }")
    terms = {"a": 60, "engagementCap": 100}
    assert data["scoringModels"]["nodes"] == [{"terms": terms, "status": "ACTIVE"}]


async def test_a_model_that_makes_no_sense_is_refused_and_nothing_is_kept(world: World) -> None:
    answer = await world.data(PROPOSE, {"input": {"name": " ", "terms": TERMS}}, as_=world.marketer)
    assert answer["scoringModelPropose"]["userErrors"] == [{"code": "INVALID", "path": ["name"]}]
    wrong = {**TERMS, "a": 20, "engagementCap": 0}
    answer = await world.data(PROPOSE, {"input": {"name": "x", "terms": wrong}}, as_=world.marketer)
    assert answer["scoringModelPropose"] == {
        "scoringModel": None,
        "userErrors": [
            {"code": "THRESHOLDS_NOT_DESCENDING", "path": ["terms", "a"]},
            {"code": "OUT_OF_RANGE", "path": ["terms", "engagementCap"]},
        ],
    }
    async with world.work() as work:
        assert await work.find(ScoringModel) == []


async def test_who_may_not_edit_scoring_proposes_nothing(world: World) -> None:
    answer = await world.ask(PROPOSE, {"input": {"name": "Mine"}}, as_=world.other_rep)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_the_database_adds_up_what_the_rules_say(world: World) -> None:
    """The statement and the rules in plain Python agree on the touches of two hundred days."""
    leads = await add_leads(world, "Head", None)
    await scored_by(world)
    async with world.work() as work:
        model = await active_model(work)
        assert model is not None
        kinds = list(TouchKind)
        touches = [
            a_touch(leads[n % 2], world.now - timedelta(hours=7 * n), kinds[n % len(kinds)])
            for n in range(700)
        ]
        await work.add_all(touches)
        found = await engagements(work, model.terms, [lead.id for lead in leads], at=world.now)
    for lead in leads:
        mine = [(each, each.occurred_at) for each in touches if each.lead_id == lead.id]
        anew = engagement_from(model.terms, mine, at=world.now)
        assert found[lead.id].touches == anew.touches
        for summed, reckoned in zip(found[lead.id].sums, anew.sums, strict=True):
            assert abs(summed - reckoned) < Decimal("0.0005")


async def test_touches_of_another_tenant_count_for_nobody_here(
    world: World, other_world: World
) -> None:
    (lead,), (theirs,) = await add_leads(world, "Head"), await add_leads(other_world, "Head")
    await scored_by(world)
    await scored_by(other_world)
    await touch(other_world, theirs, TouchKind.PAGE_VIEW)
    async with world.work() as work:
        model = await active_model(work)
        assert model is not None
        found = await engagements(work, model.terms, [lead.id, theirs.id], at=world.now)
    assert [each.touches for each in found.values()] == [(0,), (0,)]


async def test_a_lead_that_somebody_holds_is_swept_later(world: World, database: Database) -> None:
    (lead,) = await add_leads(world, "Head")
    await scored_by(world)
    await touch(world, lead, TouchKind.PAGE_VIEW)
    world.wait(days=30)
    async with world.work() as holding:
        await holding.get(Lead, lead.id, lock=True)
        async with world.work() as work:
            assert await sweep_gradings(work, system(world.tenant.id)) == 0
    async with world.work() as work:
        assert await sweep_gradings(work, system(world.tenant.id)) == 1


async def test_only_who_may_sweeps(world: World) -> None:
    async with world.work() as work:
        with pytest.raises(DomainError, match="EDIT_SCORING"):
            await sweep_gradings(work, world.actor(world.analyst))


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


async def test_no_rules_ask_nothing(world: World) -> None:
    (lead,) = await add_leads(world, "Head")
    async with world.work() as work:
        question = EngagementSums(lead_ids=(lead.id,), rules=tuple[TouchRule, ...](), at=world.now)
        assert (await work.ask(question))[lead.id].sums == ()
