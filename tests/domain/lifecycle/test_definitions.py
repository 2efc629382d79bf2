"""What the words of a stage say, of whom, and from when on."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from domain.filters import BadCriterion, parse
from domain.identity import Role
from domain.leads import LEAD_FIELDS
from domain.lifecycle import (
    CriterionReport,
    Language,
    StageMeaning,
    in_force,
    judge_lead,
    meanings,
    read_language,
    report,
    try_criterion,
)
from domain.stages import Stage
from tests.domain.lifecycle.building_definitions import (
    DAY,
    HOUR,
    MIA,
    NOON,
    a_definition,
    a_lead,
    a_work,
    an_actor,
)

# --- What is in force


@pytest.mark.parametrize(
    ("at", "number"),
    [
        (NOON - timedelta(microseconds=1), None),  # before the first
        (NOON, 1),  # at the very instant
        (NOON + HOUR, 1),
        (NOON + DAY, 3),  # two at one instant: the later version
        (NOON + 9 * DAY, 3),
    ],
)
def test_in_force_is_what_took_effect_last(at: datetime, number: int | None) -> None:
    definitions = [
        a_definition(number=3, since=NOON + DAY),
        a_definition(number=1, since=NOON),
        a_definition(number=2, since=NOON + DAY),
        a_definition(number=4, since=NOON, signed=False),
    ]

    found = in_force(definitions, at)

    assert [found[stage].number for stage in found] == ([] if number is None else [number])


def test_the_language_tells_of_every_stage_what_counts_what_waits_and_what_comes() -> None:
    current = a_definition()
    pending = a_definition(number=4, signed=False)
    soon, later = (
        a_definition(number=2, since=NOON + 2 * DAY),
        a_definition(number=3, since=NOON + DAY),
    )
    withdrawn = a_definition(Stage.SQL, number=1, signed=False, withdrawn_at=NOON)

    found = meanings([soon, pending, current, later, withdrawn], NOON)

    assert found == tuple(
        StageMeaning(stage=stage, in_force=current, pending=pending, upcoming=(later, soon))
        if stage is Stage.MQL
        else StageMeaning(stage=stage, in_force=None, pending=None, upcoming=())
        for stage in Stage
    )


async def test_the_language_says_when_it_was_read() -> None:
    definition = a_definition()
    work = a_work(definition)

    found = await read_language(work, an_actor(Role.ANALYST))

    assert found == Language(as_of=NOON, stages=meanings([definition], NOON))


# --- Why it matched, and why not

BOTH = {"score": {"gte": 50}, "country": {"in": ["DE", "FR"]}}


def test_a_report_names_all_that_holds() -> None:
    found = report(parse(BOTH, LEAD_FIELDS), a_lead(score=62, country="DE"))

    assert found == CriterionReport(
        matched=True,
        sentences=(
            "score is 62, which is at least 50",
            'country is "DE", which is one of "DE" or "FR"',
        ),
        criterion_text='score is at least 50 and country is one of "DE" or "FR"',
    )


def test_a_report_names_only_what_does_not_hold() -> None:
    found = report(parse(BOTH, LEAD_FIELDS), a_lead(score=62))

    assert found.matched is False
    assert found.sentences == ('country is missing, but must be one of "DE" or "FR"',)


def test_a_report_of_alternatives_is_one_sentence() -> None:
    either = parse({"or": [{"score": {"gte": 50}}, {"country": {"eq": "DE"}}]}, LEAD_FIELDS)

    found = report(either, a_lead(score=1))

    [sentence] = found.sentences
    assert sentence == (
        "none of these holds: score is 1, but must be at least 50; "
        'country is missing, but must be "DE"'
    )


async def test_a_lead_is_held_against_what_is_in_force() -> None:
    lead = a_lead(score=62)
    work = a_work(lead, a_definition())

    assert await judge_lead(work, MIA, lead.id, Stage.MQL) == CriterionReport(
        matched=True,
        sentences=("score is 62, which is at least 50",),
        criterion_text="score is at least 50",
    )
    assert await judge_lead(work, MIA, lead.id, Stage.SQL) is None


async def test_a_criterion_that_nobody_has_signed_can_be_tried() -> None:
    lead = a_lead(score=62)
    work = a_work(lead)

    found = await try_criterion(work, MIA, lead.id, {"score": {"lt": 10}})

    assert found.sentences == ("score is 62, but must be less than 10",)
    with pytest.raises(BadCriterion) as refused:
        await try_criterion(work, MIA, lead.id, {"skore": {"lt": 10}})
    assert refused.value.path == ("criterion", "skore")
