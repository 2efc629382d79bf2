"""What a funnel reads from the database, against a count by hand of the same histories."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.filters import parse
from domain.funnel import (
    CohortSpan,
    FunnelDimension,
    FunnelReport,
    FunnelTerms,
    Segment,
    Spread,
    read_funnel,
)
from domain.handoff import Handoff
from domain.ids import new_id
from domain.leads import LEAD_FIELDS, Lead
from domain.lifecycle import StageEntry
from domain.paging import Count, PageRequest
from domain.stages import Stage
from domain.values import Period
from tests.histories import a_journey, add_journeys
from tests.journeys import a_campaign
from tests.world import World

Journey = tuple[Lead, Sequence[StageEntry]]
L, M, S, Q, O, C = Stage.LEAD, Stage.MQL, Stage.SAL, Stage.SQL, Stage.OPPORTUNITY, Stage.CUSTOMER  # noqa: E741  # the stages, as on a whiteboard
SHORT = (L, M, S, C)


def on(day: int, hour: int = 9, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


async def report(world: World, **terms: Any) -> FunnelReport:
    async with world.work() as work:
        return await read_funnel(work, FunnelTerms(**terms))


def figures(found: FunnelReport) -> dict[Any, list[int]]:
    return {
        (group.label, group.cohort and group.cohort.first): [s.reached for s in group.stages]
        for group in found.groups
    }


# By hand


async def test_a_skipped_stage_counts_as_passed(world: World) -> None:
    await add_journeys(world, a_journey(on(1), (Stage.VISITOR, 0), (L, 1), (Q, 5)))

    (group,) = (await report(world)).groups

    assert [s.reached for s in group.stages] == [1, 1, 1, 1, 0, 0]
    # Nobody was in the stages that were skipped, so nobody took any time there.
    assert [s.time for s in group.stages] == [
        Spread(leads=1, p50=timedelta(hours=4), p90=timedelta(hours=4)),
        *[None] * 5,
    ]


async def test_who_was_sent_back_has_still_reached_what_it_had_reached(world: World) -> None:
    await add_journeys(
        world,
        a_journey(on(1), (L, 0), (M, 2), (S, 4), (L, 10)),
        a_journey(on(1), (L, 0), (M, 2), (S, 4), (L, 10), (M, 20), (S, 24), (Q, 30)),
    )

    (group,) = (await report(world, stages=(L, M, S, Q))).groups

    assert [s.reached for s in group.stages] == [2, 2, 2, 1]
    assert (group.leads, group.open, group.open_share) == (2, 0, Decimal(0))
    # From first accepted to first qualified, the time in which it was sent back included.
    assert group.stages[2].time == Spread(leads=1, p50=timedelta(hours=26), p90=timedelta(hours=26))


async def test_a_lead_without_a_history_has_reached_the_stage_it_is_in(world: World) -> None:
    await add_journeys(world, a_journey(on(1)), a_journey(on(1), stage=S))

    (group,) = (await report(world, stages=SHORT)).groups

    assert (group.leads, [s.reached for s in group.stages]) == (2, [1, 1, 1, 0])
    assert [s.time for s in group.stages] == [None] * 4


async def test_open_are_those_who_stand_where_they_got_furthest(world: World) -> None:
    await add_journeys(
        world,
        a_journey(on(1), (Stage.VISITOR, 0)),  # not in the funnel yet
        a_journey(on(1), (L, 0)),
        a_journey(on(1), (L, 0), (M, 1)),
        a_journey(on(1), (L, 0), (M, 1), (L, 2)),  # sent back
        a_journey(on(1), (L, 0), (C, 1)),  # at the end
    )

    (group,) = (await report(world, stages=(L, M, C))).groups

    assert (group.leads, group.open, group.open_share) == (5, 2, Decimal("0.5"))


async def test_times_are_those_of_half_and_of_nine_in_ten(world: World) -> None:
    await add_journeys(world, *(a_journey(on(1), (L, 0), (M, n)) for n in range(1, 12)))

    (group,) = (await report(world, stages=(L, M))).groups

    assert group.stages[0].time == Spread(leads=11, p50=timedelta(hours=6), p90=timedelta(hours=10))


async def test_working_time_is_told_beside_the_time_that_passed(world: World) -> None:
    friday = on(6, 16)  # the office is open from nine to five
    old = datetime(2009, 3, 6, tzinfo=UTC)  # before any working time is laid out
    await add_journeys(
        world,
        a_journey(friday, (L, 0), (M, 65), (S, 90)),
        a_journey(old, (L, 0), (M, 10)),
    )

    (group,) = (await report(world, stages=SHORT, calendar_id=world.calendar.id)).groups

    first, second, *_ = group.stages
    one_hour = timedelta(hours=1)
    assert first.working_time == Spread(leads=1, p50=one_hour, p90=one_hour)
    assert first.time is not None
    assert first.time.leads == 2
    # From Monday at nine to Tuesday at ten.
    assert second.working_time == Spread(leads=1, p50=9 * one_hour, p90=9 * one_hour)


async def test_cohorts_are_local_days(world: World) -> None:
    async with world.work() as work:
        await work.save(replace(world.tenant, time_zone="America/New_York"))
    await add_journeys(
        world,
        a_journey(on(1, 4), (L, 0)),  # still February there
        a_journey(on(1, 5), (L, 0)),
        a_journey(on(8, 6), (L, 0)),
    )

    by_month = await report(world, stages=(L, M), cohorts=CohortSpan.MONTH)

    assert figures(by_month) == {
        ("All leads", date(2026, 2, 1)): [1, 0],
        ("All leads", date(2026, 3, 1)): [2, 0],
    }
    assert by_month.groups[-1].cohort == Period(date(2026, 3, 1), date(2026, 3, 11))
    of_one_day = await report(world, stages=(L, M), first_on=date(2026, 2, 28),
                              last_on=date(2026, 2, 28))  # fmt: skip
    assert figures(of_one_day) == {("All leads", None): [1, 0]}


async def test_the_largest_groups_stand_alone_and_the_others_together(world: World) -> None:
    sources = ["fair"] * 3 + ["organic"] * 2 + ["social"] * 2 + ["email", None]
    await add_journeys(world, *(a_journey(on(1), (L, 0), origin_source=s) for s in sources))

    found = await report(world, stages=(L, M), dimension=FunnelDimension.ORIGIN_SOURCE, most=2)

    assert figures(found) == {
        ("fair", None): [3, 0],
        ("organic", None): [2, 0],
        ("Other", None): [4, 0],
    }
    assert (found.total_groups, found.other_groups) == (5, 3)
    assert [group.is_other for group in found.groups] == [False, False, True]


async def test_leads_without_a_value_are_a_group_of_their_own(world: World) -> None:
    await add_journeys(
        world, a_journey(on(1), (L, 0)), a_journey(on(1), (L, 0), owner_id=world.rep.id)
    )

    found = await report(world, stages=(L, M), dimension=FunnelDimension.OWNER)

    assert [(g.key, g.label) for g in found.groups] == [(world.rep.id, "Sam"), (None, "None")]


async def test_a_campaign_is_told_by_its_name_and_an_unknown_one_is_none(world: World) -> None:
    spring = a_campaign(on(1), "spring", name="Spring pricing")
    async with world.work() as work:
        await work.add(spring)
    await add_journeys(
        world,
        a_journey(on(1), (L, 0), origin_campaign="SPRING", campaign_id=spring.id),
        a_journey(on(1), (L, 0), campaign_id=spring.id),
        a_journey(on(1), (L, 0), origin_campaign="flyer"),
    )

    found = await report(world, stages=(L, M), dimension=FunnelDimension.CAMPAIGN)

    told = [(group.key, group.label, group.leads) for group in found.groups]
    assert told == [(spring.id, "Spring pricing", 2), (None, "None", 1)]


async def test_the_team_is_the_one_a_lead_was_handed_off_to_last(world: World) -> None:
    mine, none = await add_journeys(world, a_journey(on(1), (L, 0)), a_journey(on(1), (L, 0)))

    def handed(at: datetime, to: Any, decided: str) -> Handoff:
        return Handoff(id=new_id(), lead_id=mine.id, from_team_id=world.marketing.id,
                       to_team_id=to.id, score=0, handed_off_at=at, recorded_at=at,
                       status=decided, decided_at=at)  # type: ignore[arg-type]  # fmt: skip  # stored as text

    async with world.work() as work:
        await work.add_all(
            [handed(on(2), world.marketing, "REJECTED"), handed(on(3), world.sales, "ACCEPTED")]
        )

    found = await report(world, stages=(L, M), dimension=FunnelDimension.TEAM)

    assert {g.label: g.leads for g in found.groups} == {"Sales": 1, "None": 1}
    async with world.work() as work:
        pages = [
            await work.ask(replace(group.listing, only=group.behind)) for group in found.groups
        ]
    behind = {g.label: p.nodes for g, p in zip(found.groups, pages, strict=True)}
    assert behind == {"Sales": [mine], "None": [none]}


async def test_a_lead_counts_in_every_segment_it_belongs_to(world: World) -> None:
    def segment(name: str, criterion: dict[str, Any]) -> Segment:
        return Segment(name=name, filter=parse(criterion, LEAD_FIELDS, path=()))

    await add_journeys(
        world,
        a_journey(on(1), (L, 0), (M, 1), score=80, country="IE"),
        a_journey(on(1), (L, 0), score=80),
        a_journey(on(1), (L, 0), score=5),
    )

    found = await report(
        world,
        stages=(L, M),
        segments=(
            segment("Promising", {"score": {"gte": 50}}),
            segment("Irish", {"country": {"eq": "IE"}}),
            segment("Nobody", {"score": {"gt": 1000}}),
        ),
    )

    assert figures(found) == {("Promising", None): [2, 1], ("Irish", None): [1, 1]}
    assert (found.total_groups, found.other_groups) == (3, 0)


# By a count of random histories


def a_random_journey(chance: random.Random, number: int, **changes: Any) -> Journey:
    seen = on(1) + timedelta(hours=chance.randrange(24 * 9))
    hours, stage, steps = 0.0, Stage.VISITOR, [(Stage.VISITOR, 0.0)]
    for _ in range(chance.randrange(9)):
        hours += chance.choice((0, 0.5, 7, 30))
        stage = chance.choice([each for each in Stage if each is not stage])
        steps.append((stage, hours))
    return a_journey(
        seen,
        *steps,
        number=number,
        origin_source=chance.choice(("fair", "organic", "social", "email", None)),
        score=chance.randrange(100),
        **changes,
    )


def reached_at(journey: Journey, least: int, below: int = 9) -> datetime | None:
    times = [e.entered_at for e in journey[1] if least <= e.stage.rank < below]
    return min(times, default=None)


def percentile(values: list[float], share: float) -> timedelta:
    """Interpolate between neighbours, as percentile_cont says it does."""
    ordered, place = sorted(values), share * (len(values) - 1)
    low = ordered[int(place)]
    high = ordered[min(int(place) + 1, len(ordered) - 1)]
    return timedelta(seconds=round(low + (high - low) * (place - int(place))))


def counted(journeys: list[Journey], stages: Sequence[Stage]) -> tuple[Any, ...]:
    """Add histories up one by one."""
    furthest = [max([e.stage.rank for e in j[1]] + [j[0].stage.rank]) for j in journeys]
    reached = [sum(f >= stage.rank for f in furthest) for stage in stages]
    there = [f for f, j in zip(furthest, journeys, strict=True) if j[0].stage.rank == f]
    waiting = [sum(a.rank <= f < b.rank for f in there) for a, b in pairwise(stages)]
    spreads: list[Spread | None] = []
    for stage, following in pairwise(stages):
        pairs = [
            (reached_at(j, stage.rank, following.rank), reached_at(j, following.rank))
            for j in journeys
        ]
        times = [(r - e).total_seconds() for e, r in pairs if e and r and r >= e]
        spreads.append(
            Spread(leads=len(times), p50=percentile(times, 0.5), p90=percentile(times, 0.9))
            if times
            else None
        )
    return len(journeys), sum(waiting), reached, [*waiting, None], [*spreads, None]


_KEYS: Any = {
    FunnelDimension.ORIGIN_SOURCE: lambda journey: journey[0].origin_source,
    FunnelDimension.OWNER: lambda journey: journey[0].owner_id,
}


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@pytest.mark.parametrize("dimension", list(_KEYS))
async def test_the_report_equals_a_count_of_every_history(
    world: World, dimension: FunnelDimension, zone: str
) -> None:
    """In New York the second of these weeks has an hour less."""
    chance = random.Random(f"{dimension} {zone}")
    people = (world.rep.id, world.other_rep.id, None)
    journeys = [a_random_journey(chance, n, owner_id=chance.choice(people)) for n in range(120)]
    await add_journeys(world, *journeys)
    async with world.work() as work:
        await work.save(replace(world.tenant, time_zone=zone))
    stages = tuple(sorted(chance.sample(list(Stage), 4), key=lambda s: s.rank))
    meant = {j[0].id: j for j in journeys if j[0].score < 90}

    found = await report(
        world,
        stages=stages,
        dimension=dimension,
        most=2,
        cohorts=CohortSpan.WEEK,
        first_on=date(2026, 3, 1),
        filter=parse({"score": {"lt": 90}}, LEAD_FIELDS, path=()),
    )
    key = _KEYS[dimension]
    known = {g.key for g in found.groups if not g.is_other}
    left = set(meant)
    for group in found.groups:
        assert group.cohort is not None
        fits = [
            j
            for j in meant.values()
            if j[0].created_at.astimezone(ZoneInfo(zone)).date() in group.cohort
            and (key(j) not in known if group.is_other else key(j) == group.key)
        ]
        left -= {j[0].id for j in fits}
        assert (
            group.leads,
            group.open,
            [s.reached for s in group.stages],
            [s.waiting for s in group.stages],
            [s.time for s in group.stages],
        ) == counted(fits, stages)
        await _explained(world, group, fits)
    assert left == set()


async def _explained(world: World, group: Any, fits: list[Journey]) -> None:
    """Every number has as many leads behind it, and those are the ones that were counted."""
    async with world.work() as work:
        for stage in group.stages:
            only = replace(group.behind, stage=stage.stage)
            listing = replace(group.listing, only=only, page=PageRequest(size=100))
            behind = {lead.id for lead in (await work.ask(listing)).nodes}
            furthest = {j[0].id: max(e.stage.rank for e in j[1]) for j in fits}
            assert behind == {id for id, rank in furthest.items() if rank >= stage.stage.rank}
            assert await work.ask(Count(listing=listing)) == stage.reached


async def test_the_leads_behind_a_number_come_in_pages(world: World) -> None:
    await add_journeys(world, *(a_journey(on(1, n), (L, 0), (M, 1)) for n in range(5)))
    (group,) = (await report(world, stages=(L, M))).groups
    only = replace(group.behind, stage=M)
    listing = replace(group.listing, only=only, page=PageRequest(size=2))

    seen: list[datetime] = []
    async with world.work() as work:
        page = await work.ask(listing)
        seen += [lead.created_at for lead in page.nodes]
        while page.has_next_page:
            cursor = (page.nodes[-1].created_at.isoformat(), str(page.nodes[-1].id))
            listing = replace(listing, page=PageRequest(size=2, cursor=cursor))
            page = await work.ask(listing)
            seen += [lead.created_at for lead in page.nodes]

    assert seen == [on(1, n) for n in (4, 3, 2, 1, 0)]


async def test_a_tenant_sees_none_of_anothers(world: World, other_world: World) -> None:
    await add_journeys(other_world, a_journey(on(1), (L, 0)))

    assert (await report(world)).groups == ()
