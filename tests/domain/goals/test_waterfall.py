from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import DomainError, Refusals
from domain.goals.waterfall import (
    BadFunnel,
    FunnelStep,
    Need,
    ObservedRate,
    ReverseFunnel,
    StepNeed,
    reverse_funnel,
)
from domain.values import Money, Period

MARCH = Period.month(2026, 3)


def usd(dollars: int) -> Money:
    return Money(dollars * 100, "USD")


def a_funnel(*steps: FunnelStep, **changes: object) -> ReverseFunnel:
    request = {
        "revenue_goal": usd(7_000),
        "average_deal": usd(1_000),
        "steps": steps or (FunnelStep(name="LEAD", rate=Decimal("0.05")),),
        "period": MARCH,
        "working_days": 20,
    }
    return reverse_funnel(**(request | changes))


def refusals_of(*steps: FunnelStep, **changes: object) -> list[tuple[object, ...]]:
    with pytest.raises(DomainError) as refused:
        a_funnel(*steps, **changes)
    error = refused.value
    return [each.path for each in (error.refusals if isinstance(error, Refusals) else [error])]


def test_seven_customers_at_five_percent_take_140_leads_and_seven_a_working_day():
    seven = Need(exact=Decimal(7), whole=7, per_working_day=Decimal("0.35"), per_rep=None)
    leads = Need(exact=Decimal(140), whole=140, per_working_day=Decimal(7), per_rep=None)

    assert a_funnel() == ReverseFunnel(
        revenue=usd(7_000),
        steps=(
            StepNeed(
                name="LEAD",
                rate=Decimal("0.05"),
                planned=leads,
                p10=leads,
                p50=leads,
                p90=leads,
                first_needed_on=date(2026, 3, 1),
                last_needed_on=date(2026, 3, 31),
            ),
        ),
        customers=StepNeed(
            name="CUSTOMER",
            rate=None,
            planned=seven,
            p10=seven,
            p50=seven,
            p90=seven,
            first_needed_on=date(2026, 3, 1),
            last_needed_on=date(2026, 3, 31),
        ),
    )


ROBERGE = (
    FunnelStep(name="leads", rate=ObservedRate(50, 100)),
    FunnelStep(name="connects", rate=ObservedRate(30, 50)),
    FunnelStep(name="discovery", rate=ObservedRate(15, 30)),
    FunnelStep(name="demos", rate=ObservedRate(5, 15)),
)


def test_ten_reps_with_a_hundred_leads_each_need_a_thousand_leads_a_month():
    funnel = a_funnel(*ROBERGE, revenue_goal=usd(50_000), reps=10)

    planned = {step.name: (step.planned.whole, step.planned.per_rep) for step in funnel.steps}
    assert planned == {
        "leads": (1000, 100),
        "connects": (500, 50),
        "discovery": (300, 30),
        "demos": (150, 15),
    }
    assert (funnel.customers.planned.whole, funnel.customers.planned.per_rep) == (50, 5)


def test_observed_rates_say_how_far_the_need_may_be_off():
    demos = a_funnel(ROBERGE[-1], revenue_goal=usd(50_000)).steps[0]

    # 50 / the 90 %, 50 % and 10 % quantiles of Beta(5.5, 10.5)
    assert (demos.p10.exact, demos.p50.exact, demos.p90.exact) == (
        Decimal("100.3545"),
        Decimal("148.3270"),
        Decimal("252.0330"),
    )
    assert (demos.p10.whole, demos.planned.whole, demos.p90.whole) == (101, 150, 253)


def test_several_observed_rates_are_as_uncertain_as_a_simulation_says():
    leads = a_funnel(*ROBERGE, revenue_goal=usd(100_000)).steps[0]

    # 200,000 draws of the four posteriors gave 1251, 2062 and 3796.
    assert abs(leads.p10.whole - 1251) < 10
    assert abs(leads.p50.whole - 2062) < 10
    assert abs(leads.p90.whole - 3796) < 20


def test_marketings_share_comes_off_the_goal_before_customers_are_counted():
    funnel = a_funnel(revenue_goal=usd(100_000), marketing_share=Decimal("0.305"))

    assert funnel.revenue == usd(30_500)
    assert funnel.customers.planned.whole == 31  # 30.5 customers are 31
    assert funnel.steps[0].planned.whole == 620


def test_each_step_is_needed_earlier_by_the_lags_after_it():
    funnel = a_funnel(
        FunnelStep(name="MQL", rate=Decimal("0.2"), lag_days=30),
        FunnelStep(name="SQL", rate=Decimal("0.5"), lag_days=10),
        FunnelStep(name="OPPORTUNITY", rate=Decimal("0.25"), lag_days=45),
    )

    days = {step.name: (step.first_needed_on, step.last_needed_on) for step in funnel.steps}
    assert days == {
        "MQL": (date(2025, 12, 6), date(2026, 1, 5)),
        "SQL": (date(2026, 1, 5), date(2026, 2, 4)),
        "OPPORTUNITY": (date(2026, 1, 15), date(2026, 2, 14)),
    }


