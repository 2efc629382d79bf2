"""What is refused about agreements, and that nothing is stored then."""

from __future__ import annotations

from typing import Any

import pytest

from domain.ids import new_id, public
from domain.sla.agreement import Commitment, Sla
from tests.api.asking_slas import (
    COUNTERSIGN,
    COVERAGE,
    DELIVERY,
    PROPOSE,
    RESPONSE,
    SUPERSEDE,
    TERMS,
    WITHDRAW,
    agree,
    countersign,
    proposal,
    propose,
)
from tests.world import World


def delivery(**change: Any) -> dict[str, Any]:
    return {"commitments": [{"delivery": DELIVERY | change}, TERMS[1]]}


def response(**change: Any) -> dict[str, Any]:
    return {"commitments": [TERMS[0], {"response": RESPONSE | change}]}


async def stored(world: World) -> tuple[list[Sla], int]:
    async with world.work() as work:
        return list(await work.find(Sla)), len(await work.find(Commitment))


def faults(payload: dict[str, Any]) -> list[tuple[str, list[str]]]:
    assert payload["sla"] is None
    return [(error["code"], error["path"]) for error in payload["userErrors"]]


_D, _R = ["commitments", "0", "delivery"], ["commitments", "1", "response"]


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"name": ""}, "INVALID", ["name"]),
        ({"name": "x" * 201}, "INVALID", ["name"]),
        ({"name": "a\0b"}, "INVALID", ["name"]),
        ({"marketingTeam": "lead_" + "0" * 32}, "BAD_USER_INPUT", ["marketingTeam"]),
        ({"salesTeam": "nonsense"}, "BAD_USER_INPUT", ["salesTeam"]),
        ({"salesTeam": public("Team", new_id())}, "NOT_FOUND", ["salesTeam"]),
        ({"calendar": public("Calendar", new_id())}, "NOT_FOUND", ["calendar"]),
        ({"side": "SALES"}, "WRONG_SIDE", ["side"]),
        ({"effectiveAt": "2026-04-01T00:00:00Z"}, "BAD_EFFECTIVE_DATE", ["effectiveAt"]),
        ({"aheadBand": "2"}, "OUT_OF_RANGE", ["aheadBand"]),
        ({"atRiskBand": "0"}, "OUT_OF_RANGE", ["atRiskBand"]),
        (
            {"period": {"kind": "CUSTOM", "startsOn": "2026-03-10", "endsOn": "2026-03-09"}},
            "INVALID",
            ["period", "endsOn"],
        ),
        (
            {"period": {"kind": "CUSTOM", "startsOn": "2026-03-10"}},
            "INVALID",
            ["period", "endsOn"],
        ),
        (
            {"period": {"kind": "QUARTER", "startsOn": "2026-02-01"}},
            "INVALID",
            ["period", "startsOn"],
        ),
        (
            {"period": {"kind": "MONTH", "startsOn": "9999-12-01"}},
            "OUT_OF_RANGE",
            ["period", "startsOn"],
        ),
        ({"commitments": TERMS[:1]}, "ONE_SIDED", ["commitments"]),
        ({"commitments": TERMS[1:]}, "ONE_SIDED", ["commitments"]),
        (delivery(target={"leads": 0}), "OUT_OF_RANGE", [*_D, "target"]),
        (
            delivery(target={"money": {"amount": "1.001", "currency": "EUR"}}),
            "INVALID",
            [*_D, "target", "money"],
        ),
        (
            delivery(target={"money": {"amount": "9" * 30, "currency": "EUR"}}),
            "INVALID",
            [*_D, "target", "money"],
        ),
        (delivery(target={"points": 5}), "VALUES_MISSING", [*_D, "values"]),
        (delivery(qualityFloor="1.5"), "OUT_OF_RANGE", [*_D, "qualityFloor"]),
        (delivery(persona=public("Persona", new_id())), "NOT_FOUND", [*_D, "persona"]),
        (delivery(persona=public("Team", new_id())), "BAD_USER_INPUT", [*_D, "persona"]),
        (
            delivery(segment={"email": {"eq": "a\0"}}),
            "BAD_CRITERION",
            [*_D, "segment", "email", "eq"],
        ),
        (
            delivery(segment={"score": {"eq": None}}),
            "BAD_CRITERION",
            [*_D, "segment", "score", "eq"],
        ),
        (delivery(weekdayWeights={"given": ["1"]}), "OUT_OF_RANGE", [*_D, "weekdayWeights"]),
        (response(within="PT0M"), "OUT_OF_RANGE", [*_R, "within"]),
        (response(within="P367D"), "OUT_OF_RANGE", [*_R, "within"]),
        (response(targetShare="0"), "OUT_OF_RANGE", [*_R, "targetShare"]),
        (response(warnBefore=["PT5H"]), "OUT_OF_RANGE", [*_R, "warnBefore", "0"]),
        (
            response(
                escalation={
                    "steps": [
                        {"after": "PT2H", "action": "NOTIFY"},
                        {"after": "PT1H", "action": "REASSIGN"},
                    ]
                }
            ),
            "LADDER_NOT_ASCENDING",
            [*_R, "escalation", "steps", "1", "after"],
        ),
        (response(name="mqls"), "DUPLICATE_NAME", [*_R, "name"]),
        (
            {"commitments": [TERMS[0], {"coverage": COVERAGE}]},
            "NOTHING_TO_COVER",
            ["commitments", "1", "coverage"],
        ),
        (
            {"commitments": [*TERMS, {"coverage": COVERAGE | {"linkedTo": "Nothing"}}]},
            "BAD_LINK",
            ["commitments", "2", "coverage", "linkedTo"],
        ),
    ],
)
async def test_a_bad_proposal_is_refused_and_nothing_is_stored(
    world: World, change: dict[str, Any], code: str, path: list[str]
) -> None:
    answer = await world.data(PROPOSE, {"input": proposal(world, **change)}, as_=world.marketer)

    assert faults(answer["slaPropose"]) == [(code, path)]
    assert await stored(world) == ([], 0)


