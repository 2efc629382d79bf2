"""What `leadMerge` and `leadUnmerge` refuse; nothing is written then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from domain import handoff_flow
from domain.ids import new_id, public
from domain.lead_details import LeadDetails
from domain.lead_intake import log_activity, update_lead
from domain.leads import ActivityKind, Lead
from domain.merging import MOST_LOSERS
from domain.opportunities import OpportunityDetails, open_opportunity
from tests.agreements import add_mql, sign
from tests.api.merging.leads import MERGE, UNMERGE, a_lead, merged, ref, unmerged
from tests.api.merging.story import everything
from tests.deals import a_pipeline
from tests.world import World

Scene = Callable[[World], Awaitable[tuple[str, dict[str, Any], list[dict[str, Any]]]]]


async def with_itself(world: World) -> Any:
    lead, other = await a_lead(world, "ann"), await a_lead(world, "bob")
    given = {"winner": ref(lead), "losers": [ref(other), {"email": "ann@acme.example"}]}
    refusal = {"code": "MERGE_WITH_ITSELF", "path": ["losers", "1"]}
    return MERGE, {"input": given}, [refusal]


async def with_nobody(world: World) -> Any:
    lead = await a_lead(world, "ann")
    refusal = {"code": "LOSERS_MISCOUNTED", "path": ["losers"]}
    return MERGE, {"input": {"winner": ref(lead), "losers": []}}, [refusal]


async def with_too_many(world: World) -> Any:
    lead, *others = [await a_lead(world, f"ann{n}") for n in range(MOST_LOSERS + 2)]
    given = {"winner": ref(lead), "losers": list(map(ref, others))}
    return MERGE, {"input": given}, [{"code": "LOSERS_MISCOUNTED", "path": ["losers"]}]


async def with_nobody_known(world: World) -> Any:
    lead = await a_lead(world, "ann")
    given = {"winner": ref(lead), "losers": [{"id": public("Lead", new_id())}]}
    return MERGE, {"input": given}, [{"code": "NOT_FOUND", "path": ["losers", "0"]}]


async def with_one_that_was_merged(world: World) -> Any:
    lead, other, third = [await a_lead(world, f"ann{n}") for n in range(3)]
    await merged(world, lead, other)
    given = {"winner": ref(third), "losers": [ref(other)]}
    refusal = {
        "code": "ALREADY_MERGED",
        "path": ["losers", "0"],
        "into": {"email": "ann0@acme.example"},
    }
    return MERGE, {"input": given}, [refusal]


async def into_one_that_was_merged(world: World) -> Any:
    lead, other, third = [await a_lead(world, f"ann{n}") for n in range(3)]
    await merged(world, lead, other)
    given = {"winner": {"email": "ann1@acme.example"}, "losers": [ref(third)]}
    refusal = {
        "code": "ALREADY_MERGED",
        "path": ["winner"],
        "into": {"email": "ann0@acme.example"},
    }
    return MERGE, {"input": given}, [refusal]


async def undone_twice(world: World) -> Any:
    merge = await merged(world, await a_lead(world, "ann"), await a_lead(world, "bob"))
    await unmerged(world, merge.id)
    refusal = {"code": "ALREADY_UNMERGED", "path": ["merge"]}
    return UNMERGE, {"merge": public("LeadMerge", merge.id)}, [refusal]


async def of_no_merge(world: World) -> Any:
    refusal = {"code": "NOT_FOUND", "path": ["merge"]}
    return UNMERGE, {"merge": public("LeadMerge", new_id())}, [refusal]


async def under_another_merge(world: World) -> Any:
    winner = await a_lead(world, "ann")
    merge = await merged(world, winner, await a_lead(world, "bob"))
    await merged(world, winner, await a_lead(world, "cyd"))
    refusal = {"code": "MERGED_SINCE", "path": ["merge"]}
    return UNMERGE, {"merge": public("LeadMerge", merge.id)}, [refusal]


async def of_a_winner_that_lost(world: World) -> Any:
    winner = await a_lead(world, "ann")
    merge = await merged(world, winner, await a_lead(world, "bob"))
    await merged(world, await a_lead(world, "cyd"), winner)
    refusal = {"code": "MERGED_SINCE", "path": ["merge"]}
    return UNMERGE, {"merge": public("LeadMerge", merge.id)}, [refusal]


async def of_what_sales_has_answered(world: World) -> Any:
    await sign(world)
    winner, loser = await a_lead(world, "ann"), await add_mql(world)
    async with world.work() as work:
        await handoff_flow.hand_off(work, world.actor(world.marketer), loser.id)
    merge = await merged(world, winner, loser)
    async with world.work() as work:
        await handoff_flow.accept_lead(work, world.actor(world.rep), winner.id)
    refusal = {"code": "CHANGED_SINCE", "path": ["merge"]}
    return UNMERGE, {"merge": public("LeadMerge", merge.id)}, [refusal]


async def of_whom_sales_has_called(world: World) -> Any:
    await sign(world)
    winner, loser = await a_lead(world, "ann"), await add_mql(world)
    async with world.work() as work:
        await handoff_flow.hand_off(work, world.actor(world.marketer), loser.id)
    merge = await merged(world, winner, loser)
    async with world.work() as work:
        await log_activity(work, world.actor(world.rep), winner.id, kind=ActivityKind.CALL)
    refusal = {"code": "CHANGED_SINCE", "path": ["merge"]}
    return UNMERGE, {"merge": public("LeadMerge", merge.id)}, [refusal]


async def of_an_address_given_away(world: World) -> Any:
    winner, loser = await a_lead(world, "ann"), await a_lead(world, "bob")
    merge = await merged(world, winner, loser)
    async with world.work() as work:
        details = LeadDetails(email="bob@acme.example")
        await update_lead(work, world.actor(), winner.id, details)
    refusal = {"code": "CHANGED_SINCE", "path": ["merge"]}
    return UNMERGE, {"merge": public("LeadMerge", merge.id)}, [refusal]


async def of_whom_an_earlier_deal_was_told(world: World) -> Any:
    await a_pipeline(world)
    winner, loser = await a_lead(world, "ann"), await a_lead(world, "bob")
    world.wait(hours=24 * 7)
    await told_of_a_deal(world, loser, days_ago=2)
    merge = await merged(world, winner, loser)
    await told_of_a_deal(world, winner, days_ago=5)
    refusal = {"code": "CHANGED_SINCE", "path": ["merge"]}
    return UNMERGE, {"merge": public("LeadMerge", merge.id)}, [refusal]


async def told_of_a_deal(world: World, lead: Lead, *, days_ago: int) -> None:
    said = OpportunityDetails(name="Deal", opened_at=world.now - timedelta(days=days_ago))
    async with world.work() as work:
        await open_opportunity(work, world.actor(), lead.id, said, as_history=True)


@pytest.mark.parametrize(
    "scene",
    [
        with_itself,
        with_nobody,
        with_too_many,
        with_nobody_known,
        with_one_that_was_merged,
        into_one_that_was_merged,
        undone_twice,
        of_no_merge,
        under_another_merge,
        of_a_winner_that_lost,
        of_what_sales_has_answered,
        of_whom_sales_has_called,
        of_an_address_given_away,
        of_whom_an_earlier_deal_was_told,
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_written(world: World, scene: Scene) -> None:
    document, variables, refusals = await scene(world)
    before = await everything(world)

    (payload,) = (await world.data(document, variables)).values()

    assert payload == {"leadMerge": None, "userErrors": refusals}
    assert await everything(world) == before


async def test_another_tenants_lead_does_not_exist(world: World, other_world: World) -> None:
    ours, theirs = await a_lead(world, "ann"), await a_lead(other_world, "ann")
    before = await everything(world), await everything(other_world)

    for winner, loser, path in (
        (ours, theirs, ["losers", "0"]),
        (theirs, ours, ["winner"]),
    ):
        given = {"winner": ref(winner), "losers": [ref(loser)]}
        data = await world.data(MERGE, {"input": given})
        refusal = {"code": "NOT_FOUND", "path": path}
        assert data == {"leadMerge": {"leadMerge": None, "userErrors": [refusal]}}
    assert (await everything(world), await everything(other_world)) == before
