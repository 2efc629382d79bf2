from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from domain import handoff_flow
from domain.briefs import HandoffBrief
from domain.consent import ConsentPurpose, ConsentStatus, LegalBasis
from domain.consenting import record_consent
from domain.content import AssetKind, ContentAsset, JourneyStage
from domain.ids import new_id, public
from domain.leads import Agency, Company, Lead
from domain.merging import merge_leads
from domain.personas import Persona
from domain.stages import Stage
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


async def test_a_brief_tells_what_is_known_before_a_call(world: World) -> None:
    lead = await a_known_lead(world)

    brief = await brief_of(world, lead)

    suggestion = brief.pop("suggestion")
    assert (suggestion["title"], suggestion["reason"]) == (
        "What it costs",
        "Not read yet; for the stage DECISION; on sleep, which was read about last.",
    )
    assert brief == {
        "doNotContact": False,
        "mayBeCalled": True,
        "mayBeWrittenTo": True,
        "phoneWithdrawnAt": None,
        "emailWithdrawnAt": None,
        "asOf": "2026-03-10T12:00:00Z",
        "who": {
            "name": "Ada Byron",
            "email": lead.email,
            "phone": None,
            "jobTitle": "Head of IT",
            "company": "Initech",
            "country": "IE",
            "origin": "fair / stand",
            "stage": "MQL",
        },
        "persona": {
            "name": "Helga",
            "number": 1,
            "jobTitle": "Head of IT",
            "goals": ["Sleep at night"],
            "challenges": ["No budget"],
        },
        "read": [
            {
                "title": "Ways to sleep",
                "kind": "WHITEPAPER",
                "topic": "sleep",
                "journeyStage": "CONSIDERATION",
                "times": 1,
                "lastAt": "2026-03-10T10:00:00Z",
            },
            {
                "title": "Why nights are short",
                "kind": "PAGE",
                "topic": "sleep",
                "journeyStage": "AWARENESS",
                "times": 2,
                "lastAt": "2026-03-09T06:00:00Z",
            },
        ],
        "grade": None,
        "fit": None,
        "engagement": None,
        "reasons": [],
        "openQuestions": ["What does it cost?"],
        "opener": 'Hello Ada, you read "Ways to sleep" on 10 March.'
        '  Is "Sleep at night" something you want to reach?',
    }


async def test_a_brief_says_why_the_lead_has_its_grade(world: World) -> None:
    lead = await a_known_lead(world)
    data = await world.data(
        """mutation { scoringModelPropose(input: {name: "Preset"}) { scoringModel { id } } }"""
    )
    id = data["scoringModelPropose"]["scoringModel"]["id"]
    await world.data(
        "mutation($id: ID!) { scoringModelActivate(input: {model: $id}) { userErrors { code } } }",
        {"id": id},
    )

    brief = await brief_of(world, lead)

    assert (brief["grade"], brief["fit"], brief["engagement"]) == ("A3", 95, 5)
    assert brief["reasons"][:2] == [
        {"part": "FIT", "rule": "One of our personas", "points": 30},
        {"part": "FIT", "rule": "Company known", "points": 20},
    ]


async def test_a_hand_off_keeps_what_was_known_then(world: World) -> None:
    lead = await a_known_lead(world)
    before = await brief_of(world, lead)
    async with world.work() as work:
        handoff = await handoff_flow.hand_off(work, world.actor(world.marketer), lead.id)

    world.wait(days=3)
    async with world.work() as work:
        now = await work.get(Lead, lead.id)
        await work.save(replace(now, first_name="Augusta", job_title="Retired"))
        persona = await work.get(Persona, lead.persona_id)
        await work.save(replace(persona, goals=("Wake up",), number=2))

    assert await frozen(world, handoff.id) == before
    assert (await brief_of(world, lead))["who"]["name"] == "Augusta Byron"


async def test_a_frozen_brief_stays_the_same_whatever_becomes_of_all_it_tells_of(
    world: World,
) -> None:
    """Assets, touches, the company, the scoring, and a merge that takes the lead away."""
    lead = await a_known_lead(world)
    async with world.work() as work:
        handoff = await handoff_flow.hand_off(work, world.actor(world.marketer), lead.id)
    before = await frozen(world, handoff.id)
    world.wait(days=3)
    winner = an_mql(world.now, 7, stage=Stage.SAL)
    async with world.work() as work:
        for each in await work.find(ContentAsset):
            await work.save(replace(each, title="Gone", topic=None, archived_at=world.now))
        company = await work.get(Company, lead.company_id)
        await work.save(replace(company, name="Umbrella"))
        await work.add(winner)
        await merge_leads(work, world.actor(), winner.id, [lead.id])
    assert await frozen(world, handoff.id) == before
    # Asked for by its old name, the lead is the winner now, with what it has read.
    now = await brief_of(world, lead)
    assert now["who"]["email"] == winner.email
    assert [each["title"] for each in now["read"]] == ["Gone", "Gone"]


