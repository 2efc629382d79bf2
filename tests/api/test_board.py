from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from graphql import parse, validate

from api.board import BOARD_DOCUMENT
from api.context import Context
from api.engine.masking import OperationFailed
from api.schema import schema
from api.web.payload import board_of
from domain import handoff_flow
from domain.goals.targets import Goal, Metric
from domain.identity import Actor, Board, Team, create_board, revoke_board, system
from domain.identity.policy import BOARD_PERMISSIONS
from domain.ids import new_id, public
from domain.lead_intake import log_activity
from domain.leads import ActivityKind, Agency, Company, Lead
from domain.sla import keeping
from domain.sla.clocks import SlaClock
from domain.stages import Side
from infra.outbox import publish_all
from tests.agreements import a_sla, add_mql, sign
from tests.following import following
from tests.world import World

QUERY = BOARD_DOCUMENT.replace("subscription Board", "query Board")


async def hand_off(world: World, **changes: Any) -> Lead:
    lead = await add_mql(world, **{"origin_source": "webinar", **changes})
    async with world.work() as work:
        await handoff_flow.hand_off(
            work, world.actor(world.marketer), lead.id, to_team_id=world.sales.id
        )
    return lead


async def picture(world: World, **as_: Any) -> dict[str, Any]:
    answer = await world.data(QUERY, **as_)
    board: dict[str, Any] = answer["board"]
    return board


async def a_board(world: World, **changes: Any) -> Board:
    async with world.work() as work:
        return await create_board(work, world.actor(), name="Hall", digest=new_id().hex, **changes)


def seen_by(world: World, board: Board) -> Context:
    """Return the surroundings of whoever opens a board's link."""
    context = world.context()
    context.signed_in = Actor(
        tenant_id=world.tenant.id, user_id=None, permissions=BOARD_PERMISSIONS, board_id=board.id
    )
    return context


async def relay(world: World) -> None:
    await publish_all(world.database, world.tenant.id)


def test_the_page_asks_for_what_the_schema_has() -> None:
    assert validate(schema()._schema, parse(BOARD_DOCUMENT)) == []
    assert validate(schema()._schema, parse(QUERY)) == []


async def test_before_anything_is_signed_the_board_says_so(world: World) -> None:
    assert await picture(world, as_=world.other_rep) == {
        "asOf": "2026-03-10T12:00:00Z",
        "tenantName": "Acme",
        "sla": None,
        "sides": [],
        "countdowns": [],
        "breaches": [],
        "goals": [],
        "returned": None,
    }


async def test_both_sides_hang_side_by_side(world: World) -> None:
    await sign(world)
    await hand_off(world)

    board = await picture(world, as_=world.analyst)

    assert board["sla"] == {
        "name": "March 2026",
        "startsOn": "2026-03-01",
        "lastOn": "2026-03-31",
        "number": 1,
        "timeZone": "UTC",
        "workingDays": 22,
        "workingDaysElapsed": 7,
    }
    marketing, sales = board["sides"]
    assert (marketing["side"], marketing["teamName"], marketing["status"]) == (
        "MARKETING",
        "Marketing",
        "BEHIND",
    )
    assert (sales["side"], sales["teamName"], sales["status"]) == ("SALES", "Sales", "ON_TRACK")
    (delivery,) = marketing["commitments"]
    assert (delivery["label"], delivery["unit"], delivery["status"]) == (
        "Delivery",
        "COUNT",
        "BEHIND",
    )
    assert (delivery["attained"], delivery["expected"], delivery["neededPerWorkingDay"]) == (
        "1",
        "5.80",
        "1.22",
    )
    assert len(delivery["series"]) == 31
    assert [c["kind"] for c in sales["commitments"]] == [
        *("RESPONSE", "ATTEMPTS", "DISPOSITION", "COVERAGE")
    ]


