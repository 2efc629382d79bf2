"""What learns beside the requests: each month, once, and only for the better."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.identity import Tenant, system
from domain.ids import new_id
from domain.ports import first
from domain.prediction import (
    CurrentModel,
    PredictionField,
    PredictionModel,
    PredictionSchedule,
    PredictionStatus,
    PredictionVerdict,
    plan_training,
    train_next,
    use_model,
)
from infra.prediction import ModelTrainer
from tests.api.learning import a_history
from tests.world import World, enter_directory

ORIGIN = (PredictionField.ORIGIN_SOURCE,)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)


async def planned(world: World) -> PredictionModel | None:
    async with world.work() as work:
        found: PredictionModel | None = await plan_training(work, system(world.tenant.id))
        return found


async def models(world: World) -> list[PredictionModel]:
    async with world.work() as work:
        found = await work.find(PredictionModel)
    return sorted(found, key=lambda each: each.number)


async def in_use(world: World) -> int | None:
    async with world.work() as work:
        model = await work.ask(CurrentModel())
    return None if model is None else model.number


async def ask_for(world: World, *fields: PredictionField) -> PredictionModel:
    number = 1 + len(await models(world))
    model = PredictionModel(
        id=new_id(), number=number, fields=fields or ORIGIN, requested_at=world.now
    )
    async with world.work() as work:
        await work.add(model)
    return model


async def train(world: World, *fields: PredictionField) -> PredictionModel:
    asked = await ask_for(world, *fields)
    await ModelTrainer(world.database).train_all()
    return (await models(world))[asked.number - 1]


async def test_a_month_is_learnt_once_however_many_plan_and_train(world: World) -> None:
    await a_history(world)
    for _ in range(2):
        trainers = [ModelTrainer(world.database) for _ in range(3)]
        await asyncio.gather(*(each._plan(world.tenant.id) for each in trainers))
        await asyncio.gather(*(each.train_all() for each in trainers))
    [model] = await models(world)
    assert (model.month_on, model.status, model.in_use) == (date(2026, 3, 1), "READY", True)
    assert (model.won, model.lost) == (105, 195)
    async with world.work() as work:
        [schedule] = await work.find(PredictionSchedule)
    assert schedule.next_at == APRIL


async def test_the_worker_finds_whom_it_has_never_planned_for_and_then_whose_time_has_come(
    world: World,
) -> None:
    await a_history(world)
    await enter_directory(world)
    try:
        await ModelTrainer(world.database).plan_all()
        assert [each.month_on for each in await models(world)] == [date(2026, 3, 1)]
        world.at(APRIL - timedelta(seconds=1))
        await ModelTrainer(world.database).plan_all()
        assert len(await models(world)) == 1
        world.at(APRIL)
        await ModelTrainer(world.database).plan_all()
    finally:
        await world.database.platform.execute(
            "UPDATE directory SET tenant_id = $2 WHERE slug = $1", world.tenant.slug, new_id()
        )
    assert [each.month_on for each in await models(world)] == [date(2026, 3, 1), date(2026, 4, 1)]


async def test_the_month_is_the_tenants_own(world: World) -> None:
    async with world.work() as work:
        tenant = await work.get(Tenant, world.tenant.id)
        await work.save(Tenant(**{**_told(tenant), "time_zone": "Pacific/Auckland"}))
    await a_history(world)
    world.at(datetime(2026, 3, 31, 11, tzinfo=UTC))  # midnight in Auckland
    found = await planned(world)
    assert found is not None
    assert found.month_on == date(2026, 4, 1)


def _told(tenant: Tenant) -> dict[str, Any]:
    return {name: getattr(tenant, name) for name in Tenant.__dataclass_fields__}


async def test_without_any_outcome_there_is_nothing_to_learn_and_nothing_is_queued(
    world: World,
) -> None:
    assert await planned(world) is None
    assert await models(world) == []
    async with world.work() as work:
        assert (await first(work, PredictionSchedule)) is not None


async def test_too_little_is_kept_as_the_months_outcome_with_its_numbers(world: World) -> None:
    await a_history(world, fairs=20, mails=20)
    await planned(world)
    await ModelTrainer(world.database).train_all()
    [model] = await models(world)
    assert (model.status, model.won, model.lost) == (PredictionStatus.REFUSED, 14, 26)
    assert model.reason == (
        "14 hand-offs were won and 26 lost so far.  Learning takes 200 in all, at least 30 of them"
        " won and 30 lost: 160 more, of them at least 16 won and 4 lost."
    )
    assert await in_use(world) is None


async def test_what_dies_while_it_learns_is_learnt_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_history(world)
    await ask_for(world)

    async def die(*_: Any) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        patched.setattr("domain.prediction.training._settle", die)
        async with world.work() as work:
            with pytest.raises(ConnectionResetError):
                await train_next(work, system(world.tenant.id))
    assert [each.status for each in await models(world)] == [PredictionStatus.QUEUED]

    await ModelTrainer(world.database).train_all()
    assert [each.status for each in await models(world)] == [PredictionStatus.READY]


async def test_a_month_in_which_nothing_was_closed_leaves_all_as_it_is(world: World) -> None:
    await a_history(world)
    await train(world)
    await planned(world)
    await ModelTrainer(world.database).train_all()
    unchanged = (await models(world))[1]
    assert (unchanged.status, unchanged.trained, unchanged.month_on) == (
        PredictionStatus.UNCHANGED,
        None,
        date(2026, 3, 1),
    )
    assert unchanged.reason == "Nothing has been closed or changed since version 1 was trained."
    assert await in_use(world) == 1


async def test_a_worse_model_does_not_take_the_place_of_a_better_one(world: World) -> None:
    await a_history(world)
    good = await train(world)
    assert (good.verdict, good.in_use) == (PredictionVerdict.BETTER, True)
    assert good.comparison is not None
    assert (good.comparison.rival_id, good.comparison.judged) == (None, 60)

    await a_history(world, since=timedelta(days=100))
    blind = await train(world, PredictionField.COUNTRY)  # which nobody's is known

    assert (blind.status, blind.in_use, blind.verdict) == (
        PredictionStatus.READY,
        False,
        PredictionVerdict.NO_BETTER,
    )
    shown = blind.comparison
    assert shown is not None
    assert (shown.rival_number, shown.judged) == (1, 120)
    assert shown.brier_score is not None
    assert shown.rival_brier_score is not None
    assert shown.brier_score > shown.rival_brier_score
    assert blind.reason == (
        "Version 1 stayed in use.  On 120 outcomes that neither had known it had a Brier score of"
        f" {shown.brier_score}, and version 1 one of {shown.rival_brier_score}."
    )
    assert await in_use(world) == 1


async def test_a_better_model_takes_the_place_and_says_why(world: World) -> None:
    await a_history(world)
    await train(world, *ORIGIN)
    # From now on fairs win nothing, and mails do.
    await a_history(world, fairs=300, mails=300, since=timedelta(days=100), shares=(1, 6))
    newer = await train(world, *ORIGIN)
    assert (newer.verdict, newer.in_use) == (PredictionVerdict.BETTER, True)
    assert newer.reason is not None
    assert newer.reason.startswith("It was put in use.  On 180 outcomes that neither")
    assert [each.in_use for each in await models(world)] == [False, True]


async def test_too_few_new_outcomes_compare_nothing(world: World) -> None:
    await a_history(world)
    await train(world)
    await a_history(world, fairs=10, mails=10, since=timedelta(days=100))
    second = await train(world, *ORIGIN, PredictionField.COUNTRY)
    assert (second.in_use, second.verdict) == (False, PredictionVerdict.TOO_FEW_NEW)
    assert second.reason == (
        "Version 1 stayed in use: only 20 of the newest fifth of the outcomes had been closed after"
        " all that it had learnt from, and it takes 30 to compare."
    )


async def test_what_was_closed_before_all_that_is_known_compares_nothing(world: World) -> None:
    """An older history that is imported is new to us, and yet it judges nobody."""
    await a_history(world)
    await train(world)
    await a_history(world, fairs=40, mails=40, since=timedelta(days=390))
    second = await train(world)
    assert second.verdict is PredictionVerdict.TOO_FEW_NEW
    assert second.reason == (
        "Version 1 stayed in use: none of the newest fifth of the outcomes had been closed after"
        " all that it had learnt from, and it takes 30 to compare."
    )


async def test_a_first_model_that_is_no_better_than_an_average_predicts_nothing(
    world: World,
) -> None:
    await a_history(world, fairs=120, mails=120)
    # What judges has turned round since.
    await a_history(world, fairs=30, mails=30, since=timedelta(days=100), shares=(0, 8))
    wrong = await train(world)
    assert (wrong.verdict, wrong.in_use) == (PredictionVerdict.NO_BETTER, False)
    assert wrong.reason is not None
    assert wrong.reason.startswith("Nothing was put in use: it was no better than an average.")
    assert await in_use(world) is None


async def test_what_somebody_has_kept_stays_until_somebody_chooses_again(world: World) -> None:
    await a_history(world)
    await train(world)
    async with world.work() as work:
        await use_model(work, world.actor(), (await models(world))[0].id, kept=True)
    await a_history(world, fairs=300, mails=300, since=timedelta(days=100), shares=(1, 6))
    newer = await train(world)
    assert (newer.verdict, newer.in_use) == (PredictionVerdict.KEPT, False)
    assert newer.reason is not None
    assert newer.reason.startswith("Version 1 stayed in use, because somebody had it kept.  On 180")
