from __future__ import annotations

import random
from dataclasses import fields as fields_of_class
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from domain.ids import new_id
from domain.leads import Lead
from domain.prediction import (
    ClosedOutcome,
    NotEnoughOutcomes,
    PredictionField,
    facts_of,
    job_level,
    learnt_from,
    predict,
)
from domain.prediction.calibration import AS_IT_IS, Calibration, calibrated, fitted
from domain.prediction.learning import brier_score, lift_by_decile
from domain.stages import Stage
from tests.agreements import an_mql

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def outcomes(number: int, *, seed: int = 1, echo: bool = False) -> list[ClosedOutcome]:
    """Return outcomes whose origin says how likely they were: 60 % of fairs, 10 % of mails."""
    chances = random.Random(seed)
    made = []
    for n in range(number):
        origin = chances.choice(["fair", "mail"])
        won = chances.random() < (0.6 if origin == "fair" else 0.1)
        facts = {"ORIGIN_SOURCE": origin}
        if echo:
            facts["ORIGIN_MEDIUM"] = facts["COUNTRY"] = origin
        made.append(
            ClosedOutcome(
                handoff_id=new_id(), facts=facts, won=won, closed_at=NOON + timedelta(hours=n)
            )
        )
    return made


def test_the_newest_fifth_judges_what_the_oldest_three_taught() -> None:
    model = learnt_from(outcomes(1000), ["ORIGIN_SOURCE"]).model
    judged = model.validation
    assert (judged.learnt, judged.calibrated, judged.judged) == (600, 200, 200)
    assert judged.brier_score < judged.baseline_brier_score
    assert [each.leads for each in judged.deciles] == [20] * 10
    assert judged.deciles[0].lift > Decimal("1.3") > Decimal("0.7") > judged.deciles[-1].lift
    assert model.counts.won + model.counts.lost == 1000


def test_order_in_time_is_all_that_decides_who_judges() -> None:
    made = outcomes(500)
    assert learnt_from(made[::-1], ["ORIGIN_SOURCE"]) == learnt_from(made, ["ORIGIN_SOURCE"])


def test_calibration_puts_right_what_was_counted_three_times() -> None:
    """Three fields that say the same make Naive Bayes far too sure of itself."""
    made = outcomes(4000, echo=True)
    model = learnt_from(made, ["ORIGIN_SOURCE", "ORIGIN_MEDIUM", "COUNTRY"]).model
    fair = predict(model, dict.fromkeys(("ORIGIN_SOURCE", "ORIGIN_MEDIUM", "COUNTRY"), "fair"))
    assert fair.raw_probability > Decimal("0.8")
    assert abs(fair.probability - Decimal("0.6")) < Decimal("0.06")
    assert model.validation.brier_score < model.validation.raw_brier_score
    assert model.calibration.slope < Decimal("0.6")


@pytest.mark.parametrize(
    ("won", "lost", "lacking"),
    [
        (0, 0, "200 more, of them at least 30 won and 30 lost"),
        (29, 500, "1 more, of them at least 1 won"),
        (500, 29, "1 more, of them at least 1 lost"),
        (30, 169, "1 more"),
        (13, 99, "88 more, of them at least 17 won"),
    ],
    ids=str,
)
def test_too_little_is_refused_and_says_how_much_it_takes(
    won: int, lost: int, lacking: str
) -> None:
    made = [
        ClosedOutcome(handoff_id=new_id(), facts={}, won=n < won, closed_at=NOON)
        for n in range(won + lost)
    ]
    with pytest.raises(NotEnoughOutcomes) as refused:
        learnt_from(made, ["COUNTRY"])
    assert refused.value.code == "NOT_ENOUGH_OUTCOMES"
    assert refused.value.message == (
        f"{won} hand-offs were won and {lost} lost so far.  Learning takes 200 in all, at least"
        f" 30 of them won and 30 lost: {lacking}."
    )


def test_one_that_was_won_is_told_of_as_one() -> None:
    assert NotEnoughOutcomes(won=1, lost=0).message.startswith("1 hand-off was won and 0 lost so")


def test_outcomes_that_are_of_one_kind_for_long_teach_nothing() -> None:
    made = [
        ClosedOutcome(
            handoff_id=new_id(), facts={}, won=n >= 200, closed_at=NOON + timedelta(hours=n)
        )
        for n in range(300)
    ]
    with pytest.raises(NotEnoughOutcomes) as refused:
        learnt_from(made, ["COUNTRY"])
    assert refused.value.message == (
        "Of the oldest three fifths 0 hand-offs were won and 180 lost.  Learning takes 200 in all,"
        " at least 30 of them won and 30 lost, and some of both kinds early on."
    )


