from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain import handoff_flow
from domain.events import ClockTransitioned, EscalationRaised
from domain.feed import LoggedEvent
from domain.handoff import Handoff
from domain.identity import TeamMember, User, system
from domain.ids import new_id, public
from domain.lead_intake import log_activity
from domain.leads import ActivityKind, Agency, Lead
from domain.sla.agreement import CommitmentKind, LadderStep, Reassignment
from domain.sla.calendar import Window
from domain.sla.calendars import update_calendar
from domain.sla.clock import ClockState, EscalationAction
from domain.sla.clocks import SlaClock
from domain.sla.escalation import sweep_and_escalate
from infra.outbox import publish_all
from infra.rows import restored
from tests.agreements import a_commitment, a_sla, add_mql, sign
from tests.world import NOON, World

SHARE = Decimal("0.9")
CLOCK = "state dueAt warnAt endedAt reason attempts transitions { state at }"
READ = f"query($id: ID!) {{ clock(id: $id) {{ {CLOCK} }} }}"
WAIVE = f"""mutation($input: ClockWaiveInput!) {{ clockWaive(input: $input) {{
  clock {{ {CLOCK} }} userErrors {{ code path }} }} }}"""
PAUSE = """mutation($input: ClockPauseInput!) { clockPause(input: $input) {
  clock { state dueAt } userErrors { code path } } }"""
RESUME = """mutation($input: ClockResumeInput!) { clockResume(input: $input) {
  clock { state dueAt } userErrors { code path } } }"""


async def promised(world: World, kind: CommitmentKind, **terms: Any) -> SlaClock:
    """Hand a lead off under one promise and return its clock."""
    sla = a_sla(world)
    terms = {"within_minutes": 240, "target_share": SHARE, **terms}
    await sign(world, a_commitment(sla, kind, **terms), sla=sla)
    return await handed_off(world)


async def handed_off(world: World) -> SlaClock:
    lead = await add_mql(world)
    async with world.work() as work:
        await handoff_flow.hand_off(work, world.actor(world.marketer), lead.id)
    async with world.work() as work:
        (clock,) = await work.find(SlaClock, lead_id=lead.id)
    return clock


async def sweep(world: World) -> int:
    async with world.work() as work:
        return (await sweep_and_escalate(work, system(world.tenant.id))).transitions


async def call(world: World, clock: SlaClock, user: User | None = None, **more: Any) -> None:
    async with world.work() as work:
        await log_activity(
            work,
            world.actor(user or world.rep),
            clock.lead_id,
            **{"kind": ActivityKind.CALL, **more},
        )


async def told(world: World, kind: type = ClockTransitioned) -> list[Any]:
    """Return the events of a kind, in the order of the tenant's log."""
    await publish_all(world.database, world.tenant.id)
    async with world.work() as work:
        log = await work.find(LoggedEvent, kind=kind.__name__)
    return [restored(kind, event.payload) for event in sorted(log, key=lambda e: e.number)]


async def states(world: World) -> list[tuple[str, datetime]]:
    return [(event.state.value, event.at) for event in await told(world)]


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


async def test_an_hour_without_a_sweeper_loses_nothing(world: World) -> None:
    world.at(at(10, 9))
    clock = await promised(world, CommitmentKind.RESPONSE, within_minutes=30, warn_minutes=(10,))
    world.wait(hours=1)

    assert await sweep(world) == 2
    assert await sweep(world) == 0

    assert await states(world) == [
        ("RUNNING", at(10, 9)),
        ("WARNING", at(10, 9, 20)),
        ("BREACHED", at(10, 9, 30)),
    ]
    async with world.work() as work:
        assert (await work.get(SlaClock, clock.id)).next_at is None


async def test_a_breach_that_came_and_went_between_two_sweeps_is_told_once(world: World) -> None:
    clock = await promised(world, CommitmentKind.RESPONSE, within_minutes=30)
    world.wait(minutes=50)
    await call(world, clock)
    world.wait(hours=1)

    assert await sweep(world) == 0

    assert await states(world) == [
        ("RUNNING", NOON),
        ("BREACHED", NOON + timedelta(minutes=30)),
        ("MET_LATE", NOON + timedelta(minutes=50)),
    ]


async def test_a_read_tells_the_truth_though_no_worker_runs(world: World) -> None:
    clock = await promised(world, CommitmentKind.RESPONSE, within_minutes=30)
    world.wait(minutes=31)

    answer = await world.data(READ, {"id": public("SlaClock", clock.id)})

    assert answer["clock"]["state"] == "BREACHED"
    async with world.work() as work:
        assert (await work.get(SlaClock, clock.id)).state is ClockState.RUNNING


