"""What a brief tells before a call, and what it suggests."""

from __future__ import annotations

from dataclasses import replace

from domain.content import AssetKind, JourneyStage
from domain.ids import public
from domain.leads import Agency
from domain.touches import TouchKind
from tests.agreements import an_mql
from tests.api.briefs.knowing import BRIEF, a_known_lead, asset, brief_of, touch
from tests.world import World


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


async def test_nobody_reads_a_brief_of_another_tenants_lead(
    world: World, other_world: World
) -> None:
    lead = await a_known_lead(other_world)
    answer = await world.ask(BRIEF, {"id": public("Lead", lead.id)})
    assert answer["data"] is None
    assert "Byron" not in str(answer)
