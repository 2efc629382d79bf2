from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import Refusals
from domain.scoring import PRESET, EngagementGroup, FitGroup, FitRule
from domain.scoring.terms import checked

RULE = PRESET.fit[0].rules[0]
GROUP = PRESET.engagement[0]
TOUCHED = GROUP.rules[0]


def faults(**changes: Any) -> list[tuple[str, tuple[str | int, ...]]]:
    with pytest.raises(Refusals) as refused:
        checked(replace(PRESET, **changes))
    return [(fault.code, fault.path) for fault in refused.value.refusals]


def fit(**changes: Any) -> tuple[FitGroup, ...]:
    return (FitGroup(name="Role", cap=10, rules=(replace(RULE, **changes),)),)


def engagement(**changes: Any) -> tuple[EngagementGroup, ...]:
    return (replace(GROUP, rules=(replace(TOUCHED, **changes),)),)


def test_the_preset_is_a_model_that_makes_sense() -> None:
    assert checked(PRESET).engagement_cap == 100
    assert checked(checked(PRESET)) == checked(PRESET)


def test_names_are_trimmed_and_criteria_kept_in_their_plain_form() -> None:
    kept = checked(replace(PRESET, fit=fit(name=" Ours ", criterion={"and": [RULE.criterion]})))
    assert kept.fit[0].rules[0] == FitRule(name="Ours", criterion=RULE.criterion, points=30)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"fit_for_a": 30}, ("THRESHOLDS_NOT_DESCENDING", ("terms", "fitForA"))),
        ({"engagement_for_1": 15}, ("THRESHOLDS_NOT_DESCENDING", ("terms", "engagementFor1"))),
        ({"engagement_cap": 0}, ("OUT_OF_RANGE", ("terms", "engagementCap"))),
        ({"fit_for_b": 0}, ("OUT_OF_RANGE", ("terms", "fitForB"))),
        ({"fit": fit(points=0)}, ("OUT_OF_RANGE", ("terms", "fit", 0, "rules", 0, "points"))),
        ({"fit": fit(points=1001)}, ("OUT_OF_RANGE", ("terms", "fit", 0, "rules", 0, "points"))),
        ({"fit": fit(name=" ")}, ("INVALID", ("terms", "fit", 0, "rules", 0, "name"))),
        (
            {"fit": (*fit(), *fit())},
            ("DUPLICATE_NAME", ("terms", "fit", 1, "name")),
        ),
        (
            {"fit": fit(criterion={})},
            ("BAD_CRITERION", ("terms", "fit", 0, "rules", 0, "criterion")),
        ),
        (
            # What a score is made of cannot follow from the score.
            {"fit": fit(criterion={"grade": {"eq": "A1"}})},
            ("BAD_CRITERION", ("terms", "fit", 0, "rules", 0, "criterion", "grade")),
        ),
        (
            {"engagement": engagement(criterion={"kind": {"eq": "FAX"}})},
            (
                "BAD_CRITERION",
                ("terms", "engagement", 0, "rules", 0, "criterion", "kind", "eq"),
            ),
        ),
        (
            {"engagement": engagement(points=-1)},
            ("OUT_OF_RANGE", ("terms", "engagement", 0, "rules", 0, "points")),
        ),
        (
            {"engagement": engagement(half_life_days=4000)},
            ("OUT_OF_RANGE", ("terms", "engagement", 0, "rules", 0, "halfLifeDays")),
        ),
        (
            {"engagement": (replace(GROUP, half_life_days=0),)},
            ("OUT_OF_RANGE", ("terms", "engagement", 0, "halfLifeDays")),
        ),
        (
            {"fit": tuple(replace(PRESET.fit[0], name=f"{n}") for n in range(13))},
            ("SCORING_TOO_LONG", ("terms",)),
        ),
    ],
)
def test_a_model_that_makes_no_sense_is_refused_by_the_place(
    changes: dict[str, Any], found: tuple[str, tuple[str | int, ...]]
) -> None:
    assert found in faults(**changes)


def test_all_rules_together_are_not_too_long() -> None:
    long = {"or": [{"country": {"eq": "IE"}}] * 150}
    rules = tuple(replace(RULE, name=f"{n}", criterion=long) for n in range(3))
    found = faults(fit=(FitGroup(name="Long", cap=10, rules=rules),))
    assert found == [("SCORING_TOO_LONG", ("terms",))]