async def test_many_sweepers_at_once_tell_each_change_once(world: World) -> None:
    sla = a_sla(world)
    await sign(
        world,
        a_commitment(sla, CommitmentKind.RESPONSE, within_minutes=30, target_share=SHARE),
        sla=sla,
    )
    clocks = [await handed_off(world) for _ in range(12)]
    world.wait(hours=1)

    told_by_each = await asyncio.gather(*(sweep(world) for _ in range(4)))

    assert sum(told_by_each) == 12
    breaches = [event for event in await told(world) if event.state is ClockState.BREACHED]
    assert sorted(b.clock_id for b in breaches) == sorted(c.id for c in clocks)


@pytest.mark.parametrize(
    ("activity", "state"),
    [
        ({}, "MET"),
        ({"kind": ActivityKind.EMAIL}, "MET"),
        ({"agency": Agency.AUTOMATIC}, "RUNNING"),
        ({"kind": ActivityKind.NOTE, "text": "tall"}, "RUNNING"),
    ],
)
async def test_only_a_human_touch_of_the_buyer_is_a_response(
    world: World, activity: dict[str, Any], state: str
) -> None:
    clock = await promised(world, CommitmentKind.RESPONSE)
    world.wait(minutes=10)
    await call(world, clock, **activity)

    assert (await world.data(READ, {"id": public("SlaClock", clock.id)}))["clock"]["state"] == state


async def test_what_another_team_did_is_no_response(world: World) -> None:
    clock = await promised(world, CommitmentKind.RESPONSE)
    await call(world, clock, world.marketer)

    answer = await world.data(READ, {"id": public("SlaClock", clock.id)})

    assert answer["clock"]["state"] == "RUNNING"


async def test_a_reply_stamped_before_the_handoff_counts_from_its_start(world: World) -> None:
    clock = await promised(world, CommitmentKind.RESPONSE)
    await call(world, clock, occurred_at=world.now - timedelta(hours=2))

    answer = await world.data(READ, {"id": public("SlaClock", clock.id)})

    assert answer["clock"]["endedAt"] == "2026-03-10T12:00:00Z"
    assert answer["clock"]["state"] == "MET"


async def test_attempts_are_counted_until_answered(world: World) -> None:
    clock = await promised(world, CommitmentKind.ATTEMPTS, attempts=3)
    for expected, answered in ((1, False), (2, False), (2, True)):
        world.wait(minutes=10)
        await call(world, clock, answered=answered)
        read = (await world.data(READ, {"id": public("SlaClock", clock.id)}))["clock"]
        assert read["attempts"] == expected or answered
    assert read["state"] == "MET"


async def test_waiving_excuses_a_clock_for_a_reason_that_stays(world: World) -> None:
    clock = await promised(world, CommitmentKind.RESPONSE)
    id = public("SlaClock", clock.id)
    world.wait(minutes=10)

    empty = await world.data(WAIVE, {"input": {"clock": id, "reason": " "}})
    waived = await world.data(WAIVE, {"input": {"clock": id, "reason": "trade fair"}})
    again = await world.data(WAIVE, {"input": {"clock": id, "reason": "trade fair"}})

    assert empty["clockWaive"]["userErrors"] == [{"code": "INVALID", "path": ["reason"]}]
    assert waived["clockWaive"] == {
        "clock": {
            "state": "WAIVED",
            "dueAt": "2026-03-10T16:00:00Z",
            "warnAt": None,
            "endedAt": "2026-03-10T12:10:00Z",
            "reason": "trade fair",
            "attempts": 0,
            "transitions": [
                {"state": "RUNNING", "at": "2026-03-10T12:00:00Z"},
                {"state": "WAIVED", "at": "2026-03-10T12:10:00Z"},
            ],
        },
        "userErrors": [],
    }
    assert again["clockWaive"]["userErrors"] == [{"code": "CLOCK_IS_CLOSED", "path": ["clock"]}]


async def test_a_pause_over_night_shifts_nothing(world: World) -> None:
    world.at(at(10, 15))
    clock = await promised(world, CommitmentKind.RESPONSE)
    id = public("SlaClock", clock.id)
    world.at(at(10, 17))
    paused = await world.data(PAUSE, {"input": {"clock": id, "reason": "buyer is abroad"}})
    world.at(at(11, 9))
    resumed = await world.data(RESUME, {"input": {"clock": id}})
    unpaused = await world.data(RESUME, {"input": {"clock": id}})

    assert paused["clockPause"]["clock"]["state"] == "PAUSED"
    assert resumed["clockResume"]["clock"] == {
        "state": "RUNNING",
        "dueAt": "2026-03-11T11:00:00Z",
    }
    assert unpaused["clockResume"]["userErrors"] == [
        {"code": "CLOCK_NOT_PAUSED", "path": ["clock"]}
    ]