def test_a_lag_to_before_the_calendar_begins_stops_at_its_first_day():
    step = a_funnel(
        FunnelStep(name="LEAD", rate=Decimal(1), lag_days=3650), period=Period.month(2, 1)
    ).steps[0]

    assert (step.first_needed_on, step.last_needed_on) == (date.min, date.min)


def test_a_third_is_a_third_so_nobody_is_asked_for_one_lead_too_many():
    step = a_funnel(FunnelStep(name="SQL", rate=ObservedRate(1, 3))).steps[0]

    assert step.planned.exact == 21
    assert step.planned.whole == 21
    assert step.rate == Decimal("0.333333")


@given(
    rates=st.lists(st.decimals(min_value="0.1", max_value="1", places=2), min_size=1, max_size=6),
    deals=st.integers(min_value=1, max_value=10_000),
)
def test_going_back_down_the_funnel_gives_the_customers_again(rates, deals):
    steps = [FunnelStep(name=str(at), rate=rate) for at, rate in enumerate(rates)]
    need = Decimal(deals)
    funnel = a_funnel(*steps, revenue_goal=usd(1000 * deals)).steps
    for step, rate in reversed(list(zip(funnel, rates, strict=True))):
        assert abs(step.planned.exact * rate - need) <= Decimal("0.001")
        assert 0 <= step.planned.whole - step.planned.exact < 1
        need = step.planned.exact


@given(counts=st.lists(st.tuples(st.integers(5, 500), st.integers(0, 500)), min_size=1, max_size=4))
def test_the_range_is_in_order_and_grows_the_further_up_it_goes(counts):
    steps = [
        FunnelStep(name=str(at), rate=ObservedRate(won, won + lost))
        for at, (won, lost) in enumerate(counts)
    ]
    need = Decimal(7)
    for step in reversed(a_funnel(*steps).steps):
        assert step.p10.exact <= step.p50.exact <= step.p90.exact
        assert step.p90.exact >= need
        need = step.p90.exact


@pytest.mark.parametrize("rate", ["0", "-0.1", "1.01", "5", "NaN", "Infinity", "1e-999999"])
def test_a_rate_outside_zero_to_one_is_refused(rate):
    step = FunnelStep(name="LEAD", rate=Decimal(rate))

    assert refusals_of(step) == [("steps", 0, "rate")]


@pytest.mark.parametrize(
    ("successes", "trials", "field"),
    [
        (0, 10, "successes"),
        (-1, 10, "successes"),
        (11, 10, "successes"),
        (1, 0, "trials"),
        (1, 10**9, "trials"),
    ],
)
def test_counts_that_nobody_can_have_observed_are_refused(successes, trials, field):
    step = FunnelStep(name="LEAD", rate=ObservedRate(successes, trials))

    assert refusals_of(step) == [("steps", 0, "rate", field)]


RATE = ("steps", 0, "rate")
LEAD = FunnelStep(name="LEAD", rate=Decimal("0.05"))


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"revenue_goal": usd(0)}, ("revenueGoal",)),
        ({"average_deal": usd(0)}, ("averageDeal",)),
        ({"average_deal": usd(-5)}, ("averageDeal",)),
        ({"average_deal": Money(100_000, "EUR")}, ("averageDeal", "currency")),
        ({"marketing_share": Decimal(0)}, ("marketingShare",)),
        ({"marketing_share": Decimal("1.2")}, ("marketingShare",)),
        ({"working_days": 0}, ("workingDays",)),
        ({"reps": 0}, ("reps",)),
        ({"steps": ()}, ("steps",)),
        ({"steps": [LEAD] * 21}, ("steps",)),
        ({"steps": [LEAD, LEAD]}, ("steps", 1, "name")),
        ({"steps": [replace(LEAD, name=" ")]}, ("steps", 0, "name")),
        ({"steps": [replace(LEAD, name="a\0b")]}, ("steps", 0, "name")),
        ({"steps": [replace(LEAD, name="x" * 201)]}, ("steps", 0, "name")),
        ({"steps": [replace(LEAD, lag_days=-1)]}, ("steps", 0, "lagDays")),
        ({"steps": [replace(LEAD, lag_days=4000)]}, ("steps", 0, "lagDays")),
        ({"revenue_goal": usd(10**17)}, ("revenueGoal",)),
        ({"steps": [replace(LEAD, rate=Decimal("1e-9"))], "revenue_goal": usd(10**9)}, RATE),
    ],
)
def test_a_bad_figure_is_refused_where_it_stands(changes, path):
    assert refusals_of(**changes) == [path]


def test_all_faults_are_told_at_once():
    with pytest.raises(Refusals) as refused:
        a_funnel(replace(LEAD, rate=Decimal(5)), working_days=0)

    assert [(each.code, each.path) for each in refused.value.refusals] == [
        ("BAD_FUNNEL", ("workingDays",)),
        ("BAD_FUNNEL", ("steps", 0, "rate")),
    ]
    assert all(isinstance(each, BadFunnel) for each in refused.value.refusals)
