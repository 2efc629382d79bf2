from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from api.engine.masking import OperationFailed
from domain import handoff_flow
from domain.identity import Actor
from domain.identity.policy import BOARD_PERMISSIONS
from domain.ids import new_id, public
from domain.leads import Lead
from domain.sla.agreement import CommitmentKind, Measure, Sla, ValueRule
from tests.agreements import a_commitment, a_sla, add_mql, sign
from tests.following import following
from tests.world import World

STATUS = """query($sla: ID!) { slaStatus(sla: $sla) {
  asOf status startsOn endsOn workingDays workingDaysElapsed alignmentIndex
  sla { name }
  sides { side status team { name } }
  commitments {
    commitment { kind name } status unit currency target attained expected gap attainment
    projected neededPerWorkingDay remainingWorkingDays probability p10 p90
    handedOff accepted rejected acceptedShare qualityFloor qualityKept
    opened open dueSoon breached met excused metShare targetShare
  }
} }"""
SIDES = "query($sla: ID!) { slaStatus(sla: $sla) { sides { side status } } }"
LIVE = """subscription($sla: ID!) { slaStatus(sla: $sla) {
  commitments { commitment { kind } attained open dueSoon breached }
} }"""


def named(sla: Sla) -> dict[str, str]:
    return {"sla": public("Sla", sla.id)}


async def hand_off(world: World, **changes: Any) -> Lead:
    lead = await add_mql(world, **changes)
    async with world.work() as work:
        await handoff_flow.hand_off(work, world.actor(world.marketer), lead.id)
    return lead


async def test_a_status_says_it_all(world: World) -> None:
    """Two leads handed off on the 7th working day of 22 at noon; one is accepted."""
    sla = await sign(world)
    lead, _ = await hand_off(world), await hand_off(world)
    async with world.work() as work:
        await handoff_flow.accept_lead(work, world.actor(world.rep), lead.id)

    answer = await world.data(STATUS, named(sla), as_=world.analyst)

    status = answer["slaStatus"]
    delivery, response, _, disposition, coverage = status.pop("commitments")
    assert status == {
        "asOf": "2026-03-10T12:00:00Z",
        "status": "ACTIVE",
        "startsOn": "2026-03-01",
        "endsOn": "2026-04-01",
        "workingDays": 22,
        "workingDaysElapsed": 7,
        "alignmentIndex": "0.7012",
        "sla": {"name": "March 2026"},
        "sides": [
            {"side": "MARKETING", "status": "BEHIND", "team": {"name": "Marketing"}},
            {"side": "SALES", "status": "ON_TRACK", "team": {"name": "Sales"}},
        ],
    }
    nothing_of_sales = dict.fromkeys(
        ("opened", "open", "dueSoon", "breached", "met", "excused", "metShare", "targetShare")
    )
    assert delivery == {
        "commitment": {"kind": "DELIVERY", "name": "Delivery"},
        "status": "BEHIND",
        "unit": "COUNT",
        "currency": None,
        "target": "20",
        "attained": "2",
        "expected": "5.80",
        "gap": "-3.80",
        "attainment": "0.3448",
        "projected": "6.90",
        "neededPerWorkingDay": "1.15",
        "remainingWorkingDays": 16,
        "probability": "0.0252",
        "p10": "3.00",
        "p90": "14.00",
        "handedOff": 2,
        "accepted": 1,
        "rejected": 0,
        "acceptedShare": "1.0000",
        "qualityFloor": "0.5",
        "qualityKept": True,
        **nothing_of_sales,
    }
    nothing_of_marketing = dict.fromkeys(
        (
            *("handedOff", "accepted", "rejected", "acceptedShare", "qualityFloor"),
            *("qualityKept", "projected", "neededPerWorkingDay", "remainingWorkingDays"),
        )
    )
    assert response == {
        "commitment": {"kind": "RESPONSE", "name": "Response"},
        "status": "ON_TRACK",
        "unit": "SHARE",
        "currency": None,
        "target": "0.9",
        "attained": None,
        "expected": "0.9",
        "gap": None,
        "attainment": None,
        "probability": None,
        "p10": "0.0000",
        "p90": "1.0000",
        "opened": 2,
        "open": 2,
        "dueSoon": 0,
        "breached": 0,
        "met": 0,
        "excused": 0,
        "metShare": None,
        "targetShare": "0.9",
        **nothing_of_marketing,
    }
    assert (disposition["met"], disposition["open"], disposition["status"]) == (1, 1, "AHEAD")
    assert (coverage["opened"], coverage["met"], coverage["open"]) == (2, 0, 2)


