"""Agreements through the API, on a real database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from domain.events import SlaProposed, SlaSigned
from domain.handoff import Handoff, HandoffCredit, HandoffStatus
from domain.ids import new_id, public
from domain.sla.agreeing import agreement_in_force
from domain.sla.agreement import Sla
from domain.sla.clocks import SlaClock, SlaTally
from infra.tables import outbox
from tests.agreements import an_mql
from tests.api.asking_slas import (
    DELIVERY,
    SUPERSEDE,
    TERMS,
    WITHDRAW,
    agree,
    countersign,
    propose,
)
from tests.world import World


async def test_two_signatures_bring_it_into_force(world: World) -> None:
    sla = await propose(world)
    world.wait(minutes=5)

    payload = await countersign(world, sla)

    assert payload == {
        "sla": {
            "id": sla,
            "status": "ACTIVE",
            "signedAt": "2026-03-10T12:05:00Z",
            "effectiveAt": "2026-03-01T00:00:00Z",
            "signatures": [
                {
                    "side": "MARKETING",
                    "signedAt": "2026-03-10T12:00:00Z",
                    "user": {"name": "Mia"},
                },
                {"side": "SALES", "signedAt": "2026-03-10T12:05:00Z", "user": {"name": "Sam"}},
            ],
        },
        "userErrors": [],
    }
    async with world.work() as work:
        kinds = [
            row[0] for row in await work.rows(outbox.select().with_only_columns(outbox.c.kind))
        ]
    assert sorted(kinds) == [SlaProposed.__name__, SlaSigned.__name__]


async def test_of_two_who_sign_at_once_one_is_told_that_it_is_signed(world: World) -> None:
    sla = await propose(world)

    payloads = await asyncio.gather(countersign(world, sla), countersign(world, sla))

    codes = sorted(error["code"] for payload in payloads for error in payload["userErrors"])
    assert codes == ["ALREADY_SIGNED"]


async def test_of_two_overlapping_proposals_signed_at_once_one_counts(world: World) -> None:
    first, second = await propose(world), await propose(world, name="Rival")

    payloads = await asyncio.gather(countersign(world, first), countersign(world, second))

    codes = sorted(error["code"] for payload in payloads for error in payload["userErrors"])
    assert codes == ["SLA_OVERLAPS"]
    async with world.work() as work:
        assert len([sla for sla in await work.find(Sla) if sla.signed_at]) == 1


async def test_a_proposal_can_be_withdrawn(world: World) -> None:
    sla = await propose(world)

    answer = await world.data(WITHDRAW, {"input": {"sla": sla}}, as_=world.owner)

    assert answer == {
        "slaWithdraw": {
            "sla": {"status": "WITHDRAWN", "withdrawnAt": "2026-03-10T12:00:00Z"},
            "userErrors": [],
        }
    }
    assert (await countersign(world, sla))["userErrors"] == [
        {"code": "NOT_A_PROPOSAL", "path": ["sla"]}
    ]


async def test_a_new_version_takes_over_and_both_stay_readable(world: World) -> None:
    old = await agree(world)
    variables = {
        "input": {
            "sla": old,
            "effectiveAt": "2026-03-16T00:00:00Z",
            "commitments": [{"delivery": DELIVERY | {"target": {"leads": 120}}}, TERMS[1]],
        }
    }

    answer = await world.data(SUPERSEDE, variables, as_=world.rep)
    new = answer["slaSupersede"]["sla"]["id"]
    await world.data(
        "mutation($id: ID!) { slaCountersign(input: {sla: $id}) { userErrors { code } } }",
        {"id": new},
        as_=world.marketer,
    )

    assert answer["slaSupersede"] == {
        "sla": {
            "id": new,
            "name": "March",
            "number": 2,
            "status": "PROPOSED",
            "effectiveAt": "2026-03-16T00:00:00Z",
            "supersedes": {"id": old},
        },
        "userErrors": [],
    }
    world.at(datetime(2026, 3, 16, tzinfo=UTC))
    document = """query($id: ID!) { sla(id: $id) { versions { totalCount nodes {
      number status ceasedAt commitments { target } } } } }"""
    found = await world.data(document, {"id": new})
    assert found["sla"]["versions"] == {
        "totalCount": 2,
        "nodes": [
            {
                "number": 1,
                "status": "SUPERSEDED",
                "ceasedAt": "2026-03-16T00:00:00Z",
                "commitments": [{"target": "100"}, {"target": None}],
            },
            {
                "number": 2,
                "status": "ACTIVE",
                "ceasedAt": None,
                "commitments": [{"target": "120"}, {"target": None}],
            },
        ],
    }


async def test_the_agreement_in_force_is_found_by_team_and_instant(
    world: World, other_world: World
) -> None:
    sla = await agree(world, timeZone="Pacific/Auckland")
    document = """query($team: ID!, $at: DateTime) {
      slaInForce(salesTeam: $team, at: $at) { id } }"""

    async def asked(at: str | None, of: World = world) -> object:
        variables = {"team": public("Team", of.sales.id), "at": at}
        return (await world.data(document, variables))["slaInForce"]

    # Auckland is 13 hours ahead of UTC in March.
    assert await asked(None) == {"id": sla}
    assert await asked("2026-02-28T11:00:00Z") == {"id": sla}
    assert await asked("2026-02-28T10:59:59Z") is None
    assert await asked("2026-03-31T10:59:59Z") == {"id": sla}
    assert await asked("2026-03-31T11:00:00Z") is None
    assert await asked(None, of=other_world) is None


async def test_history_can_be_agreed_on_and_judges_its_own_month(world: World) -> None:
    months = [f"2017-{month:02}-01" for month in range(7, 13)]
    ids = [await agree(world, period={"kind": "MONTH", "startsOn": day}) for day in months]

    async with world.work() as work:
        found = await agreement_in_force(
            work,
            sales_team_id=world.sales.id,
            marketing_team_id=world.marketing.id,
            at=datetime(2017, 9, 30, 23, 59, 59, tzinfo=UTC),
        )
    assert found is not None
    sla, commitments = found
    assert public("Sla", sla.id) == ids[2]
    assert [commitment.name for commitment in commitments] == ["MQLs", "First call"]


async def test_hand_offs_before_the_signature_count_but_start_no_clock(world: World) -> None:
    leads = [an_mql(world.now, number, score=score) for number, score in enumerate((90, 10, 90))]
    start = datetime(2026, 3, 1, tzinfo=UTC)
    handoffs = [
        Handoff(
            id=new_id(),
            lead_id=lead.id,
            from_team_id=world.marketing.id,
            to_team_id=world.sales.id,
            score=lead.score,
            handed_off_at=at,
            recorded_at=at,
        )
        for lead, at in zip(
            leads, (start, start + timedelta(days=1), start - timedelta(seconds=1)), strict=True
        )
    ]
    decided_at = start + timedelta(hours=30)
    handoffs[0] = replace(handoffs[0], status=HandoffStatus.REJECTED, decided_at=decided_at)
    async with world.work() as work:
        await work.add_all([*leads, *handoffs])
    terms = [
        {
            "delivery": DELIVERY
            | {"segment": {"score": {"gte": "50"}}, "clawBackDays": 3, "name": "High"}
        },
        {"delivery": DELIVERY},
        TERMS[1],
    ]

    sla = await agree(world, commitments=terms)

    async with world.work() as work:
        judged = await work.find(Handoff)
        tallies = await work.find(SlaTally)
        clocks, credits = await work.find(SlaClock), await work.find(HandoffCredit)
    assert [each.sla_id and public("Sla", each.sla_id) for each in judged] == [sla, sla, None]
    assert clocks == []
    assert sorted((credit.on, credit.units) for credit in credits) == [
        (date(2026, 3, 1), 1),
        (date(2026, 3, 1), 1),
        (date(2026, 3, 2), 1),
    ]
    counted = sorted(
        (t.on, t.delivered, t.clawed_back, t.handed_off, t.accepted, t.rejected) for t in tallies
    )
    assert counted == [
        (date(2026, 3, 1), 1, 0, 1, 0, 1),
        (date(2026, 3, 1), 1, 1, 1, 0, 1),
        (date(2026, 3, 2), 1, 0, 1, 0, 0),
    ]


async def test_weekdays_can_be_learned_from_what_was_delivered(world: World) -> None:
    learned = DELIVERY | {"weekdayWeights": {"learned": True}}
    await agree(world, period={"kind": "MONTH", "startsOn": "2026-02-01"})
    async with world.work() as work:
        sla = next(iter(await work.find(Sla)))
        found = await agreement_in_force(
            work,
            sales_team_id=sla.sales_team_id,
            marketing_team_id=None,
            at=datetime(2026, 2, 10, tzinfo=UTC),
        )
        assert found is not None
        for week in range(4):
            for day in range(5):
                work.count(
                    SlaTally,
                    on=date(2026, 2, 2) + timedelta(days=day + 7 * week),
                    by={"handed_off": 8 if day == 0 else 3},
                    commitment_id=found[1][0].id,
                )

    march = await propose(world, commitments=[{"delivery": learned}, TERMS[1]])

    document = "query($id: ID!) { sla(id: $id) { commitments { weekdayWeights } } }"
    answer = await world.data(document, {"id": march})
    weights = answer["sla"]["commitments"][0]["weekdayWeights"]
    assert list(map(Decimal, weights)) == [
        Decimal("1.5"),
        *[Decimal("0.875")] * 4,
        Decimal(1),
        Decimal(1),
    ]
