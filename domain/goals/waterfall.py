"""The reverse funnel: from a revenue goal back to the customers, opportunities and leads it takes.

Read upwards, a funnel is a chain of rates; read downwards, it is a plan: so many customers need so
many opportunities, which need so many leads, by such a day.  A rate is either decided (a plain
share) or observed, and an observed one says how far the need may be off.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from domain.errors import DomainError, Invalid, Refusals
from domain.statistics import beta_product_quantile
from domain.values import Money, Period, require_text

MOST_STEPS = 20
MOST_TRIALS = 100_000_000
LONGEST_LAG_DAYS = 3650
MOST_NEEDED = 10**12

_PLACES = 4
_JEFFREYS = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class ObservedRate:
    """How many went on to the next step, of how many that could have."""

    successes: int
    trials: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelStep:
    """One kind of thing on the way to a customer, such as MQLs.

    `rate` is the share of them that reaches the next step (the last step's next is the customer),
    `lag_days` how long that takes.
    """

    name: str
    rate: Decimal | ObservedRate
    lag_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """How many it takes: to four places, in whole ones, and shared out over days and people."""

    exact: Decimal
    whole: int
    per_working_day: Decimal
    per_rep: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepNeed:
    """What one step has to hold, and when.

    `planned` follows from the rates as they were given.  `p10`, `p50` and `p90` are where the need
    lies with a probability of 10, 50 and 90 %, given what was observed: plan with p90 to be safe.
    """

    name: str
    rate: Decimal | None
    planned: Need
    p10: Need
    p50: Need
    p90: Need
    first_needed_on: date
    last_needed_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseFunnel:
    """What a revenue goal takes, from the first step to the customer.

    `revenue` is the part of the goal that is marketing's.
    """

    revenue: Money
    steps: tuple[StepNeed, ...]
    customers: StepNeed


class BadFunnel(Invalid):
    """Figures that no funnel can have."""

    code = "BAD_FUNNEL"


def reverse_funnel(
    *,
    revenue_goal: Money,
    average_deal: Money,
    steps: Sequence[FunnelStep],
    period: Period,
    working_days: int,
    marketing_share: Decimal = Decimal(1),
    reps: int | None = None,
) -> ReverseFunnel:
    """Return what each step has to hold so that a revenue goal is reached.

    customers = ceil(goal * marketing's share / average deal), because nobody buys four tenths;
    the need of a step = the need of the next one / the rate between them, rounded up only for show.

    The rates that were observed each have a Beta posterior under Jeffreys' prior, Beta(s + 1/2,
    n - s + 1/2), and are taken to be independent.  The p90 of the need is what the p10 of their
    product takes: exact for one observed rate, within 2 % for several.

    Each step is needed as many days before the period as the lags from it to the customer sum to.

    Args:
        revenue_goal: Revenue to book in the period.
        average_deal: Mean value of a won deal; same currency.
        steps: From the widest, such as leads, to the last before the customer.
        period: When the customers are to be won.
        working_days: Working days of the period, over which the need is spread evenly.
        marketing_share: The share of the goal that marketing is to source, above 0 and at most 1.
        reps: Salespeople who share the work, if the need of each is wanted.

    Raises:
        BadFunnel: if a rate is outside (0, 1], the currencies differ, an amount or a count is not
            positive or is beyond all reason.  Several faults come together as `Refusals`.

    Source: docs/sources.md, "Tie the marketing pipeline to sales quota"; Brown, Cai and DasGupta,
    "Interval estimation for a binomial proportion" (2001), for the prior.
    """
    _refuse(
        [
            *_bad_goal(revenue_goal, average_deal, marketing_share, working_days, reps),
            *_bad_steps(steps),
        ]
    )
    revenue = Fraction(revenue_goal.minor) * Fraction(marketing_share)
    customers = Fraction(math.ceil(revenue / average_deal.minor))

    def need_of(exact: Fraction) -> Need:
        return Need(
            exact=_decimal(exact),
            whole=math.ceil(exact),
            per_working_day=_decimal(exact / working_days),
            per_rep=None if reps is None else _decimal(exact / reps),
        )

    def step_need(name: str, rate: Fraction | None, chain: _Chain, at: int) -> StepNeed:
        _refuse(_beyond_reason(customers, chain, at))
        return StepNeed(
            name=name,
            rate=None if rate is None else _decimal(rate, places=6),
            planned=need_of(customers / chain.planned),
            p10=need_of(customers / chain.quantile(Decimal("0.9"))),
            p50=need_of(customers / chain.quantile(Decimal("0.5"))),
            p90=need_of(customers / chain.quantile(Decimal("0.1"))),
            first_needed_on=_days_before(period.first, chain.lag_days),
            last_needed_on=_days_before(period.end, chain.lag_days + 1),
        )

    chain = _Chain()
    won = step_need("CUSTOMER", None, chain, len(steps))
    needs: list[StepNeed] = []
    for at in reversed(range(len(steps))):
        step = steps[at]
        chain = chain.before(step)
        needs.append(step_need(step.name, _share(step.rate), chain, at))
    return ReverseFunnel(
        revenue=Money(round(revenue), revenue_goal.currency),
        steps=tuple(reversed(needs)),
        customers=won,
    )


@dataclass(frozen=True, slots=True)
class _Chain:
    """The rates between one step and the customer.

    `planned` is the product of all, `decided` that of the plain shares; `posteriors` are the Beta
    shapes of the observed ones.
    """

    planned: Fraction = Fraction(1)
    decided: Fraction = Fraction(1)
    posteriors: tuple[tuple[Decimal, Decimal], ...] = ()
    lag_days: int = 0

    def before(self, step: FunnelStep) -> _Chain:
        """Return the chain from one step higher up."""
        rate, share = step.rate, _share(step.rate)
        planned, lag_days = self.planned * share, self.lag_days + step.lag_days
        if isinstance(rate, Decimal):
            return _Chain(planned, self.decided * share, self.posteriors, lag_days)
        shapes = rate.successes + _JEFFREYS, rate.trials - rate.successes + _JEFFREYS
        return _Chain(planned, self.decided, (*self.posteriors, shapes), lag_days)

    def quantile(self, probability: Decimal) -> Fraction:
        """Return the share of this step that becomes customers, at most with a probability."""
        if not self.posteriors:
            return self.decided
        return self.decided * Fraction(beta_product_quantile(probability, self.posteriors))


def _share(rate: Decimal | ObservedRate) -> Fraction:
    if isinstance(rate, ObservedRate):
        return Fraction(rate.successes, rate.trials)
    return Fraction(rate)


def _decimal(exact: Fraction, *, places: int = _PLACES) -> Decimal:
    return Decimal(round(exact * 10**places)).scaleb(-places)


def _days_before(day: date, days: int) -> date:
    """Return an earlier day, or the first there is."""
    return day - timedelta(days=min(days, (day - date.min).days))


def _refuse(refusals: Sequence[DomainError]) -> None:
    if len(refusals) == 1:
        raise refusals[0]
    if refusals:
        raise Refusals(refusals)


def _bad_goal(
    goal: Money, average: Money, share: Decimal, working_days: int, reps: int | None
) -> Iterator[BadFunnel]:
    if goal.minor <= 0:
        yield BadFunnel("The revenue goal must be above zero.", path=("revenueGoal",))
    if average.minor <= 0:
        yield BadFunnel("The average deal must be above zero.", path=("averageDeal",))
    if goal.currency != average.currency:
        yield BadFunnel(
            f"The goal is in {goal.currency}, the average deal in {average.currency}.",
            path=("averageDeal", "currency"),
        )
    if not _is_share(share):
        yield BadFunnel(
            "Marketing's share must be above 0 and at most 1.", path=("marketingShare",)
        )
    if working_days <= 0:
        yield BadFunnel("The period needs at least one working day.", path=("workingDays",))
    if reps is not None and reps <= 0:
        yield BadFunnel("There must be at least one salesperson.", path=("reps",))


def _bad_steps(steps: Sequence[FunnelStep]) -> Iterator[BadFunnel]:
    if not 1 <= len(steps) <= MOST_STEPS:
        yield BadFunnel(f"A funnel has 1 to {MOST_STEPS} steps.", path=("steps",))
        return
    names: set[str] = set()
    for at, step in enumerate(steps):
        path = ("steps", at, "name")
        try:
            require_text(step.name, name="A step's name", path=path)
        except Invalid as fault:
            yield BadFunnel(fault.message, path=path)
            continue
        if step.name in names:
            yield BadFunnel(f"There are two steps {step.name!r}.", path=path)
        names.add(step.name)
        yield from _bad_rate(step, at)
        if not 0 <= step.lag_days <= LONGEST_LAG_DAYS:
            yield BadFunnel(
                f"A lag is 0 to {LONGEST_LAG_DAYS} days.", path=("steps", at, "lagDays")
            )


def _bad_rate(step: FunnelStep, at: int) -> Iterator[BadFunnel]:
    rate = step.rate
    if isinstance(rate, Decimal):
        if not _is_share(rate):
            yield BadFunnel(
                f"The rate of {step.name} must be above 0 and at most 1 (not a percentage).",
                path=("steps", at, "rate"),
            )
    elif not 1 <= rate.trials <= MOST_TRIALS:
        yield BadFunnel(f"Trials are 1 to {MOST_TRIALS}.", path=("steps", at, "rate", "trials"))
    elif not 1 <= rate.successes <= rate.trials:
        yield BadFunnel(
            f"Successes of {step.name} must be 1 to {rate.trials}: with none, no number is enough.",
            path=("steps", at, "rate", "successes"),
        )


def _is_share(value: Decimal) -> bool:
    # A share like 1e-999999 would take minutes of exact arithmetic to be found too small.
    return value.is_finite() and Decimal("1e-9") <= value <= 1 and len(value.as_tuple().digits) < 40


def _beyond_reason(customers: Fraction, chain: _Chain, at: int) -> Sequence[BadFunnel]:
    if customers / chain.planned <= MOST_NEEDED:
        return ()
    path: tuple[str | int, ...] = ("revenueGoal",) if chain == _Chain() else ("steps", at, "rate")
    return (BadFunnel(f"This takes more than {MOST_NEEDED:,}, which nobody has.", path=path),)