async def test_every_figure_can_be_explained_and_drawn(world: World) -> None:
    sla = await sign(world)
    await hand_off(world)
    document = """query($sla: ID!) { slaStatus(sla: $sla) { commitments {
      series { on attained expected } explain { formula asOf inputs { name value } }
    } } }"""

    answer = await world.data(document, named(sla))

    delivery, response, *_ = answer["slaStatus"]["commitments"]
    assert len(delivery["series"]) == len(response["series"]) == 31
    assert delivery["series"][9] == {"on": "2026-03-10", "attained": "1", "expected": "6.36"}
    assert delivery["series"][10] == {"on": "2026-03-11", "attained": None, "expected": "7.27"}
    assert response["series"][9] == {"on": "2026-03-10", "attained": None, "expected": "0.9"}
    assert delivery["explain"]["asOf"] == "2026-03-10T12:00:00Z"
    assert {"name": "delivered", "value": "1"} in delivery["explain"]["inputs"]
    assert delivery["explain"]["formula"].startswith("attained = delivered - clawed back")
    assert response["explain"]["formula"].startswith("met share = met / (met + breached)")


async def test_money_is_counted_in_units_of_the_currency(world: World) -> None:
    sla = a_sla(world)
    await sign(
        world,
        a_commitment(
            sla,
            CommitmentKind.DELIVERY,
            measure=Measure.MONEY,
            target=3_200_000,
            values=(ValueRule(criterion={}, units=160_000),),
        ),
        sla=sla,
    )
    await hand_off(world)
    document = """query($sla: ID!) { slaStatus(sla: $sla) { commitments {
      unit currency target attained } } }"""

    answer = await world.data(document, named(sla))

    assert answer["slaStatus"]["commitments"] == [
        {"unit": "MONEY", "currency": "EUR", "target": "32000.00", "attained": "1600.00"}
    ]


async def test_each_month_of_a_history_tells_its_own_truth(world: World) -> None:
    """Three leads in January, one in February, each under the agreement of its month."""
    months = []
    for month, target in ((1, 3), (2, 2)):
        period = (date(2026, month, 1), date(2026, month + 1, 1))
        sla = a_sla(world, period=period)
        months.append(sla)
        await sign(world, a_commitment(sla, CommitmentKind.DELIVERY, target=target), sla=sla)
    for month, day in ((1, 5), (1, 31), (1, 31), (2, 1)):
        lead = await add_mql(world)
        at = datetime(2026, month, day, 23, 59, tzinfo=UTC)
        async with world.work() as work:
            await handoff_flow.hand_off(work, world.actor(world.marketer), lead.id, at=at)

    document = """query($sla: ID!) { slaStatus(sla: $sla) {
      status commitments { status target attained } } }"""
    told = [(await world.data(document, named(sla)))["slaStatus"] for sla in months]

    assert told == [
        {
            "status": "ENDED",
            "commitments": [{"status": "MET", "target": "3", "attained": "3"}],
        },
        {
            "status": "ENDED",
            "commitments": [{"status": "MISSED", "target": "2", "attained": "1"}],
        },
    ]


