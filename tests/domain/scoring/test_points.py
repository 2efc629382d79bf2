from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.grades import Grade
from domain.ids import new_id
from domain.leads import Agency
from domain.scoring.points import (
    engagement_at,
    engagement_from,
    engagement_points,
    fit_points,
    grade_of,
    halved,
    matching_fit,
    next_change,
    no_engagement,
)
from domain.scoring.terms import (
    EngagementGroup,
    EngagementRule,
    FitGroup,
    FitRule,
    ScoringTerms,
)
from domain.touches import Channel, Touch, TouchKind
from tests.agreements import an_mql

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)

TERMS = ScoringTerms(
    fit=(
        FitGroup(
            name="Role",
            cap=30,
            rules=(
                FitRule(name="Chief", criterion={"jobTitle": {"contains": "chief"}}, points=25),
                FitRule(name="IT", criterion={"jobTitle": {"contains": "it"}}, points=10),
                FitRule(name="Intern", criterion={"jobTitle": {"contains": "intern"}}, points=-40),
            ),
        ),
        FitGroup(
            name="Place",
            cap=20,
            rules=(FitRule(name="Ireland", criterion={"country": {"eq": "IE"}}, points=20),),
        ),
    ),
    engagement=(
        EngagementGroup(
            name="Talks",
            cap=40,
            half_life_days=30,
            rules=(
                EngagementRule(name="Meeting", criterion={"kind": {"eq": "MEETING"}}, points=30),
            ),
        ),
        EngagementGroup(
            name="Pages",
            cap=20,
            half_life_days=7,
            rules=(
                EngagementRule(
                    name="Prices",
                    criterion={"kind": {"eq": "PAGE_VIEW"}, "url": {"contains": "pric"}},
                    points=8,
                    half_life_days=14,
                ),
                EngagementRule(name="Page", criterion={"kind": {"eq": "PAGE_VIEW"}}, points=2),
            ),
        ),
    ),
    engagement_cap=50,
    fit_for_a=40,
    fit_for_b=20,
    engagement_for_1=40,
    engagement_for_2=10,
)


def a_touch(kind: TouchKind, at: datetime, **more: object) -> tuple[Touch, datetime]:
    values: dict[str, object] = {"channel": Channel.DIRECT, "agency": Agency.HUMAN, **more}
    touch = Touch(id=new_id(), kind=kind, occurred_at=at, recorded_at=at, **values)  # type: ignore[arg-type]  # the test's own
    return touch, at


@pytest.mark.parametrize(
    ("age", "left"),
    [
        (timedelta(0), "16"),
        (-DAY, "16"),  # a clock that runs ahead adds nothing
        (7 * DAY, "8.000000"),
        (14 * DAY, "4.000000"),
        (3.5 * DAY, "11.313708"),  # 16 / √2
        (60 * 7 * DAY, "0.000000"),
        (61 * 7 * DAY, "0"),
    ],
)
def test_points_are_halved_by_every_half_life(age: timedelta, left: str) -> None:
    assert halved(Decimal(16), age=age, half_life_days=7) == Decimal(left)


@pytest.mark.parametrize(
    ("title", "country", "fit"),
    [
        (None, None, 0),
        ("Chief of IT", None, 30),  # 25 + 10, capped
        ("Chief", "IE", 45),
        ("Intern, chief of nothing", "IE", 5),  # 25 - 40 + 20
        ("Intern", "IE", -10),  # taken away at most 30
    ],
)
def test_fit_is_capped_by_group_in_both_directions(
    title: str | None, country: str | None, fit: int
) -> None:
    lead = an_mql(NOON, job_title=title, country=country)
    matched = matching_fit(TERMS, lead)
    assert fit_points(TERMS, matched) == fit


def test_a_touch_counts_by_the_first_rule_it_matches_and_once() -> None:
    found = engagement_from(
        TERMS,
        [
            a_touch(TouchKind.PAGE_VIEW, NOON, url="https://acme.example/Pricing"),
            a_touch(TouchKind.PAGE_VIEW, NOON - 7 * DAY, url="https://acme.example/"),
            a_touch(TouchKind.CALL, NOON),
        ],
        at=NOON,
    )
    assert (found.sums, found.touches) == (
        (Decimal(0), Decimal(8), Decimal("1.000000")),
        (0, 1, 1),
    )


def test_engagement_is_capped_by_type_and_in_all() -> None:
    meetings = [a_touch(TouchKind.MEETING, NOON)] * 3
    pages = [a_touch(TouchKind.PAGE_VIEW, NOON, url="/prices")] * 9
    assert engagement_points(TERMS, engagement_from(TERMS, meetings, at=NOON).sums) == 40
    assert engagement_points(TERMS, engagement_from(TERMS, pages, at=NOON).sums) == 20
    assert engagement_points(TERMS, engagement_from(TERMS, meetings + pages, at=NOON).sums) == 50