async def test_another_tenants_clock_does_not_exist(world: World, other_world: World) -> None:
    theirs = await promised(other_world, CommitmentKind.RESPONSE)
    foreign, never = public("SlaClock", theirs.id), public("SlaClock", new_id())
    for document in (WAIVE, PAUSE):
        answers = [
            await world.data(document, {"input": {"clock": id, "reason": "no"}})
            for id in (foreign, never)
        ]
        assert answers[0] == answers[1]
        (payload,) = answers[0].values()
        assert [error["code"] for error in payload["userErrors"]] == ["NOT_FOUND"]
    assert await world.data(READ, {"id": foreign}) == {"clock": None}
    async with other_world.work() as work:
        assert await work.get(SlaClock, theirs.id) == theirs


async def _moved(world: World, rule: Reassignment) -> Sequence[SlaClock]:
    clock = await promised(world, CommitmentKind.RESPONSE, on_reassignment=rule)
    world.wait(hours=1)
    async with world.work() as work:
        await handoff_flow.reassign_lead(
            work, world.actor(), clock.lead_id, owner_id=world.other_rep.id
        )
    async with world.work() as work:
        return sorted(await work.find(SlaClock), key=lambda c: c.started_at)


@pytest.mark.parametrize(
    ("rule", "clocks"),
    [
        (Reassignment.CONTINUE, [("RUNNING", at(10, 16), "Rita")]),
        (
            Reassignment.RESTART,
            [("TRANSFERRED", at(10, 16), "Sam"), ("RUNNING", at(10, 17), "Rita")],
        ),
        (
            Reassignment.CHILD,
            [("RUNNING", at(10, 16), "Sam"), ("RUNNING", at(10, 17), "Rita")],
        ),
    ],
)
async def test_a_new_owner_continues_restarts_or_gets_a_clock_of_his_own(
    world: World, rule: Reassignment, clocks: list[tuple[str, datetime, str]]
) -> None:
    names = {world.rep.id: "Sam", world.other_rep.id: "Rita"}
    found = await _moved(world, rule)
    assert [(c.state.value, c.due_at, names[c.user_id or new_id()]) for c in found] == clocks


async def test_the_ladder_moves_a_neglected_lead_to_the_next_in_turn(world: World) -> None:
    ladder = (
        LadderStep(after_minutes=15, action=EscalationAction.NOTIFY),
        LadderStep(after_minutes=60, action=EscalationAction.REASSIGN),
        LadderStep(after_minutes=90, action=EscalationAction.OUT_OF_ROTATION),
    )
    clock = await promised(world, CommitmentKind.RESPONSE, escalation=ladder)
    world.wait(minutes=75)
    await sweep(world)

    async with world.work() as work:
        assert (await work.get(Lead, clock.lead_id)).owner_id == world.other_rep.id
        (handoff,) = await work.find(Handoff)
        assert handoff.owner_id == world.other_rep.id
    world.wait(minutes=20)
    await sweep(world)
    await sweep(world)
    async with world.work() as work:
        (member,) = await work.find(TeamMember, user_id=world.other_rep.id)
        assert not member.available
    assert [(e.action, e.at) for e in await told(world, EscalationRaised)] == [
        (EscalationAction.NOTIFY, NOON + timedelta(minutes=15)),
        (EscalationAction.REASSIGN, NOON + timedelta(minutes=60)),
        (EscalationAction.OUT_OF_ROTATION, NOON + timedelta(minutes=90)),
    ]


async def test_nobody_left_to_reassign_to_leaves_the_lead_where_it_is(world: World) -> None:
    async with world.work() as work:
        (rita,) = await work.find(TeamMember, user_id=world.other_rep.id)
        await work.save(replace(rita, available=False))
    ladder = (LadderStep(after_minutes=60, action=EscalationAction.REASSIGN),)
    clock = await promised(world, CommitmentKind.RESPONSE, escalation=ladder)
    world.wait(minutes=75)

    await sweep(world)

    async with world.work() as work:
        assert (await work.get(Lead, clock.lead_id)).owner_id == world.rep.id


async def test_a_clock_keeps_the_calendar_it_started_under(world: World) -> None:
    sla = a_sla(world)
    await sign(
        world,
        a_commitment(sla, CommitmentKind.RESPONSE, within_minutes=600, target_share=SHARE),
        sla=sla,
    )
    before = await handed_off(world)
    mornings = tuple(Window(weekday, 9 * 60, 12 * 60) for weekday in range(5))
    world.wait(minutes=1)
    async with world.work() as work:
        changes = {"windows": mornings}
        await update_calendar(work, world.actor(), world.calendar.id, changes=changes)
    after = await handed_off(world)

    for clock, due in ((before, "2026-03-11T14:00:00Z"), (after, "2026-03-16T10:00:00Z")):
        read = await world.data(READ, {"id": public("SlaClock", clock.id)})
        assert read["clock"]["dueAt"] == due
    world.at(at(16, 11))
    await sweep(world)
    assert [event for event in await states(world) if event[0] == "BREACHED"] == [
        ("BREACHED", at(11, 14)),
        ("BREACHED", at(16, 10)),
    ]
