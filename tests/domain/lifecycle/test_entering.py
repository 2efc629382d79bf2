"""How leads move from stage to stage: by hand, by rule, back again and never otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.errors import Invalid, PermissionDenied
from domain.events import LeadEnteredStage
from domain.goals.targets import EVERYBODY, MetricTally
from domain.identity import Role
from domain.ids import new_id
from domain.leads import Lead
from domain.lifecycle import (
    CriterionNotMet,
    NeedsAcceptance,
    StageEntry,
    StageNotAhead,
    StageNotBehind,
    StageTooEarly,
    advance_lead,
    enter_stage,
    fall_back,
    promote,
)
from domain.stages import Stage
from tests.domain.lifecycle.building_definitions import (
    DAY,
    HOUR,
    MIA,
    NOON,
    SAM,
    a_definition,
    a_lead,
    a_work,
    an_actor,
)

# --- Entering a stage


async def test_entering_a_stage_keeps_the_definition_and_counts() -> None:
    lead, definition = a_lead(score=62), a_definition()
    work = a_work(lead, definition)
    late = datetime(2026, 3, 9, 23, 30, tzinfo=UTC)  # the tenth, in Berlin

    moved = await enter_stage(work, MIA, lead, Stage.MQL, at=late, reason="fair")

    assert moved == replace(
        lead, stage=Stage.MQL, stage_entered_at=late, updated_at=NOON, version=2
    )
    assert await work.get(Lead, lead.id) == moved
    [entry] = await work.find(StageEntry)
    assert entry == StageEntry(
        id=entry.id,
        lead_id=lead.id,
        stage=Stage.MQL,
        previous=Stage.LEAD,
        entered_at=late,
        recorded_at=NOON,
        definition_id=definition.id,
        by=MIA.user_id,
        reason="fair",
    )
    assert work.events == [
        LeadEnteredStage(
            at=late, by=MIA.user_id, lead_id=lead.id, stage=Stage.MQL, previous=Stage.LEAD
        )
    ]
    key = (("metric", "MQLS"), ("team_id", EVERYBODY))
    assert work.counts == {(MetricTally, date(2026, 3, 10), key): {"amount": 1}}


async def test_a_lead_that_is_not_what_was_agreed_is_refused_and_told_why() -> None:
    lead = a_lead(score=10)
    work = a_work(lead, a_definition())

    with pytest.raises(CriterionNotMet) as refused:
        await enter_stage(work, MIA, lead, Stage.MQL, at=NOON)

    assert (
        refused.value.message
        == "The lead is no MQL as both teams defined it: score is 10, but must be at least 50."
    )
    assert await work.find(Lead) == [lead]
    assert (await work.find(StageEntry), work.events, work.counts) == ([], [], {})


async def test_an_import_is_taken_at_its_word_and_keeps_the_definition_all_the_same() -> None:
    lead, definition = a_lead(score=10), a_definition()
    work = a_work(lead, definition)

    moved = await enter_stage(work, MIA, lead, Stage.MQL, at=NOON, judged=False)

    assert moved.stage is Stage.MQL
    assert [entry.definition_id for entry in await work.find(StageEntry)] == [definition.id]


async def test_a_stage_nobody_has_defined_asks_for_nothing() -> None:
    lead = a_lead()
    work = a_work(lead, a_definition(signed=False), a_definition(since=NOON + HOUR))

    moved = await enter_stage(work, MIA, lead, Stage.MQL, at=NOON)

    assert moved.stage is Stage.MQL
    assert [entry.definition_id for entry in await work.find(StageEntry)] == [None]


async def test_history_is_judged_by_what_was_in_force_then() -> None:
    lead = a_lead(score=30, since=NOON - 20 * DAY)
    old = a_definition(criterion={"score": {"gte": 20}}, since=NOON - 30 * DAY)
    new = a_definition(number=2, since=NOON - DAY)
    work = a_work(lead, old, new)

    await enter_stage(work, MIA, lead, Stage.MQL, at=NOON - 10 * DAY)

    assert [entry.definition_id for entry in await work.find(StageEntry)] == [old.id]


@pytest.mark.parametrize("stage", [Stage.VISITOR, Stage.LEAD])
async def test_stages_move_forward_only(stage: Stage) -> None:
    lead = a_lead()
    work = a_work(lead)

    with pytest.raises(StageNotAhead):
        await enter_stage(work, MIA, lead, stage, at=NOON)

    assert (await work.find(Lead), work.events) == ([lead], [])


async def test_a_step_never_lies_before_the_last_one() -> None:
    lead = a_lead(since=NOON)
    work = a_work(lead)

    with pytest.raises(StageTooEarly) as refused:
        await enter_stage(work, MIA, lead, Stage.MQL, at=NOON - timedelta(minutes=2))

    assert refused.value.path == ("at",)
    assert await work.find(Lead) == [lead]


async def test_who_waited_for_anothers_change_steps_right_after_it() -> None:
    lead = a_lead(since=NOON)
    work = a_work(lead)

    moved = await enter_stage(work, MIA, lead, Stage.MQL, at=NOON - timedelta(seconds=5))

    assert moved.stage_entered_at == NOON


async def test_falling_back_gives_the_reason_and_counts_nothing() -> None:
    lead, definition = a_lead(Stage.MQL), a_definition(Stage.LEAD)
    work = a_work(lead, definition)

    moved = await fall_back(work, SAM, lead, Stage.LEAD, at=NOON, reason="no budget")

    assert moved.stage is Stage.LEAD
    [entry] = await work.find(StageEntry)
    assert (entry.previous, entry.reason, entry.definition_id) == (
        Stage.MQL,
        "no budget",
        definition.id,
    )
    assert work.counts == {}


async def test_nothing_falls_back_to_where_it_is() -> None:
    lead = a_lead()
    work = a_work(lead)

    with pytest.raises(StageNotBehind):
        await fall_back(work, SAM, lead, Stage.LEAD, at=NOON, reason="no budget")

    assert (await work.find(Lead), work.events) == ([lead], [])


# --- By rule

PROSPECT = a_definition(Stage.PROSPECT, {"country": {"isNull": False}})
LEAD = a_definition(Stage.LEAD, {"email": {"isNull": False}})
MQL = a_definition(Stage.MQL)
SAL = a_definition(Stage.SAL, {"score": {"gte": 0}})


@pytest.mark.parametrize(
    ("known", "stages"),
    [
        ({}, []),
        ({"score": 99, "email": "a@example.com"}, []),  # the next one is not met
        ({"country": "DE"}, [Stage.PROSPECT]),
        ({"country": "DE", "email": "a@example.com"}, [Stage.PROSPECT, Stage.LEAD]),
        (
            {"country": "DE", "email": "a@example.com", "score": 50},
            [Stage.PROSPECT, Stage.LEAD, Stage.MQL],  # and never SAL
        ),
    ],
)
async def test_a_lead_moves_on_while_it_meets_what_comes_next(
    known: dict[str, Any], stages: list[Stage]
) -> None:
    lead = a_lead(Stage.VISITOR, **known)
    work = a_work(lead, PROSPECT, LEAD, MQL, SAL)

    moved = await promote(work, MIA, lead, at=NOON)

    assert [entry.stage for entry in await work.find(StageEntry)] == stages
    assert moved.stage is (stages[-1] if stages else Stage.VISITOR)


async def test_stages_nobody_has_defined_are_passed_over() -> None:
    lead = a_lead(Stage.VISITOR, score=50)
    work = a_work(lead, MQL)

    assert (await promote(work, MIA, lead, at=NOON)).stage is Stage.MQL


async def test_nothing_beyond_mql_is_moved_by_rule() -> None:
    lead = a_lead(Stage.CUSTOMER, score=50)
    work = a_work(lead, MQL, SAL)

    assert await promote(work, MIA, lead, at=NOON) == lead
    assert work.events == []


@pytest.mark.parametrize(
    ("was", "now", "stage"),
    [
        (60, 70, Stage.LEAD),  # it met the criterion when it was sent back, and meets it still
        (40, 70, Stage.MQL),  # it meets the criterion anew
        (60, 40, Stage.LEAD),
    ],
)
async def test_what_sales_has_sent_back_qualifies_only_by_a_change(
    was: int, now: int, stage: Stage
) -> None:
    before = a_lead(Stage.LEAD, score=was)
    work = a_work(
        before,
        MQL,
        an_entry(before, Stage.MQL, previous=Stage.LEAD, at=NOON - 2 * DAY),
        an_entry(before, Stage.LEAD, previous=Stage.MQL, at=NOON - DAY),
    )
    lead = await work.save(replace(before, score=now))

    assert (await promote(work, MIA, lead, at=NOON, was=before)).stage is stage


async def test_what_was_never_sent_back_qualifies_at_its_next_change() -> None:
    before = a_lead(Stage.LEAD, score=60)
    work = a_work(before, MQL)
    lead = await work.save(replace(before, first_name="Ann"))

    assert (await promote(work, MIA, lead, at=NOON, was=before)).stage is Stage.MQL


# --- By hand


def an_entry(lead: Lead, stage: Stage, *, previous: Stage, at: datetime) -> StageEntry:
    return StageEntry(
        id=new_id(),
        lead_id=lead.id,
        stage=stage,
        previous=previous,
        entered_at=at,
        recorded_at=at,
    )


async def test_a_lead_is_advanced_by_hand_when_it_meets_the_criterion() -> None:
    lead = a_lead(Stage.SAL)
    work = a_work(lead, a_definition(Stage.SQL, {"score": {"gte": 0}}))

    moved = await advance_lead(work, SAM, lead.id, to=Stage.SQL, reason="needs it by May")

    assert (moved.stage, moved.stage_entered_at) == (Stage.SQL, NOON)


@pytest.mark.parametrize(
    ("stage", "to"),
    [
        (Stage.MQL, Stage.SAL),
        (Stage.LEAD, Stage.SAL),
        (Stage.MQL, Stage.SQL),
        (Stage.VISITOR, Stage.CUSTOMER),
    ],
)
async def test_what_sales_must_accept_is_not_reached_by_hand(stage: Stage, to: Stage) -> None:
    lead = a_lead(stage)
    work = a_work(lead)

    with pytest.raises(NeedsAcceptance):
        await advance_lead(work, SAM, lead.id, to=to)

    assert (await work.find(Lead), work.events) == ([lead], [])


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"at": NOON + HOUR}, ("at",)),
        ({"at": datetime(1969, 1, 1, tzinfo=UTC)}, ("at",)),
        ({"reason": "x" * 2001}, ("reason",)),
        ({"reason": "a\x00b"}, ("reason",)),
    ],
)
async def test_what_cannot_be_is_refused(change: dict[str, Any], path: tuple[str, ...]) -> None:
    lead = a_lead(Stage.SAL)
    work = a_work(lead)

    with pytest.raises(Invalid) as refused:
        await advance_lead(work, SAM, lead.id, to=Stage.SQL, **change)

    assert refused.value.path == path
    assert await work.find(Lead) == [lead]


async def test_an_analyst_moves_nothing() -> None:
    lead = a_lead(Stage.SAL)
    work = a_work(lead)

    with pytest.raises(PermissionDenied):
        await advance_lead(work, an_actor(Role.ANALYST), lead.id, to=Stage.SQL)

    assert await work.find(Lead) == [lead]