@pytest.mark.parametrize(
    "change",
    [
        delivery(target={"leads": 10**12}),
        delivery(target={"leads": 1, "points": 1}),
        response(within="PT1S"),
        {"timeZone": "Mars/Olympus"},
        {"currency": "euro"},
        {"period": {"kind": "MONTH", "startsOn": "2026-02-30"}},
    ],
)
async def test_what_no_scalar_lets_through_is_an_input_error(
    world: World, change: dict[str, Any]
) -> None:
    answer = await world.ask(PROPOSE, {"input": proposal(world, **change)}, as_=world.marketer)

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]
    assert await stored(world) == ([], 0)


async def test_teams_must_be_of_their_sides(world: World) -> None:
    swapped = {
        "marketingTeam": public("Team", world.sales.id),
        "salesTeam": public("Team", world.marketing.id),
    }

    answer = await world.data(PROPOSE, {"input": proposal(world, **swapped)}, as_=world.marketer)

    assert faults(answer["slaPropose"]) == [("WRONG_TEAM", ["marketingTeam"])]
    assert await stored(world) == ([], 0)


async def test_another_tenants_things_are_unknown(world: World, other_world: World) -> None:
    for name, id in (
        ("marketingTeam", public("Team", other_world.marketing.id)),
        ("salesTeam", public("Team", other_world.sales.id)),
        ("calendar", public("Calendar", other_world.calendar.id)),
    ):
        answer = await world.data(
            PROPOSE, {"input": proposal(world, **{name: id})}, as_=world.marketer
        )
        assert faults(answer["slaPropose"]) == [("NOT_FOUND", [name])]
    assert await stored(world) == ([], 0)


async def test_another_tenants_agreement_is_unknown(world: World, other_world: World) -> None:
    theirs = await propose(other_world)
    before = await stored(other_world)
    unknown = public("Sla", new_id())
    more = {"slaSupersede": {"commitments": TERMS}}

    for sla in (theirs, unknown):
        for field, document in (
            ("slaCountersign", COUNTERSIGN),
            ("slaWithdraw", WITHDRAW),
            ("slaSupersede", SUPERSEDE),
        ):
            variables = {"input": {"sla": sla} | more.get(field, {})}
            answer = await world.data(document, variables, as_=world.rep)
            assert faults(answer[field]) == [("NOT_FOUND", ["sla"])]
        read = await world.data("query($id: ID!) { sla(id: $id) { name } }", {"id": sla})
        assert read == {"sla": None}
    assert await stored(other_world) == before


