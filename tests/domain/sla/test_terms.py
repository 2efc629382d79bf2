"""Which promises make sense."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from domain.errors import Refusals
from domain.sla.agreeing import policy_of
from domain.sla.agreement import Commitment, CommitmentKind, LadderStep, Measure, ValueRule
from domain.sla.clock import PRESET_LADDER, ClockPolicy, EscalationAction
from domain.sla.terms import (
    STANDARD_LADDER,
    CommitmentTerms,
    LeadValue,
    check_terms,
    commitments_from,
)
from domain.values import Money

HIGH = {"score": {"gte": 80}}
DELIVERY = CommitmentTerms(kind=CommitmentKind.DELIVERY, name="MQLs", target=100)
RESPONSE = CommitmentTerms(
    kind=CommitmentKind.RESPONSE, name="First call", target_share=Decimal(1), within_minutes=240
)
ATTEMPTS = replace(RESPONSE, kind=CommitmentKind.ATTEMPTS, name="Five calls", attempts=5)
COVERAGE = CommitmentTerms(
    kind=CommitmentKind.COVERAGE, name="All worked", target_share=Decimal("0.9"), linked_to="mqls"
)
MONEY = replace(
    DELIVERY,
    measure=Measure.MONEY,
    target=Money(1_000_00, "EUR"),
    values=(
        LeadValue(criterion=HIGH, worth=Money(50_00, "EUR")),
        LeadValue(criterion={}, worth=Money(5_00, "EUR")),
    ),
)


def refused(*terms: CommitmentTerms) -> list[tuple[str, tuple[str | int, ...]]]:
    """Return the code and the path of every refusal."""
    try:
        check_terms(terms, currency="EUR")
    except Refusals as error:
        return [(fault.code, fault.path[1:]) for fault in error.refusals]
    return []


def test_an_agreement_of_both_sides_is_accepted():
    assert refused(DELIVERY, RESPONSE, ATTEMPTS, COVERAGE) == []
    assert refused(MONEY, RESPONSE) == []


@pytest.mark.parametrize("terms", [(), (DELIVERY,), (RESPONSE,)])
def test_one_side_alone_makes_no_agreement(terms):
    assert {code for code, _ in refused(*terms)} == {"ONE_SIDED"}


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"name": " "}, "INVALID", ("name",)),
        ({"name": "x" * 101}, "INVALID", ("name",)),
        ({"name": "a\0b"}, "INVALID", ("name",)),
        ({"target": 0}, "OUT_OF_RANGE", ("target",)),
        ({"target": -5}, "OUT_OF_RANGE", ("target",)),
        ({"target": 10**12 + 1}, "OUT_OF_RANGE", ("target",)),
        ({"target": None}, "VALUES_MISSING", ("target",)),
        ({"quality_floor": Decimal(0)}, "OUT_OF_RANGE", ("qualityFloor",)),
        ({"quality_floor": Decimal("1.01")}, "OUT_OF_RANGE", ("qualityFloor",)),
        ({"claw_back_days": -1}, "OUT_OF_RANGE", ("clawBackDays",)),
        ({"claw_back_days": 367}, "OUT_OF_RANGE", ("clawBackDays",)),
        ({"segment": {}}, "BAD_CRITERION", ("segment",)),
        ({"segment": {"shoe": {"eq": 1}}}, "BAD_CRITERION", ("segment", "shoe")),
        ({"values": MONEY.values}, "VALUES_MISSING", ("values",)),
        ({"measure": Measure.POINTS}, "VALUES_MISSING", ("values",)),
        ({"weekday_weights": (Decimal(1),) * 6}, "OUT_OF_RANGE", ("weekdayWeights",)),
        ({"weekday_weights": (Decimal(0),) * 7}, "OUT_OF_RANGE", ("weekdayWeights",)),
        ({"weekday_weights": (Decimal(-1),) * 7}, "OUT_OF_RANGE", ("weekdayWeights",)),
    ],
)
def test_a_delivery_nobody_can_make_is_refused(change, code, path):
    assert refused(replace(DELIVERY, **change), RESPONSE) == [(code, (0, "delivery", *path))]


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"target": 1000}, "VALUES_MISSING", ("target",)),
        ({"target": Money(1, "USD")}, "CURRENCY_MISMATCH", ("target",)),
        ({"values": ()}, "VALUES_MISSING", ("values",)),
        ({"values": MONEY.values * 26}, "OUT_OF_RANGE", ("values",)),
        (
            {"values": (LeadValue(criterion=HIGH, worth=5),)},
            "VALUES_MISSING",
            ("values", 0, "worth"),
        ),
        (
            {"values": (LeadValue(criterion=HIGH, worth=Money(0, "EUR")),)},
            "OUT_OF_RANGE",
            ("values", 0, "worth"),
        ),
        (
            {"values": (LeadValue(criterion={"x": 1}, worth=Money(1, "EUR")),)},
            "BAD_CRITERION",
            ("values", 0, "criterion", "x"),
        ),
    ],
)
def test_a_delivery_of_money_says_what_leads_are_worth_in_its_currency(change, code, path):
    assert refused(replace(MONEY, **change), RESPONSE) == [(code, (0, "delivery", *path))]


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"within_minutes": 0}, "OUT_OF_RANGE", ("within",)),
        ({"within_minutes": None}, "OUT_OF_RANGE", ("within",)),
        ({"within_minutes": 366 * 1440 + 1}, "OUT_OF_RANGE", ("within",)),
        ({"target_share": Decimal(0)}, "OUT_OF_RANGE", ("targetShare",)),
        ({"target_share": Decimal(2)}, "OUT_OF_RANGE", ("targetShare",)),
        ({"attempts": 0}, "OUT_OF_RANGE", ("attempts",)),
        ({"attempts": 101}, "OUT_OF_RANGE", ("attempts",)),
        ({"warn_minutes": (0,)}, "OUT_OF_RANGE", ("warnBefore", 0)),
        ({"warn_minutes": (10, 241)}, "OUT_OF_RANGE", ("warnBefore", 1)),
        ({"warn_minutes": tuple(range(1, 12))}, "OUT_OF_RANGE", ("warnBefore",)),
        ({"warn_minutes": (*range(1, 11), 0, 241)}, "OUT_OF_RANGE", ("warnBefore",)),
        (
            {"escalation": (STANDARD_LADDER[1], STANDARD_LADDER[0])},
            "LADDER_NOT_ASCENDING",
            ("escalation", "steps", 1, "after"),
        ),
        (
            {"escalation": (LadderStep(after_minutes=0, action=EscalationAction.NOTIFY),)},
            "OUT_OF_RANGE",
            ("escalation", "steps", 0, "after"),
        ),
        (
            {
                "escalation": tuple(
                    LadderStep(after_minutes=n, action=EscalationAction.NOTIFY)
                    for n in range(1, 22)
                )
            },
            "OUT_OF_RANGE",
            ("escalation", "steps"),
        ),
        (
            {
                "escalation": tuple(
                    LadderStep(after_minutes=n, action=EscalationAction.NOTIFY)
                    for n in (*range(1, 21), 0, 0)
                )
            },
            "OUT_OF_RANGE",
            ("escalation", "steps"),
        ),
    ],
)
def test_a_timed_promise_nobody_can_keep_is_refused(change, code, path):
    assert refused(DELIVERY, replace(RESPONSE, **change)) == [(code, (1, "response", *path))]


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"target_share": None}, "OUT_OF_RANGE", ("targetShare",)),
        ({"target_share": Decimal("1.5")}, "OUT_OF_RANGE", ("targetShare",)),
        ({"linked_to": "Nothing"}, "BAD_LINK", ("linkedTo",)),
        ({"linked_to": "all worked"}, "BAD_LINK", ("linkedTo",)),
        ({"linked_to": "First call"}, "BAD_LINK", ("linkedTo",)),
    ],
)
def test_a_coverage_that_hangs_in_the_air_is_refused(change, code, path):
    assert refused(DELIVERY, RESPONSE, replace(COVERAGE, **change)) == [
        (code, (2, "coverage", *path))
    ]


def test_coverage_needs_something_to_cover():
    assert refused(DELIVERY, COVERAGE) == [("NOTHING_TO_COVER", (1, "coverage"))]


def test_no_two_commitments_have_one_name():
    assert refused(DELIVERY, RESPONSE, replace(ATTEMPTS, name=" FIRST call ")) == [
        ("DUPLICATE_NAME", (2, "attempts", "name"))
    ]


def test_too_many_commitments_are_refused_without_reading_them():
    many = [replace(RESPONSE, name=str(n), within_minutes=0) for n in range(21)]
    assert refused(*many) == [("OUT_OF_RANGE", ())]


def test_all_faults_are_told_at_once():
    assert refused(replace(DELIVERY, target=0), replace(RESPONSE, within_minutes=0)) == [
        ("OUT_OF_RANGE", (0, "delivery", "target")),
        ("OUT_OF_RANGE", (1, "response", "within")),
    ]


def test_accepted_terms_become_commitments():
    sla_id, ids = uuid4(), [uuid4() for _ in range(3)]
    learned = tuple(map(Decimal, ("2", "1", "1", "1", "0.5", "0", "0")))

    assert commitments_from(
        (replace(MONEY, learn_weekdays=True), RESPONSE, COVERAGE),
        sla_id=sla_id,
        ids=ids,
        learned=learned,
    ) == (
        Commitment(
            id=ids[0],
            sla_id=sla_id,
            position=0,
            kind=CommitmentKind.DELIVERY,
            name="MQLs",
            measure=Measure.MONEY,
            target=100_000,
            values=(
                ValueRule(criterion={"score": {"gte": 80}}, units=5_000),
                ValueRule(criterion={}, units=500),
            ),
            weekday_weights=learned,
        ),
        Commitment(
            id=ids[1],
            sla_id=sla_id,
            position=1,
            kind=CommitmentKind.RESPONSE,
            name="First call",
            target_share=Decimal(1),
            within_minutes=240,
            warn_minutes=(60,),
        ),
        Commitment(
            id=ids[2],
            sla_id=sla_id,
            position=2,
            kind=CommitmentKind.COVERAGE,
            name="All worked",
            target_share=Decimal("0.9"),
            linked_to=ids[0],
        ),
    )


@pytest.mark.parametrize(("given", "kept"), [(None, (60,)), ((), ()), ((10, 30, 10), (30, 10))])
def test_warnings_are_kept_from_the_earliest_on(given, kept):
    (commitment,) = commitments_from(
        (replace(RESPONSE, warn_minutes=given),), sla_id=uuid4(), ids=[uuid4()], learned=None
    )
    assert commitment.warn_minutes == kept


def test_a_clock_goes_by_what_was_promised():
    (commitment,) = commitments_from(
        (replace(ATTEMPTS, escalation=STANDARD_LADDER),),
        sla_id=uuid4(),
        ids=[UUID(int=1)],
        learned=None,
    )

    assert policy_of(commitment) == ClockPolicy(
        target=timedelta(hours=4),
        attempts=5,
        warnings=(timedelta(hours=1),),
        escalation=PRESET_LADDER,
    )


def test_what_starts_no_clocks_has_no_policy():
    (commitment,) = commitments_from((DELIVERY,), sla_id=uuid4(), ids=[uuid4()], learned=None)
    with pytest.raises(ValueError, match="starts no clocks"):
        policy_of(commitment)