async def test_a_follower_hears_of_what_happens_and_of_what_comes_by_itself(world: World) -> None:
    sla = await sign(world)
    async with following(world, LIVE, named(sla), as_=world.analyst) as live:
        first = await live.next()
        await hand_off(world)
        second = await live.after_news()
        world.at(datetime(2026, 3, 10, 15, tzinfo=UTC))
        third = await live.after_news()
        world.at(datetime(2026, 3, 10, 16, 1, tzinfo=UTC))
        fourth = await live.after_news()

    def told(answer: dict[str, Any], kind: str) -> tuple[Any, ...]:
        standings = answer["data"]["slaStatus"]["commitments"]
        found = next(each for each in standings if each["commitment"]["kind"] == kind)
        return found["attained"], found["open"], found["dueSoon"], found["breached"]

    assert told(first, "DELIVERY") == ("0", None, None, None)
    assert told(second, "DELIVERY") == ("1", None, None, None)
    assert [told(each, "RESPONSE") for each in (first, second, third, fourth)] == [
        (None, 0, 0, 0),
        (None, 1, 0, 0),
        (None, 1, 1, 0),
        ("0.0000", 1, 0, 1),
    ]


async def test_a_threshold_wakes_a_follower_without_any_news(world: World) -> None:
    """The clock is a tenth of a second from being due soon, and nothing else happens."""
    sla = await sign(world)
    await hand_off(world)
    world.at(datetime(2026, 3, 10, 14, 59, 59, 900_000, tzinfo=UTC))
    async with following(world, LIVE, named(sla)) as live:
        before = await live.next()
        world.at(datetime(2026, 3, 10, 15, tzinfo=UTC))
        after = await live.next()

    def due_soon(answer: dict[str, Any]) -> int:
        return int(answer["data"]["slaStatus"]["commitments"][1]["dueSoon"])

    assert (due_soon(before), due_soon(after)) == (0, 1)


async def test_an_agreement_of_another_tenant_does_not_exist(
    world: World, other_world: World
) -> None:
    sla = await sign(world)

    foreign = await other_world.ask(STATUS, named(sla))
    unknown = await other_world.ask(STATUS, {"sla": public("Sla", new_id())})

    assert foreign == unknown == {"data": {"slaStatus": None}}


@pytest.mark.parametrize(
    ("id", "message"),
    [
        ("nonsense", "'nonsense' is not an id."),
        ("sla_\x00", "'sla_\\x00' is not an id."),
        ("9" * 5000, f"'{'9' * 80}' is not an id."),
        (public("Lead", new_id()), "expected a sla id, got a lead id"),
    ],
    ids=["a word", "NUL", "long", "of another kind"],
)
async def test_what_is_no_id_of_an_agreement_is_refused(
    world: World, id: str, message: str
) -> None:
    answer = await world.ask(STATUS, {"sla": id})

    (error,) = answer["errors"]
    assert (error["message"], error["extensions"]["code"]) == (message, "BAD_USER_INPUT")


async def test_who_follows_what_is_not_there_is_told_so(world: World, other_world: World) -> None:
    sla = await sign(world)
    async with following(other_world, LIVE, named(sla)) as live:
        with pytest.raises(OperationFailed) as failed:
            await live.next()

    assert failed.value.code == "NOT_FOUND"


async def test_a_board_may_not_read_a_status(world: World) -> None:
    sla = await sign(world)
    context = world.context()
    context.signed_in = Actor(
        tenant_id=world.tenant.id, user_id=None, permissions=BOARD_PERMISSIONS, board_id=new_id()
    )
    async with following(world, LIVE, named(sla), context=context) as live:
        with pytest.raises(OperationFailed) as failed:
            await live.next()

    assert failed.value.code == "FORBIDDEN"


async def test_a_proposal_has_not_started(world: World) -> None:
    sla = await sign(world, sla=a_sla(world, sales_signed_at=None, sales_signed_by=None))

    answer = await world.data(SIDES, named(sla))

    verdicts = [side["status"] for side in answer["slaStatus"]["sides"]]
    assert verdicts == ["NOT_STARTED", "NOT_STARTED"]
