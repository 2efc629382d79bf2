from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from domain.attribution import (
    FIRST_OPPORTUNITY,
    MOST_OWN_MODELS,
    AnchorShare,
    AttributionModel,
    BuiltInModel,
    CreditSpread,
    TouchAnchor,
    archive_model,
    compute_models,
    create_model,
    model_for_figures,
    models_in_use,
    reattribute,
)
from domain.errors import DomainError, NotFound, PermissionDenied
from domain.events import AttributionModelChanged
from domain.identity import system
from domain.ids import new_id
from infra.attribution import AttributionKeeper
from tests.journeys import DAY, a_deal, a_lead, a_stage, a_touch, recounted, stored_credits
from tests.world import World

HALF = Decimal("0.5")
FIRST_AND_LAST = (AnchorShare(TouchAnchor.FIRST, HALF), AnchorShare(TouchAnchor.LAST, HALF))


async def deals(world: World, number: int) -> None:
    """Store deals of as many leads with two touches each."""
    stage = a_stage(world.now)
    leads = [a_lead(world.now - 9 * DAY) for _ in range(number)]
    touches = [a_touch(world.now - n * DAY, lead_id=lead.id) for lead in leads for n in (8, 7)]
    async with world.work() as work:
        await work.add_all([stage, *leads, *touches])
        await work.add_all([a_deal(world.now - DAY, lead=lead, stage=stage) for lead in leads])
        await reattribute(work, [lead.id for lead in leads])


async def make(world: World, **changes: Any) -> AttributionModel:
    told = {"name": "Both ends", "anchors": FIRST_AND_LAST, "rest_share": Decimal(0), **changes}
    async with world.work() as work:
        return await create_model(work, world.actor(), **told)


async def test_a_model_of_ones_own_is_computed_for_the_deals_there_are(world: World) -> None:
    await deals(world, 3)

    model = await make(world)

    assert (model.computing_after, model.computed_count, model.opportunity_count) == (None, 3, 3)
    assert model.computed_share == 1
    found = await stored_credits(world)
    assert sorted(c.share for key, c in found.items() if key[0] == model.id) == [HALF] * 6
    assert found == await recounted(world)


async def test_what_is_too_much_for_one_transaction_is_done_in_batches(world: World) -> None:
    await deals(world, 5)
    model = await make(world)
    async with world.work() as work:
        waiting = replace(model, computing_after=FIRST_OPPORTUNITY, computed_count=0)
        await work.save(waiting)
        await work.connection.execute(
            "DELETE FROM attribution_credits WHERE model_id = $1", model.id
        )

    async with world.work() as work:
        more = await compute_models(work, system(world.tenant.id), limit=2)
    async with world.work() as work:
        half_done = await work.get(AttributionModel, model.id)
        with pytest.raises(DomainError) as refused:
            await model_for_figures(work, model.id)
    await asyncio.gather(*(AttributionKeeper(world.database).catch_up() for _ in range(3)))

    assert (more, half_done.computed_share) == (True, Decimal("0.4"))
    assert (refused.value.code, refused.value.path) == ("MODEL_IS_COMPUTING", ("model",))
    async with world.work() as work:
        assert (await model_for_figures(work, model.id)).computing_after is None
    assert await stored_credits(world) == await recounted(world)


async def test_an_archived_model_is_forgotten(world: World) -> None:
    await deals(world, 2)
    model = await make(world)

    async with world.work() as work:
        archived = await archive_model(work, world.actor(), model.id)
    async with world.work() as work:
        again = await archive_model(work, world.actor(), model.id)
        with pytest.raises(DomainError) as refused:
            await model_for_figures(work, model.id)

    assert (archived.archived_at, archived.computing_after, again) == (world.now, None, archived)
    assert refused.value.code == "MODEL_IS_ARCHIVED"
    assert {key[0] for key in await stored_credits(world)}.isdisjoint({model.id})
    async with world.work() as work:
        assert model.id not in {each.id for each in await models_in_use(work)}


async def test_models_are_told_of_when_they_are_made_and_when_they_are_ready(world: World) -> None:
    async with world.work() as work:
        model = await create_model(
            work, world.actor(), name="Ends", anchors=FIRST_AND_LAST, rest_share=Decimal(0)
        )
        assert work._events == [AttributionModelChanged(at=world.now, model_id=model.id)] * 2


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"rest_share": Decimal("0.1")}, "WEIGHTS_NOT_ONE", ("anchors",)),
        ({"anchors": ()}, "WEIGHTS_NOT_ONE", ("anchors",)),
        ({"anchors": FIRST_AND_LAST[:1]}, "WEIGHTS_NOT_ONE", ("anchors",)),
        ({"anchors": FIRST_AND_LAST[:1] * 2}, "ANCHOR_TWICE", ("anchors", 1, "anchor")),
        (
            {"anchors": (AnchorShare(TouchAnchor.FIRST, Decimal("-0.5")),), "rest_share": HALF},
            "BAD_SHARE",
            ("anchors", 0, "share"),
        ),
        ({"rest_share": Decimal(-1)}, "BAD_SHARE", ("restShare",)),
        ({"rest_share": Decimal("0.0000000000001")}, "BAD_SHARE", ("restShare",)),
        ({"rest_share": Decimal("NaN")}, "BAD_SHARE", ("restShare",)),
        ({"half_life_days": 7}, "BAD_HALF_LIFE", ("halfLifeDays",)),
        ({"spread": CreditSpread.DECAY}, "BAD_HALF_LIFE", ("halfLifeDays",)),
        ({"spread": CreditSpread.DECAY, "half_life_days": 366}, "BAD_HALF_LIFE", ("halfLifeDays",)),
        ({"name": "Linear"}, "MODEL_NAME_TAKEN", ("name",)),
        ({"name": " "}, "INVALID", ("name",)),
    ],
)
async def test_a_model_that_cannot_be_is_refused(
    world: World, changes: dict[str, Any], code: str, path: tuple[Any, ...]
) -> None:
    with pytest.raises(DomainError) as refused:
        await make(world, **changes)

    assert (refused.value.code, refused.value.path) == (code, path)
    async with world.work() as work:
        assert await work.find(AttributionModel) == []


async def test_there_is_room_for_twenty_models_and_names_are_free_again_after_archiving(
    world: World,
) -> None:
    made = [await make(world, name=f"Model {n}") for n in range(MOST_OWN_MODELS)]
    with pytest.raises(DomainError) as refused:
        await make(world)
    async with world.work() as work:
        await archive_model(work, world.actor(), made[0].id)

    again = await make(world, name="Model 0")

    assert refused.value.code == "TOO_MANY_MODELS"
    assert again.id != made[0].id


async def test_what_everybody_has_stays(world: World) -> None:
    async with world.work() as work:
        built_in = (await models_in_use(work))[0]
        with pytest.raises(DomainError) as refused:
            await archive_model(work, world.actor(), built_in.id)
        with pytest.raises(NotFound):
            await archive_model(work, world.actor(), new_id())
        assert (await model_for_figures(work, BuiltInModel.LINEAR)).name == "Linear"

    assert refused.value.code == "MODEL_IS_BUILT_IN"


async def test_a_member_makes_no_models(world: World) -> None:
    with pytest.raises(PermissionDenied):
        async with world.work() as work:
            await create_model(
                work, world.actor(world.other_rep), name="N", anchors=(), rest_share=Decimal(1)
            )
