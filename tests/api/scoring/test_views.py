"""How leads are graded, and why."""

from __future__ import annotations

from decimal import Decimal

from domain.grades import Grade
from domain.ids import public
from domain.touches import TouchKind
from tests.api.scoring.scored import GRADING, TERMS, add_leads, grading, scored_by, stored, touch
from tests.world import World

KINDS = ("PAGE_VIEW", "CALL")
GRADED = """query($filter: LeadFilter) {
  leads(filter: $filter, orderBy: [{field: GRADE}]) { nodes { email grade } }
}"""


async def test_nobody_is_graded_without_a_model(world: World) -> None:
    (lead,) = await add_leads(world, "Head of IT")
    await touch(world, lead, TouchKind.PAGE_VIEW)
    data = await world.data(GRADING, {"id": public("Lead", lead.id)})
    assert data == {"lead": {"fit": None, "grade": None, "grading": None}}


async def test_a_grade_is_explained_rule_by_rule(world: World) -> None:
    (lead,) = await add_leads(world, "Head of IT")
    await scored_by(world)
    await touch(world, lead, *[TouchKind.PAGE_VIEW] * 2, TouchKind.CALL)

    assert await grading(world, lead) == {
        "fit": 30,
        "engagement": 15,
        "engagementPoints": "15",
        "engagementCap": 50,
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


async def test_lists_are_filtered_and_ordered_by_grade(world: World) -> None:
    leads = await add_leads(world, "Clerk", "Head of IT", "Head")
    await scored_by(world)
    await touch(world, leads[2], TouchKind.PAGE_VIEW)

    found = await world.data(GRADED, {"filter": {"grade": {"gte": "B2"}}})
    assert [each["grade"] for each in found["leads"]["nodes"]] == ["A3", "B2"]
    found = await world.data(GRADED, {"filter": {"fit": {"lt": 25}}})
    assert [each["email"] for each in found["leads"]["nodes"]] == [leads[0].email]


async def test_what_the_rules_give_adds_up_to_the_score_below_every_cap(world: World) -> None:
    """The caps of the groups, and of all of them together, are told where they take something."""
    kinds = [{"name": kind, "criterion": {"kind": {"eq": kind}}, "points": 8} for kind in KINDS]
    group = TERMS["engagement"][0]
    groups = [
        {**group, "name": "Pages", "rules": kinds[:1]},
        {**group, "name": "Talks", "cap": 100, "rules": kinds[1:]},
    ]
    (lead,) = await add_leads(world, "Head of IT")
    await scored_by(world, {**TERMS, "engagement": groups, "engagementCap": 20})
    await touch(world, lead, *[TouchKind(kind) for kind in KINDS for _ in range(2)])
    world.wait(days=1)
    found = await grading(world, lead)
    parts = {"FIT": Decimal(0), "ENGAGEMENT": Decimal(0)}
    for each in found["explanation"]:
        given = sum(Decimal(rule["points"]) for rule in each["rules"])
        assert given == Decimal(each["points"])
        assert min(given, each["cap"]) == Decimal(each["counted"])
        parts[each["part"]] += Decimal(each["counted"])
    assert parts["FIT"] == found["fit"] == 30
    # Four times 8 fade to 29.85, of which the pages' cap leaves 14.93 of 14.93 and the model's 20.
    assert parts["ENGAGEMENT"] == Decimal(found["engagementPoints"])
    assert found["engagement"] == int(min(parts["ENGAGEMENT"], found["engagementCap"])) == 20