@pytest.mark.parametrize(
    ("fit", "engagement", "grade"),
    [
        (40, 40, Grade.A1),
        (39, 39, Grade.B2),
        (20, 10, Grade.B2),
        (19, 9, Grade.C3),
        (-30, 50, Grade.C1),
        (60, 0, Grade.A3),
    ],
)
def test_a_grade_combines_both_at_the_thresholds(fit: int, engagement: int, grade: Grade) -> None:
    assert grade_of(TERMS, fit=fit, engagement=engagement) is grade


def test_grades_rank_from_c3_to_a1() -> None:
    assert list(Grade) == [Grade(f"{fit}{digit}") for fit in "CBA" for digit in "321"]


KINDS = st.sampled_from([TouchKind.PAGE_VIEW, TouchKind.MEETING, TouchKind.CALL])
TOUCHES = st.lists(
    st.tuples(KINDS, st.integers(0, 400 * 86_400), st.sampled_from([None, "/prices", "/"])),
    max_size=30,
)


@given(touches=TOUCHES, waits=st.lists(st.integers(0, 90 * 86_400), max_size=5))
def test_what_is_stored_fades_as_if_it_were_reckoned_anew(
    touches: list[tuple[TouchKind, int, str | None]], waits: list[int]
) -> None:
    known = [a_touch(kind, NOON - timedelta(seconds=age), url=url) for kind, age, url in touches]
    at, stored = NOON, engagement_from(TERMS, known, at=NOON)
    for wait in waits:
        at += timedelta(seconds=wait)
        stored = engagement_at(TERMS, stored, at)
        anew = engagement_from(TERMS, known, at=at)
        for kept, reckoned in zip(stored.sums, anew.sums, strict=True):
            # Every touch is rounded once, and every store once more: by half a millionth.
            assert abs(kept - reckoned) <= (len(known) + len(waits)) * Decimal("0.000001")
        assert stored.touches == anew.touches


@settings(max_examples=40)
@given(touches=TOUCHES, order=st.randoms(use_true_random=False), split=st.integers(0, 30))
def test_the_order_in_which_touches_are_told_makes_no_difference(
    touches: list[tuple[TouchKind, int, str | None]], order: random.Random, split: int
) -> None:
    """Nor does it that some are told late: what is reckoned anew is the same to the last digit."""
    known = [a_touch(kind, NOON - timedelta(seconds=age), url=url) for kind, age, url in touches]
    told = known.copy()
    order.shuffle(told)
    engagement = engagement_from(TERMS, known, at=NOON)
    assert engagement_from(TERMS, told, at=NOON) == engagement
    parts = [engagement_from(TERMS, some, at=NOON) for some in (told[:split], told[split:])]
    sums = tuple(one + other for one, other in zip(*(part.sums for part in parts), strict=True))
    assert sums == engagement.sums


@given(touches=TOUCHES, wait=st.integers(0, 400 * 86_400))
def test_no_cap_is_ever_passed_and_nothing_grows_by_waiting(
    touches: list[tuple[TouchKind, int, str | None]], wait: int
) -> None:
    known = [a_touch(kind, NOON - timedelta(seconds=age), url=url) for kind, age, url in touches]
    now = engagement_from(TERMS, known, at=NOON)
    later = engagement_at(TERMS, now, NOON + timedelta(seconds=wait))
    points = engagement_points(TERMS, now.sums), engagement_points(TERMS, later.sums)
    assert 0 <= points[1] <= points[0] <= TERMS.engagement_cap


@given(touches=TOUCHES)
def test_the_next_look_comes_when_the_grade_or_a_tenth_is_lost_and_not_before(
    touches: list[tuple[TouchKind, int, str | None]],
) -> None:
    known = [a_touch(kind, NOON - timedelta(seconds=age), url=url) for kind, age, url in touches]
    now = engagement_from(TERMS, known, at=NOON)
    shown = engagement_points(TERMS, now.sums)
    at = next_change(TERMS, now)
    if shown < 1:
        assert at is None
        return
    assert at is not None

    def points(instant: datetime) -> int:
        return engagement_points(TERMS, engagement_at(TERMS, now, instant).sums)

    def digit(of: int) -> str:
        return grade_of(TERMS, fit=0, engagement=of).engagement

    before, after = points(at - timedelta(seconds=1)), points(at)
    assert digit(before) == digit(shown)
    assert before * 10 >= shown * 9
    assert digit(after) != digit(shown) or after * 10 < shown * 9


def test_whoever_touched_nothing_never_changes() -> None:
    assert next_change(TERMS, no_engagement(TERMS, at=NOON)) is None


def test_an_earlier_instant_changes_nothing() -> None:
    stored = engagement_from(TERMS, [a_touch(TouchKind.MEETING, NOON)], at=NOON)
    assert engagement_at(TERMS, stored, NOON - DAY) == stored
    assert replace(stored, as_of=NOON) == stored