async def test_open_promises_count_down_the_most_urgent_first(world: World) -> None:
    await sign(world)
    await hand_off(world)
    await hand_off(world, origin_source=None)
    world.at(datetime(2026, 3, 10, 15, 30, tzinfo=UTC))

    board = await picture(world)

    clocks = [
        (c["label"], c["teamName"], c["commitmentLabel"], c["dueAt"], c["state"])
        for c in board["countdowns"]
    ]
    assert clocks[:2] == [
        ("Lead from webinar", "Sales", "Response", "2026-03-10T16:00:00Z", "WARNING"),
        ("Lead", "Sales", "Response", "2026-03-10T16:00:00Z", "WARNING"),
    ]
    assert [c[2] for c in clocks] == [
        *("Response", "Response", "Disposition", "Disposition", "Attempts", "Attempts")
    ]
    assert [c[4] for c in clocks[2:]] == ["RUNNING"] * 4


async def test_a_breach_is_shown_when_it_happens_and_stays_when_it_is_answered(
    world: World,
) -> None:
    await sign(world)
    lead = await hand_off(world)
    world.at(datetime(2026, 3, 10, 16, 30, tzinfo=UTC))
    unnoticed = await picture(world)
    async with world.work() as work:
        await keeping.sweep(work, system(world.tenant.id))
    noticed = await picture(world)
    async with world.work() as work:
        (clock,) = [c for c in await work.find(SlaClock) if c.state == "BREACHED"]
        await handoff_flow.reassign_lead(
            work, world.actor(world.rep), lead.id, owner_id=world.other_rep.id
        )
    world.wait(minutes=10)
    await _touch(world, lead)
    await relay(world)
    answered = await picture(world)

    breach = {
        "id": public("SlaClock", clock.id),
        "label": "Lead from webinar",
        "commitmentLabel": "Response",
        "at": "2026-03-10T16:00:00Z",
        "endedAt": None,
    }
    assert unnoticed["breaches"] == noticed["breaches"] == [breach]
    assert unnoticed["countdowns"][0]["state"] == "BREACHED"
    assert answered["breaches"] == [{**breach, "endedAt": "2026-03-10T16:40:00Z"}]


async def _touch(world: World, lead: Lead) -> None:
    async with world.work() as work:
        await log_activity(
            work,
            world.actor(world.rep),
            lead.id,
            kind=ActivityKind.CALL,
            agency=Agency.HUMAN,
            occurred_at=world.now,
        )


async def test_breaches_are_forgotten_after_a_week(world: World) -> None:
    await sign(world)
    lead = await hand_off(world)
    world.wait(hours=5)
    await _touch(world, lead)
    await relay(world)

    async def breaches() -> int:
        return sum(
            each["commitmentLabel"] == "Response" for each in (await picture(world))["breaches"]
        )

    before = await breaches()
    world.at(datetime(2026, 3, 17, 16, 1, tzinfo=UTC))

    assert (before, await breaches()) == (1, 0)


async def test_goals_of_these_days_hang_beside(world: World) -> None:
    goal = Goal(
        id=new_id(),
        name="Answered",
        metric=Metric.RESPONSE_RATE,
        team_id=world.sales.id,
        target=Decimal("0.95"),
        created_by=world.owner.id,
        created_at=world.now,
        starts_on=date(2026, 3, 1),
        ends_on=date(2026, 4, 1),
    )
    over = replace(goal, id=new_id(), ends_on=goal.starts_on + timedelta(days=9))
    gone = replace(goal, id=new_id(), archived_at=world.now)
    async with world.work() as work:
        await work.add_all([goal, over, gone])

    assert (await picture(world))["goals"] == [
        {
            "id": public("Goal", goal.id),
            "name": "Answered",
            "unit": "SHARE",
            "target": "0.95",
            "attained": None,
            "expected": "0.95",
            "status": "ON_TRACK",
        }
    ]


async def test_a_board_shows_its_own_teams_agreement_and_clocks_only(world: World) -> None:
    other = Team(id=new_id(), name="Key accounts", side=Side.SALES, created_at=world.now)
    async with world.work() as work:
        await work.add(other)
    await sign(world)
    await sign(world, sla=a_sla(world, sales_team_id=other.id, name="Key accounts, March"))
    await hand_off(world, origin_source="fair")
    mine, theirs = (
        await a_board(world, sales_team_id=world.sales.id),
        await a_board(world, sales_team_id=other.id),
    )

    boards = []
    for board in (mine, theirs):
        async with following(world, BOARD_DOCUMENT, context=seen_by(world, board)) as live:
            boards.append((await live.next())["data"]["board"])

    assert [board["sla"]["name"] for board in boards] == ["March 2026", "Key accounts, March"]
    assert [len(board["countdowns"]) for board in boards] == [3, 0]