async def test_only_managers_of_a_side_propose_and_sign(world: World) -> None:
    document, variables = PROPOSE, {"input": proposal(world)}
    for user in (world.other_rep, world.analyst):
        answer = await world.ask(document, variables, as_=user)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
    assert await stored(world) == ([], 0)


async def test_the_proposing_side_cannot_countersign(world: World) -> None:
    sla = await propose(world)
    before = await stored(world)

    for user in (world.marketer, world.owner):
        answer = await world.data(COUNTERSIGN, {"input": {"sla": sla}}, as_=user)
        assert faults(answer["slaCountersign"]) == [("WRONG_SIDE", ["sla"])]

    assert await stored(world) == before


async def test_nothing_is_signed_or_withdrawn_twice(world: World) -> None:
    sla = await agree(world)
    before = await stored(world)

    assert faults(await countersign(world, sla)) == [("ALREADY_SIGNED", ["sla"])]
    withdrawn = await world.data(WITHDRAW, {"input": {"sla": sla}}, as_=world.marketer)
    assert faults(withdrawn["slaWithdraw"]) == [("NOT_A_PROPOSAL", ["sla"])]
    assert await stored(world) == before


async def test_days_agreed_on_already_are_refused(world: World) -> None:
    await agree(world)
    before = await stored(world)
    quarter = {"period": {"kind": "QUARTER", "startsOn": "2026-01-01"}}

    answer = await world.data(PROPOSE, {"input": proposal(world, **quarter)}, as_=world.marketer)

    assert faults(answer["slaPropose"]) == [("SLA_OVERLAPS", ["period"])]
    assert await stored(world) == before


async def test_what_is_not_signed_has_no_next_version(world: World) -> None:
    sla = await propose(world)
    before = await stored(world)

    variables = {"input": {"sla": sla, "commitments": TERMS}}
    answer = await world.data(SUPERSEDE, variables, as_=world.rep)

    assert faults(answer["slaSupersede"]) == [("NOT_SUPERSEDABLE", ["sla"])]
    assert await stored(world) == before


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"effectiveAt": "2026-04-01T00:00:00Z"}, "BAD_EFFECTIVE_DATE", ["effectiveAt"]),
        ({"effectiveAt": "2026-02-28T23:59:59Z"}, "BAD_EFFECTIVE_DATE", ["effectiveAt"]),
        ({"commitments": TERMS[:1]}, "ONE_SIDED", ["commitments"]),
        ({"name": "\0"}, "INVALID", ["name"]),
        ({"atRiskBand": "1.1"}, "OUT_OF_RANGE", ["atRiskBand"]),
    ],
)
async def test_a_bad_next_version_is_refused_and_nothing_is_stored(
    world: World, change: dict[str, Any], code: str, path: list[str]
) -> None:
    sla = await agree(world)
    before = await stored(world)

    variables = {"input": {"sla": sla, "commitments": TERMS} | change}
    answer = await world.data(SUPERSEDE, variables, as_=world.rep)

    assert faults(answer["slaSupersede"]) == [(code, path)]
    assert await stored(world) == before


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ('closeRate: "2", averageRevenue: {amount: "1", currency: "EUR"}', "BAD_USER_INPUT"),
        ('closeRate: "0.1", averageRevenue: {amount: "-1", currency: "EUR"}', "BAD_USER_INPUT"),
        ('closeRate: "0.1", averageRevenue: {amount: "0.001", currency: "EUR"}', "BAD_USER_INPUT"),
    ],
)
async def test_the_calculator_refuses_what_cannot_be(
    world: World, arguments: str, code: str
) -> None:
    answer = await world.ask(f"{{ leadTypeValue({arguments}) {{ leadsForQuota }} }}")

    assert [error["extensions"]["code"] for error in answer["errors"]] == [code]