def test_what_became_of_a_lead_is_no_fact_about_it() -> None:
    """Nothing that is written after the hand-off may teach anything: it would tell the outcome."""
    lead = an_mql(NOON, origin_source="fair", country="IE", job_title="Head of IT")
    later = {
        "stage": Stage.CUSTOMER,
        "stage_entered_at": NOON + timedelta(days=90),
        "updated_at": NOON + timedelta(days=90),
        "created_at": NOON - timedelta(days=1),
        "owner_id": new_id(),
        "score": 1000,
        "version": 77,
    }
    told = {each.name: getattr(lead, each.name) for each in fields_of_class(Lead)}
    assert facts_of(Lead(**{**told, **later})) == facts_of(lead)
    assert facts_of(lead) == {
        "ORIGIN_SOURCE": "fair",
        "COUNTRY": "IE",
        "JOB_LEVEL": "DIRECTOR",
    }
    assert set(facts_of(lead)) <= set(PredictionField)


@pytest.mark.parametrize(
    ("title", "level"),
    [
        (None, None),
        ("  ", None),
        ("Chief Executive", "CHIEF"),
        ("Co-Founder", "CHIEF"),
        ("Vice President, Sales", "DIRECTOR"),
        ("Head of IT", "DIRECTOR"),
        ("Account manager", "MANAGER"),
        ("Subheading editor", "OTHER"),
    ],
)
def test_a_job_title_names_a_level_by_whole_words(title: str | None, level: str | None) -> None:
    assert job_level(title) == level


def test_a_brier_score_is_the_mean_squared_error() -> None:
    chances = [Decimal("0.9"), Decimal("0.2"), Decimal("0.5")]
    assert brier_score(chances, [True, False, True]) == Decimal("0.100000")


def test_lift_is_what_a_tenth_won_by_what_all_won() -> None:
    chances = [Decimal(n) / 100 for n in range(100)]
    deciles = lift_by_decile(chances, [n >= 80 for n in range(100)])
    assert [each.lift for each in deciles[:3]] == [Decimal(5), Decimal(5), Decimal(0)]
    assert (deciles[0].won, deciles[0].predicted_share) == (10, Decimal("0.945"))


def test_leads_of_one_chance_lie_in_every_tenth_alike_however_they_ended() -> None:
    """What was won is closed sooner: the order in time must not look like foresight."""
    alike = lift_by_decile([Decimal("0.3")] * 50, [n < 10 for n in range(50)])
    assert {each.lift for each in alike} == {Decimal(1)}
    assert {each.won for each in alike} == {Decimal(1)}
    # Three of ten at 0.6 were won and one of thirty at 0.1, in four tenths of ten.
    chances = [Decimal("0.6")] * 10 + [Decimal("0.1")] * 30
    tenths = lift_by_decile(chances, [n < 3 or n == 39 for n in range(40)])
    assert [each.lift for each in tenths[:4]] == [
        *[Decimal("3.000000")] * 2,
        Decimal("1.666667"),
        Decimal("0.333333"),
    ]
    assert sum(each.won for each in tenths) == pytest.approx(Decimal(4), abs=Decimal("0.00001"))


def test_of_fewer_than_ten_each_is_a_tenth_of_its_own() -> None:
    few = lift_by_decile([Decimal("0.2"), Decimal("0.8"), Decimal("0.5")], [False, True, False])
    assert [(each.leads, each.lift) for each in few] == [
        (1, Decimal(3)),
        (1, Decimal(0)),
        (1, Decimal(0)),
    ]
    lost = lift_by_decile([Decimal("0.2")], [False])
    assert [each.lift for each in lost] == [Decimal(0)]


def test_chances_that_run_the_wrong_way_stay_as_they_are() -> None:
    pairs = [(Decimal("0.9"), False), (Decimal("0.1"), True)] * 50
    assert fitted(pairs) == AS_IT_IS
    assert fitted([(Decimal("0.5"), True)]) == AS_IT_IS
    assert calibrated(Decimal("0.3"), AS_IT_IS) == Decimal("0.3")
    assert calibrated(Decimal(1), Calibration(slope=Decimal(2))) < 1


def test_one_chance_for_all_is_moved_to_what_was() -> None:
    line = fitted([(Decimal("0.5"), n % 10 == 0) for n in range(1000)])
    assert calibrated(Decimal("0.5"), line) == pytest.approx(Decimal("0.1"), abs=Decimal("0.002"))