async def test_the_latest_of_several_agreements_in_force_hangs_there(world: World) -> None:
    change = datetime(2026, 3, 9, tzinfo=UTC)
    await sign(world, sla=a_sla(world, ceased_at=change))
    await sign(world, sla=a_sla(world, effective_at=change, number=2, name="Second"))
    await sign(world, sla=a_sla(world, number=3, name="A proposal", sales_signed_at=None))

    assert (await picture(world))["sla"]["name"] == "Second"


async def test_what_the_page_is_drawn_from_fits_what_the_schema_answers(world: World) -> None:
    await sign(world)
    await hand_off(world)

    board = board_of(await picture(world))

    assert (board.tenant_name, board.sla and board.sla.working_days) == ("Acme", 22)
    assert [side.side for side in board.sides] == ["MARKETING", "SALES"]
    assert [c.kind for c in board.sides[1].commitments] == [
        *("RESPONSE", "ATTEMPTS", "DISPOSITION", "COVERAGE")
    ]
    assert len(board.countdowns) == 3


async def test_a_board_shows_no_personal_data_at_all(world: World) -> None:
    """Everything we know of people carries a canary; none of them may sing."""
    await sign(world)
    company = Company(id=new_id(), name="CANARY-company", created_at=world.now)
    async with world.work() as work:
        await work.add(company)
    lead = await hand_off(
        world,
        first_name="CANARY-first",
        last_name="CANARY-last",
        job_title="CANARY-job",
        email=f"canary-{new_id().hex}@example.com",
        company_id=company.id,
        origin_source="canary@example.com",
        origin_campaign="CANARY-campaign",
    )
    world.wait(hours=30)
    async with world.work() as work:
        await keeping.sweep(work, system(world.tenant.id))
        await handoff_flow.reject_lead(
            work, world.actor(world.rep), lead.id, reason="CANARY-reason"
        )
    await relay(world)
    await hand_off(world, first_name="CANARY-second", origin_source="canary2@example.com")

    shown = str(await picture(world)).lower()

    assert "canary" not in shown
    people = (world.owner, world.marketer, world.rep, world.other_rep)
    assert not [person.name for person in people if person.name.lower() in shown]
    assert "lead" in shown


async def test_who_opens_a_board_sees_the_board_and_nothing_else(world: World) -> None:
    board = await a_board(world)
    context = seen_by(world, board)

    async with following(world, BOARD_DOCUMENT, context=context) as live:
        assert (await live.next())["data"]["board"]["tenantName"] == "Acme"
    async with following(
        world, "subscription { handoffInbox { dueAt } }", context=seen_by(world, board)
    ) as live:
        with pytest.raises(OperationFailed) as failed:
            await live.next()

    assert failed.value.code == "FORBIDDEN"


async def test_a_revoked_board_goes_dark(world: World) -> None:
    board = await a_board(world)
    async with following(world, BOARD_DOCUMENT, context=seen_by(world, board)) as live:
        await live.next()
        async with world.work() as work:
            await revoke_board(work, world.actor(), board.id)
        with pytest.raises(OperationFailed) as failed:
            await live.after_news()

    assert failed.value.code == "FORBIDDEN"


async def test_a_board_follows_what_happens(world: World) -> None:
    await sign(world)
    async with following(world, BOARD_DOCUMENT, as_=world.analyst) as live:
        before = (await live.next())["data"]["board"]
        await hand_off(world)
        after = (await live.after_news())["data"]["board"]

    def attained(board: dict[str, Any]) -> str:
        return str(board["sides"][0]["commitments"][0]["attained"])

    assert (attained(before), attained(after)) == ("0", "1")
    assert (len(before["countdowns"]), len(after["countdowns"])) == (0, 3)


async def test_a_board_of_one_tenant_shows_nothing_of_another(
    world: World, other_world: World
) -> None:
    await sign(world)
    await hand_off(world)

    board = await picture(other_world)

    assert (board["sla"], board["countdowns"], board["goals"]) == (None, [], [])
