from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from graphql import parse, validate

from api.closed_loop import CLOSED_LOOP_DOCUMENT
from api.engine.masking import OperationFailed
from api.schema import schema
from api.web.loop_payload import loop_of
from domain import handoff_flow
from domain.customers import RevenueKind
from domain.identity import revoke_board
from domain.stages import Stage
from tests.agreements import add_mql
from tests.api.test_board import a_board, picture, seen_by
from tests.api.test_exchange import set_rate
from tests.deals import a_pipeline, add_deal, add_revenue
from tests.following import following
from tests.histories import a_journey, add_journeys
from tests.world import World

L, M, S, C = Stage.LEAD, Stage.MQL, Stage.SAL, Stage.CUSTOMER
QUERY = CLOSED_LOOP_DOCUMENT.replace("subscription", "query")
NAMES = {"first_name": "Canary", "last_name": "Bird", "job_title": "Canary keeper"}


def on(day: int, hour: int = 9) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


async def loop(world: World, window: str = "LAST_30_DAYS", **as_: Any) -> dict[str, Any]:
    answer = await world.data(QUERY, {"window": window}, **as_)
    found: dict[str, Any] = answer["closedLoop"]
    return found


async def fill(world: World) -> None:
    """Store a lead that bought and one that did not, both from the same fair."""
    stage = await a_pipeline(world)
    fair = {"origin_source": "fair", "origin_campaign": "canary@birds.example", **NAMES}
    bought, _ = await add_journeys(
        world,
        a_journey(on(2), (L, 0), (M, 6), (C, 54), **fair),
        a_journey(on(3), (L, 0), **fair),
    )
    await add_deal(world, stage, bought, minor=12_000_00, closed_at=on(4, 15))
    await add_revenue(world, bought, (RevenueKind.NEW, 12_000_00, on(4, 15)))


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def test_the_page_asks_for_what_the_schema_has() -> None:
    assert validate(schema()._schema, parse(CLOSED_LOOP_DOCUMENT)) == []
    assert validate(schema()._schema, parse(QUERY)) == []


async def test_the_loop_tells_what_became_of_the_leads(world: World) -> None:
    await fill(world)

    found = await loop(world, as_=world.analyst)

    stages = found.pop("stages")
    assert [(s["stage"], s["reached"]) for s in stages] == [
        *(("LEAD", 2), ("MQL", 1), ("SAL", 1), ("SQL", 1), ("OPPORTUNITY", 1), ("CUSTOMER", 1))
    ]
    assert stages[0]["time"] == {"leads": 1, "p50": "PT6H"}
    assert found.pop("efforts") == [
        {
            "source": "fair",
            "campaign": None,
            "leads": 2,
            "mqls": 1,
            "sqls": 1,
            "opportunities": 1,
            "won": 1,
            "foreign": 0,
            "revenue": euros("12000.00"),
        }
    ]
    total = found.pop("campaigns")["total"]
    assert total["won"] == euros("12000.00")
    # As the funnel and the efforts have it, though the lead was never a SAL or an SQL.
    assert (total["leads"], total["mqls"], total["accepted"], total["sqls"]) == (2, 1, 1, 1)
    spans = found.pop("spans")
    assert [s["new"]["amount"] for s in spans] == ["0.00", "0.00", "0.00", "12000.00", "0.00"]
    assert (spans[3]["startsOn"], spans[3]["lastOn"]) == ("2026-03-02", "2026-03-08")
    assert found == {
        "asOf": "2026-03-10T12:00:00Z",
        "tenantName": "Acme",
        "timeZone": "UTC",
        "window": "LAST_30_DAYS",
        "startsOn": "2026-02-09",
        "lastOn": "2026-03-10",
        "leads": 2,
        "open": 1,
        "revenue": euros("12000.00"),
        "won": 1,
        "foreign": 0,
    }


async def test_before_anything_came_the_loop_is_empty(world: World) -> None:
    found = await loop(world, "LAST_12_MONTHS")

    assert (found["leads"], found["efforts"], len(found["spans"])) == (0, [], 12)
    assert [s["reached"] for s in found["stages"]] == [0] * 6
    assert found["stages"][1]["fromPrevious"] == {"of": 0, "rate": None, "low": "0", "high": "1"}
    assert loop_of(found).revenue.amount == 0


async def test_whoever_has_a_boards_link_sees_it_but_nobodys_data(world: World) -> None:
    await fill(world)
    board = await a_board(world)

    variables = {"window": "LAST_90_DAYS"}
    context = seen_by(world, board)
    async with following(world, CLOSED_LOOP_DOCUMENT, variables, context=context) as live:
        seen = (await live.next())["data"]

    assert seen["closedLoop"]["leads"] == 2
    assert "canary" not in str(seen).lower()
    assert "@" not in str(seen)


async def test_a_deal_that_is_won_is_told_at_once(world: World) -> None:
    await fill(world)
    variables = {"window": "LAST_30_DAYS"}
    async with following(world, CLOSED_LOOP_DOCUMENT, variables, as_=world.analyst) as live:
        assert (await live.next())["data"]["closedLoop"]["won"] == 1
        (lead,) = await add_journeys(world, a_journey(on(9), (C, 1)))
        await add_deal(world, await a_pipeline(world), lead, minor=5, closed_at=on(10))

        told = (await live.after_news())["data"]["closedLoop"]
        assert (told["leads"], told["won"]) == (3, 2)


async def test_a_revoked_link_ends_it(world: World) -> None:
    board = await a_board(world)
    context = seen_by(world, board)
    variables = {"window": "LAST_30_DAYS"}
    async with following(world, CLOSED_LOOP_DOCUMENT, variables, context=context) as live:
        await live.next()
        async with world.work() as work:
            await revoke_board(work, world.actor(), board.id)
        with pytest.raises(OperationFailed):
            await live.after_news()


# On the board


async def test_the_board_tells_what_marketings_leads_bought_this_month(world: World) -> None:
    stage = await a_pipeline(world)
    ours, theirs = await add_mql(world), await add_mql(world)
    async with world.work() as work:
        await handoff_flow.hand_off(work, world.actor(world.marketer), ours.id)
    before = await picture(world)
    world.at(on(20))
    for lead, minor, closed_at, currency in (
        (ours, 5_000_00, on(15), "EUR"),
        (ours, 700_00, on(16), "EUR"),
        (ours, 10_00, on(17), "USD"),
        (ours, 9_00, on(18), "GBP"),
        (ours, 8_00, on(17), "GBP"),
        (theirs, 100_00, on(17), "EUR"),
    ):
        await add_deal(world, stage, lead, minor=minor, closed_at=closed_at, currency=currency)
    await add_deal(world, stage, ours, minor=1, closed_at=on(17), lost=True)
    await set_rate(world, "USD", "0.5", "2026-03-17")
    march = await picture(world)
    await set_rate(world, "GBP", "1.25", "2026-03-01")
    mended = await picture(world)
    world.at(datetime(2026, 4, 1, tzinfo=UTC))
    april = await picture(world)

    assert before["returned"] is None
    assert march["returned"] == {
        "startsOn": "2026-03-01",
        "won": 5,
        "amount": euros("5705.00"),
        "unrated": 2,
        "missing": {"currency": "GBP", "to": "EUR", "on": "2026-03-17"},
    }
    assert mended["returned"] == {
        "startsOn": "2026-03-01",
        "won": 5,
        "amount": euros("5726.25"),
        "unrated": 0,
        "missing": None,
    }
    assert april["returned"] == {
        "startsOn": "2026-04-01",
        "won": 0,
        "amount": euros("0.00"),
        "unrated": 0,
        "missing": None,
    }
