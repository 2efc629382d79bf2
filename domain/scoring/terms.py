"""What a scoring model says, and which models make sense."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from domain.errors import DomainError, Invalid, Refusals
from domain.filters import FilterFields, comparisons, parse, to_json
from domain.leads import LEAD_FIELDS
from domain.scoring.touched import SCORED_TOUCH_FIELDS
from domain.sla.terms import DuplicateName, OutOfRange
from domain.values import require_text

MOST_GROUPS, MOST_RULES_OF_GROUP, MOST_RULES = 12, 12, 100
MOST_COMPARISONS = 400
"""In all rules together: one statement holds all touches of a lead against them."""
MOST_POINTS = 1000
LONGEST_HALF_LIFE_DAYS = 3650

Path = tuple[str | int, ...]

# Who somebody is.  What a score is made of cannot follow from the score, and what becomes of a
# lead, such as its stage or owner, changes without the lead being scored anew.
FIT_FIELDS = FilterFields(
    "fit's criterion",
    tuple(
        field
        for field in LEAD_FIELDS
        if field.name
        not in {
            *("fit", "engagement", "grade"),
            *("doNotContact", "doNotContactAt", "doNotContactReason"),
            *("ownerId", "stage", "stageEnteredAt", "updatedAt"),
        }
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRule:
    """Points for a lead that matches; they may be taken away, too."""

    name: str
    criterion: Mapping[str, Any]
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FitGroup:
    """Rules about one thing, which together give (or take) at most `cap` points."""

    name: str
    cap: int
    rules: tuple[FitRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngagementRule:
    """Points for each touch that matches, halved every `half_life_days`; the group's, if None."""

    name: str
    criterion: Mapping[str, Any]
    points: int
    half_life_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EngagementGroup:
    """One type of touches, which together are worth at most `cap` points at any instant."""

    name: str
    cap: int
    half_life_days: int
    rules: tuple[EngagementRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringTerms:
    """Everything a model says.

    A touch counts by the first rule it matches, and once.  From `fit_for_a` points of fit on a lead
    is an A, from `fit_for_b` on a B; from `engagement_for_1` points of engagement on it is a 1,
    from `engagement_for_2` on a 2.
    """

    fit: tuple[FitGroup, ...]
    engagement: tuple[EngagementGroup, ...]
    engagement_cap: int
    fit_for_a: int
    fit_for_b: int
    engagement_for_1: int
    engagement_for_2: int

    @property
    def fit_rules(self) -> tuple[FitRule, ...]:
        return tuple(rule for group in self.fit for rule in group.rules)

    @property
    def engagement_rules(self) -> tuple[EngagementRule, ...]:
        return tuple(rule for group in self.engagement for rule in group.rules)

    @property
    def half_lives(self) -> tuple[int, ...]:
        """The half-life of each rule of engagement in days: its own, or its group's."""
        return tuple(
            rule.half_life_days or group.half_life_days
            for group in self.engagement
            for rule in group.rules
        )


class ThresholdsNotDescending(Invalid):
    """A better grade that takes fewer points than a worse one."""

    code = "THRESHOLDS_NOT_DESCENDING"


class ScoringTooLong(DomainError):
    """Every lead and touch is held against every rule, so there must not be too many."""

    code = "SCORING_TOO_LONG"


def checked(terms: ScoringTerms) -> ScoringTerms:
    """Return the terms as they are kept: names trimmed, criteria in their plain form.

    Raises:
        Refusals: with every fault, each with the way to it below `terms`.
    """
    faults = [*_faults(terms)]
    for fault in faults:
        fault.path = ("terms", *fault.path)
    if faults:
        raise Refusals(faults)
    return replace(
        terms,
        fit=tuple(_kept(group, FIT_FIELDS) for group in terms.fit),
        engagement=tuple(_kept(group, SCORED_TOUCH_FIELDS) for group in terms.engagement),
    )


def _kept(group: Any, fields: FilterFields) -> Any:
    return replace(
        group,
        name=group.name.strip(),
        rules=tuple(
            replace(
                rule,
                name=rule.name.strip(),
                criterion=to_json(parse(rule.criterion, fields)),
            )
            for rule in group.rules
        ),
    )


def _faults(terms: ScoringTerms) -> Iterator[DomainError]:
    rules = [*terms.fit_rules, *terms.engagement_rules]
    groups: list[FitGroup | EngagementGroup] = [*terms.fit, *terms.engagement]
    longest = max((len(group.rules) for group in groups), default=0)
    if len(groups) > MOST_GROUPS or longest > MOST_RULES_OF_GROUP or len(rules) > MOST_RULES:
        yield ScoringTooLong(
            f"A model has at most {MOST_GROUPS} groups of {MOST_RULES_OF_GROUP} rules, and"
            f" {MOST_RULES} rules in all."
        )
        return
    yield from _name_faults("fit", terms.fit)
    yield from _name_faults("engagement", terms.engagement)
    yield from _threshold_faults(terms)
    found = [*_criterion_faults(terms)]
    yield from (fault for fault in found if isinstance(fault, DomainError))
    if sum(size for size in found if isinstance(size, int)) > MOST_COMPARISONS:
        yield ScoringTooLong(f"All rules together make more than {MOST_COMPARISONS} comparisons.")
    for path, number, lowest, highest in _numbers(terms):
        if not lowest <= number <= highest or number == 0:
            yield OutOfRange(f"This runs from {lowest} to {highest}, without 0.", path=path)


def _name_faults(part: str, groups: Sequence[FitGroup | EngagementGroup]) -> Iterator[DomainError]:
    yield from _names((part,), groups)
    for n, group in enumerate(groups):
        yield from _names((part, n, "rules"), group.rules)


def _names(path: Path, named: Iterable[Any]) -> Iterator[DomainError]:
    taken: set[str] = set()
    for n, each in enumerate(named):
        place = (*path, n, "name")
        try:
            name = require_text(each.name, name="The name", path=place, longest=100).casefold()
        except Invalid as fault:
            yield fault
            continue
        if name in taken:
            yield DuplicateName("Another one beside it has this name.", path=place)
        taken.add(name)


def _threshold_faults(terms: ScoringTerms) -> Iterator[DomainError]:
    if terms.fit_for_a <= terms.fit_for_b:
        yield ThresholdsNotDescending("An A takes more points than a B.", path=("fitForA",))
    if terms.engagement_for_1 <= terms.engagement_for_2:
        yield ThresholdsNotDescending("A 1 takes more points than a 2.", path=("engagementFor1",))


def _criterion_faults(terms: ScoringTerms) -> Iterator[DomainError | int]:
    """Return the fault of each criterion, or the number of its comparisons."""
    parts: tuple[tuple[str, Sequence[FitGroup | EngagementGroup], FilterFields], ...] = (
        ("fit", terms.fit, FIT_FIELDS),
        ("engagement", terms.engagement, SCORED_TOUCH_FIELDS),
    )
    for part, groups, fields in parts:
        for n, group in enumerate(groups):
            rules: Sequence[FitRule | EngagementRule] = group.rules
            for m, rule in enumerate(rules):
                path = (part, n, "rules", m, "criterion")
                try:
                    yield comparisons(parse(rule.criterion, fields, path=path, allow_empty=False))
                except Invalid as fault:
                    yield fault


def _numbers(terms: ScoringTerms) -> Iterator[tuple[Path, int, int, int]]:
    yield ("engagementCap",), terms.engagement_cap, 1, MOST_POINTS
    yield ("fitForA",), terms.fit_for_a, 1, MOST_POINTS
    yield ("fitForB",), terms.fit_for_b, 1, MOST_POINTS
    yield ("engagementFor1",), terms.engagement_for_1, 1, MOST_POINTS
    yield ("engagementFor2",), terms.engagement_for_2, 1, MOST_POINTS
    for n, group in enumerate(terms.fit):
        yield ("fit", n, "cap"), group.cap, 1, MOST_POINTS
        for m, rule in enumerate(group.rules):
            yield ("fit", n, "rules", m, "points"), rule.points, -MOST_POINTS, MOST_POINTS
    for n, kind in enumerate(terms.engagement):
        path: Path = ("engagement", n)
        yield (*path, "cap"), kind.cap, 1, MOST_POINTS
        yield (*path, "halfLifeDays"), kind.half_life_days, 1, LONGEST_HALF_LIFE_DAYS
        for m, counted in enumerate(kind.rules):
            yield (*path, "rules", m, "points"), counted.points, 1, MOST_POINTS
            if counted.half_life_days is not None:
                place = (*path, "rules", m, "halfLifeDays")
                yield place, counted.half_life_days, 1, LONGEST_HALF_LIFE_DAYS
