"""The points: fit from who somebody is, engagement from what was touched and how long ago.

Halving works in binary floating point inside, and every sum is rounded to six decimal places
before anything is made of it: so a stored sum that is halved later differs from one reckoned anew
by at most a millionth for each time it was stored.  Scores are whole points, rounded down, so that
a threshold is reached exactly when the points reach it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from domain.filters import matches, parsed
from domain.grades import Grade
from domain.scoring.terms import FIT_FIELDS, EngagementRule, ScoringTerms
from domain.scoring.touched import SCORED_TOUCH_FIELDS

PLACES = Decimal("0.000001")
MOST_HALF_LIVES = 60
"""After so many a touch is worth nothing."""
_SECOND, _DAY_SECONDS = timedelta(seconds=1), 86_400
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engagement:
    """What a lead's touches gave by each rule of a model, as it was worth at `as_of`.

    Sums are before any cap, so that they can be halved on.
    """

    sums: tuple[Decimal, ...]
    touches: tuple[int, ...]
    as_of: datetime


def halved(points: Decimal, *, age: timedelta, half_life_days: int) -> Decimal:
    """Return what points are worth after a time: half after a half-life, nothing after sixty.

    Source: time decay as in attribution, 2^(-age / half-life).
    """
    if age <= timedelta(0) or not points:
        return points
    half_lives = age / timedelta(days=half_life_days)
    if half_lives > MOST_HALF_LIVES:
        return NOTHING
    return Decimal(float(points) * 2.0**-half_lives).quantize(PLACES)


def matching_fit(terms: ScoringTerms, lead: object) -> tuple[int, ...]:
    """Return the places of the fit rules that a lead matches."""
    return tuple(
        place
        for place, rule in enumerate(terms.fit_rules)
        if matches(parsed(rule.criterion, FIT_FIELDS), lead)
    )


def rule_for(rules: Sequence[EngagementRule], touch: object) -> int | None:
    """Return the place of the first rule that a touch matches."""
    for place, rule in enumerate(rules):
        if matches(parsed(rule.criterion, SCORED_TOUCH_FIELDS), touch):
            return place
    return None


def engagement_from(
    terms: ScoringTerms, touches: Iterable[tuple[object, datetime]], *, at: datetime
) -> Engagement:
    """Return what touches (each with its instant) give at an instant."""
    rules, half_lives = terms.engagement_rules, terms.half_lives
    sums, counts = [NOTHING] * len(rules), [0] * len(rules)
    for touch, occurred_at in touches:
        place = rule_for(rules, touch)
        if place is not None:
            counts[place] += 1
            sums[place] += halved(
                Decimal(rules[place].points),
                age=at - occurred_at,
                half_life_days=half_lives[place],
            )
    return Engagement(sums=tuple(sums), touches=tuple(counts), as_of=at)


def no_engagement(terms: ScoringTerms, *, at: datetime) -> Engagement:
    """Return the engagement of a lead that touched nothing."""
    return engagement_from(terms, (), at=at)


def engagement_at(terms: ScoringTerms, stored: Engagement, at: datetime) -> Engagement:
    """Return stored sums as they are worth at a later instant; an earlier one changes nothing."""
    if at <= stored.as_of:
        return stored
    return Engagement(
        sums=tuple(
            halved(points, age=at - stored.as_of, half_life_days=half_life)
            for points, half_life in zip(stored.sums, terms.half_lives, strict=True)
        ),
        touches=stored.touches,
        as_of=at,
    )


def fit_points(terms: ScoringTerms, matched: Sequence[int]) -> int:
    """Return the fit: each group's points, at most its cap, added up."""
    return sum(counted for _, counted in fit_groups(terms, matched))


def fit_groups(terms: ScoringTerms, matched: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Return each fit group's points, before and after its cap."""
    place = 0
    for group in terms.fit:
        given = 0
        for rule in group.rules:
            given += rule.points if place in matched else 0
            place += 1
        yield given, max(-group.cap, min(group.cap, given))


def engagement_groups(
    terms: ScoringTerms, sums: Sequence[Decimal]
) -> Iterator[tuple[Decimal, Decimal]]:
    """Return each engagement group's points, before and after its cap."""
    place = 0
    for group in terms.engagement:
        given = sum(sums[place : place + len(group.rules)], NOTHING)
        place += len(group.rules)
        yield given, min(Decimal(group.cap), given)


def engagement_points(terms: ScoringTerms, sums: Sequence[Decimal]) -> int:
    """Return the engagement: what the groups count together, under the model's cap."""
    return int(min(counted_points(terms, sums), Decimal(terms.engagement_cap)))


def counted_points(terms: ScoringTerms, sums: Sequence[Decimal]) -> Decimal:
    """Return each group's points under its cap, added up."""
    return sum((counted for _, counted in engagement_groups(terms, sums)), NOTHING)


def grade_of(terms: ScoringTerms, *, fit: int, engagement: int) -> Grade:
    """Return the grade that points make."""
    letter = "A" if fit >= terms.fit_for_a else "B" if fit >= terms.fit_for_b else "C"
    for_1, for_2 = terms.engagement_for_1, terms.engagement_for_2
    digit = "1" if engagement >= for_1 else "2" if engagement >= for_2 else "3"
    return Grade(letter + digit)


def next_change(terms: ScoringTerms, engagement: Engagement) -> datetime | None:
    """Return when an engagement is to be looked at next if nothing more is touched.

    That is to the second when it falls below a threshold of the model, or below nine tenths of
    what it is now, whichever comes first: so what is stored is never more than a tenth too high.
    None once it is less than a point.
    """
    shown = engagement_points(terms, engagement.sums)
    if shown < 1:
        return None
    limits = (terms.engagement_for_1, terms.engagement_for_2)
    kept = next((limit for limit in limits if shown >= limit), 1)
    least = max(kept, -(-shown * 9 // 10))

    def falls_short(seconds: int) -> bool:
        later = engagement_at(terms, engagement, engagement.as_of + seconds * _SECOND)
        return engagement_points(terms, later.sums) < least

    # Found roughly first: exact sums cost a hundred times as much.
    seconds = _falls_below(terms, engagement, least)
    while seconds > 1 and falls_short(seconds - 1):
        seconds -= 1
    while not falls_short(seconds):
        seconds += 1
    return engagement.as_of + seconds * _SECOND


def _falls_below(terms: ScoringTerms, engagement: Engagement, least: int) -> int:
    """Return after about how many seconds engagement falls below so many points."""
    rates = [1 / (days * _DAY_SECONDS) for days in terms.half_lives]
    sums, place = [*map(float, engagement.sums)], 0
    groups: list[tuple[int, list[tuple[float, float]]]] = []
    for group in terms.engagement:
        part = slice(place, place + len(group.rules))
        given = [pair for pair in zip(sums[part], rates[part], strict=True) if pair[0]]
        groups.append((group.cap, given))
        place += len(group.rules)

    def left(seconds: int) -> float:
        counted = (
            min(cap, sum(points * 2.0 ** (-seconds * rate) for points, rate in given))
            for cap, given in groups
        )
        return float(min(terms.engagement_cap, sum(counted)))

    low, high = 0, max(terms.half_lives) * MOST_HALF_LIVES * _DAY_SECONDS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if left(middle) >= least else (low, middle)
    return high