async def test_what_was_known_cannot_be_rewritten_even_by_our_own_role(world: World) -> None:
    lead = await a_known_lead(world)
    async with world.work() as work:
        await handoff_flow.hand_off(work, world.actor(world.marketer), lead.id)
    for column in ("brief", "facts", "known", "made_at"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with world.work() as work:
                await work.connection.execute(f"UPDATE handoff_briefs SET {column} = {column}")


async def test_who_has_asked_to_be_left_alone_since_is_called_by_no_old_brief(
    world: World,
) -> None:
    lead = await a_known_lead(world)
    async with world.work() as work:
        handoff = await handoff_flow.hand_off(
            work, world.actor(world.marketer), lead.id, owner_id=world.rep.id
        )
    before = await frozen(world, handoff.id)
    assert before is not None
    async with world.work() as work:
        now = await work.get(Lead, lead.id)
        told = {"do_not_contact_at": world.now, "do_not_contact_reason": "Asked to."}
        await work.save(replace(now, do_not_contact=True, **told))
    alone = {"doNotContact": True, "suggestion": None, "opener": None}
    alone |= {"mayBeCalled": False, "mayBeWrittenTo": False}
    assert await frozen(world, handoff.id) == {**before, **alone}
    async with world.work() as work:
        now = await work.get(Lead, lead.id)
        told = {"do_not_contact_at": None, "do_not_contact_reason": None}
        await work.save(replace(now, do_not_contact=False, **told))
    assert await frozen(world, handoff.id) == before


async def wishes(world: World, lead: Lead, purpose: ConsentPurpose, status: ConsentStatus) -> None:
    async with world.work() as work:
        await record_consent(
            work,
            world.actor(),
            lead.id,
            purpose=purpose,
            status=status,
            basis=LegalBasis.CONSENT,
            source="a call",
        )


@pytest.mark.parametrize(
    ("purpose", "said"),
    [
        (
            ConsentPurpose.PHONE,
            {"mayBeCalled": False, "phoneWithdrawnAt": "2026-03-10T12:00:00Z", "opener": None},
        ),
        (
            ConsentPurpose.EMAIL,
            {
                "mayBeWrittenTo": False,
                "emailWithdrawnAt": "2026-03-10T12:00:00Z",
                "suggestion": None,
            },
        ),
        (ConsentPurpose.TRACKING, {}),
    ],
)
async def test_who_does_not_wish_to_be_called_or_written_to_is_seen_in_a_brief(
    world: World, purpose: ConsentPurpose, said: dict[str, object]
) -> None:
    """Now, in what was kept before, and in what is kept from now on."""
    lead = await a_known_lead(world)
    before = await brief_of(world, lead)
    async with world.work() as work:
        old = await handoff_flow.hand_off(
            work, world.actor(world.marketer), lead.id, owner_id=world.rep.id
        )
    await wishes(world, lead, purpose, ConsentStatus.WITHDRAWN)

    assert await brief_of(world, lead) == {**before, **said}
    assert await frozen(world, old.id) == {**before, **said}
    async with world.work() as work:
        [kept] = await work.find(HandoffBrief)
    assert kept.brief is not None
    assert kept.brief.may_be_called
    assert kept.brief.may_be_written_to

    world.wait(hours=1)
    await wishes(world, lead, purpose, ConsentStatus.GRANTED)
    assert await frozen(world, old.id) == before


async def test_what_was_withdrawn_at_the_hand_off_is_kept_with_it(world: World) -> None:
    lead = await a_known_lead(world)
    await wishes(world, lead, ConsentPurpose.PHONE, ConsentStatus.WITHDRAWN)
    world.wait(hours=1)
    async with world.work() as work:
        handoff = await handoff_flow.hand_off(
            work, world.actor(world.marketer), lead.id, owner_id=world.rep.id
        )
    world.wait(hours=1)
    await wishes(world, lead, ConsentPurpose.PHONE, ConsentStatus.GRANTED)

    kept, now = await frozen(world, handoff.id), await brief_of(world, lead)
    assert kept is not None
    assert (kept["mayBeCalled"], kept["phoneWithdrawnAt"], kept["opener"]) == (
        False,
        "2026-03-10T12:00:00Z",
        None,
    )
    assert now["mayBeCalled"]


async def test_of_somebody_nothing_is_known_of_a_brief_asks_everything(world: World) -> None:
    lead = an_mql(world.now, email=None, phone="+353123456")
    async with world.work() as work:
        await work.add(lead)
    brief = await brief_of(world, lead)
    assert brief["who"] == {
        "name": None,
        "email": None,
        "phone": "+353123456",
        "jobTitle": None,
        "company": None,
        "country": None,
        "origin": None,
        "stage": "MQL",
    }
    assert (brief["persona"], brief["read"], brief["reasons"], brief["suggestion"]) == (
        None,
        [],
        [],
        None,
    )
    assert len(brief["openQuestions"]) == 5
    assert brief["opener"] == "Hello.  What can we do for you?"


async def test_nothing_that_was_read_is_suggested_however_long_ago(world: World) -> None:
    """Twenty are shown; the oldest of more was said not to have been read yet."""
    lead = an_mql(world.now)
    read = [
        asset(world, f"Paper {n}", AssetKind.WHITEPAPER, JourneyStage.DECISION) for n in range(22)
    ]
    async with world.work() as work:
        await work.add_all([lead, *read])
        await work.add_all([touch(world, lead, each, hours=n + 1) for n, each in enumerate(read)])
    brief = await brief_of(world, lead)
    assert len(brief["read"]) == 20
    assert brief["suggestion"] is None


async def test_where_the_next_step_has_nothing_to_send_the_one_after_it_has(world: World) -> None:
    lead = an_mql(world.now)
    page = asset(world, "Why", AssetKind.PAGE, JourneyStage.AWARENESS)
    costs = asset(world, "What it costs", AssetKind.ARTICLE, JourneyStage.DECISION)
    async with world.work() as work:
        await work.add_all([lead, page, costs, touch(world, lead, page, hours=1)])
    suggestion = (await brief_of(world, lead))["suggestion"]
    assert suggestion["title"] == "What it costs"
    assert suggestion["reason"].startswith("Not read yet; for the stage DECISION")


async def test_what_a_machine_opened_is_no_interest(world: World) -> None:
    lead = an_mql(world.now)
    page = asset(world, "Why", AssetKind.PAGE, JourneyStage.AWARENESS)
    opened = replace(
        touch(world, lead, page, hours=1), kind=TouchKind.EMAIL_OPEN, agency=Agency.AUTOMATIC
    )
    async with world.work() as work:
        await work.add_all([lead, page, opened])
    brief = await brief_of(world, lead)
    assert (brief["read"], brief["suggestion"]["title"]) == ([], "Why")
    assert brief["opener"] == "Hello.  What can we do for you?"


async def test_a_hand_off_of_the_past_pretends_to_no_knowledge(world: World) -> None:
    lead = await a_known_lead(world)
    async with world.work() as work:
        handoff = await handoff_flow.hand_off(
            work, world.actor(world.marketer), lead.id, routed=False
        )
    assert await frozen(world, handoff.id) is None
    async with world.work() as work:
        [kept] = await work.find(HandoffBrief, handoff_id=handoff.id)
    assert kept.facts["ORIGIN_SOURCE"] == "fair"


async def test_a_refused_hand_off_freezes_nothing(world: World) -> None:
    lead = await a_known_lead(world)
    async with world.work() as work:
        await work.save(replace(await work.get(Lead, lead.id), stage="LEAD"))
    data = await world.data(
        """mutation($id: ID!) { leadHandOff(input: {lead: {id: $id}}) { userErrors { code } } }""",
        {"id": public("Lead", lead.id)},
    )
    assert data["leadHandOff"]["userErrors"] == [{"code": "NOT_AN_MQL"}]
    async with world.work() as work:
        assert await work.find(HandoffBrief) == []


async def test_nobody_reads_a_brief_of_another_tenants_lead(
    world: World, other_world: World
) -> None:
    lead = await a_known_lead(other_world)
    answer = await world.ask(BRIEF, {"id": public("Lead", lead.id)})
    assert answer["data"] is None
    assert "Byron" not in str(answer)


async def test_that_a_lead_wants_to_be_left_alone_comes_first_and_nothing_is_suggested(
    world: World,
) -> None:
    lead = await a_known_lead(world)
    async with world.work() as work:
        now = await work.get(Lead, lead.id)
        told = {"do_not_contact_at": world.now, "do_not_contact_reason": "Asked to."}
        await work.save(replace(now, do_not_contact=True, phone="+353123456", **told))
    brief = await brief_of(world, lead)
    assert next(iter(brief)) == "doNotContact"
    assert (brief["doNotContact"], brief["suggestion"], brief["opener"]) == (True, None, None)
    assert (brief["mayBeCalled"], brief["mayBeWrittenTo"]) == (False, False)
    assert brief["who"]["phone"] == "+353123456"
