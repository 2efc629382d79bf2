"""The terms of a proposal: what each side would promise, and which promises make sense."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

from domain.errors import DomainError, Invalid, Refusals
from domain.filters import parse, to_json
from domain.leads import LEAD_FIELDS
from domain.sla.agreement import (
    Commitment,
    CommitmentKind,
    LadderStep,
    Measure,
    Reassignment,
    ValueRule,
)
from domain.sla.clock import PRESET_LADDER
from domain.values import Money, require_text

# Enough for anything people promise, and small enough for every sum over it to fit its column.
_MOST_UNITS = 10**12
_LONGEST_MINUTES = 366 * 24 * 60
_MOST_COMMITMENTS, _MOST_RULES, _MOST_STEPS, _MOST_WARNINGS, _MOST_ATTEMPTS = 20, 50, 20, 10, 100
_LONGEST_CLAW_BACK_DAYS = 366
_MOST_WEIGHT = Decimal(100)

STANDARD_LADDER = tuple(
    LadderStep(after_minutes=int(step.after.total_seconds()) // 60, action=step.action)
    for step in PRESET_LADDER
)

Path = tuple[str | int, ...]
Amount = int | Money


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadValue:
    """What a lead that matches is worth: points, or money."""

    criterion: Mapping[str, Any]
    worth: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentTerms:
    """One promise as it is proposed; see `Commitment` for what each term means.

    `linked_to` is the name of another commitment of the proposal.  Without `warn_minutes`, a clock
    warns when a quarter of its time is left.  `learn_weekdays` takes the weights from what was
    delivered lately.
    """

    kind: CommitmentKind
    name: str
    measure: Measure = Measure.COUNT
    target: Amount | None = None
    target_share: Decimal | None = None
    quality_floor: Decimal | None = None
    segment: Mapping[str, Any] | None = None
    persona_id: UUID | None = None
    values: tuple[LeadValue, ...] = ()
    claw_back_days: int = 0
    within_minutes: int | None = None
    working_time: bool = True
    attempts: int = 1
    warn_minutes: tuple[int, ...] | None = None
    escalation: tuple[LadderStep, ...] = ()
    on_reassignment: Reassignment = Reassignment.CONTINUE
    weekday_weights: tuple[Decimal, ...] | None = None
    learn_weekdays: bool = False
    linked_to: str | None = None


class OneSided(DomainError):
    """An agreement binds both sides, or it is none."""

    code = "ONE_SIDED"


class OutOfRange(Invalid):
    """A number, share or length of time that nobody can promise."""

    code = "OUT_OF_RANGE"


class DuplicateName(Invalid):
    """Two commitments have one name, so nobody could tell which is meant."""

    code = "DUPLICATE_NAME"


class LadderNotAscending(Invalid):
    """A step of the ladder that does not come after the one before."""

    code = "LADDER_NOT_ASCENDING"


class NothingToCover(DomainError):
    """A coverage of promises that are not made."""

    code = "NOTHING_TO_COVER"


class ValuesMissing(Invalid):
    """A delivery in points or money that does not say what a lead is worth, or in another unit."""

    code = "VALUES_MISSING"


class CurrencyMismatch(Invalid):
    """Money of another currency than the agreement's."""

    code = "CURRENCY_MISMATCH"


class BadLink(Invalid):
    """A link to a commitment that is not there, to itself, or to the same side."""

    code = "BAD_LINK"


def check_terms(terms: Sequence[CommitmentTerms], *, currency: str) -> None:
    """Refuse terms that make no agreement.

    Raises:
        Refusals: with every fault, each with the way to it below `commitments`.
    """
    faults = [*_faults(terms, currency)]
    if faults:
        raise Refusals(faults)


def commitments_from(
    terms: Sequence[CommitmentTerms],
    *,
    sla_id: UUID,
    ids: Sequence[UUID],
    learned: tuple[Decimal, ...] | None,
) -> tuple[Commitment, ...]:
    """Return the commitments that accepted terms make, with these ids, in order."""
    by_name = {_folded(each.name): id for each, id in zip(terms, ids, strict=True)}
    return tuple(
        Commitment(
            id=id,
            sla_id=sla_id,
            position=position,
            kind=each.kind,
            name=each.name.strip(),
            measure=each.measure,
            target=None if each.target is None else _units(each.target),
            target_share=each.target_share,
            quality_floor=each.quality_floor,
            segment=None if each.segment is None else _criterion(each.segment),
            persona_id=each.persona_id,
            values=tuple(
                ValueRule(criterion=_criterion(rule.criterion), units=_units(rule.worth))
                for rule in each.values
            ),
            claw_back_days=each.claw_back_days,
            within_minutes=each.within_minutes,
            working_time=each.working_time,
            attempts=each.attempts,
            warn_minutes=_warnings(each),
            escalation=each.escalation,
            on_reassignment=each.on_reassignment,
            weekday_weights=learned if each.learn_weekdays else each.weekday_weights,
            linked_to=None if each.linked_to is None else by_name[_folded(each.linked_to)],
        )
        for position, (each, id) in enumerate(zip(terms, ids, strict=True))
    )


def _warnings(terms: CommitmentTerms) -> tuple[int, ...]:
    if terms.warn_minutes is not None:
        return tuple(sorted(set(terms.warn_minutes), reverse=True))
    quarter = (terms.within_minutes or 0) // 4
    return (quarter,) if quarter else ()


def _faults(terms: Sequence[CommitmentTerms], currency: str) -> Iterator[DomainError]:
    if len(terms) > _MOST_COMMITMENTS:
        yield OutOfRange(
            f"An SLA has at most {_MOST_COMMITMENTS} commitments.", path=("commitments",)
        )
        return
    for side in sorted({"MARKETING", "SALES"} - {each.kind.side.value for each in terms}):
        yield OneSided(
            f"An SLA binds both sides, and {side.lower()} promises nothing.", path=("commitments",)
        )
    names: dict[str, int] = {}
    for n, each in enumerate(terms):
        path: Path = ("commitments", n, each.kind.lower())
        yield from _name_faults(each, names, n, path)
        yield from _CHECKS[each.kind](each, currency, path)
    yield from _coverage_faults(terms)


def _name_faults(
    terms: CommitmentTerms, names: dict[str, int], n: int, path: Path
) -> Iterator[DomainError]:
    try:
        require_text(terms.name, name="The name", path=(*path, "name"), longest=100)
    except Invalid as fault:
        yield fault
    if names.setdefault(_folded(terms.name), n) != n:
        yield DuplicateName("Another commitment has this name.", path=(*path, "name"))


def _delivery_faults(terms: CommitmentTerms, currency: str, path: Path) -> Iterator[DomainError]:
    yield from _amount_faults(terms.target, terms.measure, currency, (*path, "target"))
    yield from _share_faults(terms.quality_floor, (*path, "qualityFloor"))
    if terms.segment is not None:
        yield from _criterion_faults(terms.segment, (*path, "segment"), allow_empty=False)
    if not 0 <= terms.claw_back_days <= _LONGEST_CLAW_BACK_DAYS:
        yield OutOfRange(
            f"Claw-back takes 0 to {_LONGEST_CLAW_BACK_DAYS} days.", path=(*path, "clawBackDays")
        )
    yield from _value_faults(terms, currency, (*path, "values"))
    yield from _weight_faults(terms.weekday_weights, (*path, "weekdayWeights"))


def _value_faults(terms: CommitmentTerms, currency: str, path: Path) -> Iterator[DomainError]:
    if terms.measure is Measure.COUNT:
        if terms.values:
            yield ValuesMissing("Leads that are counted are all worth one.", path=path)
        return
    if not terms.values:
        yield ValuesMissing(
            f"A delivery in {terms.measure.lower()} says what a lead is worth.", path=path
        )
    if len(terms.values) > _MOST_RULES:
        yield OutOfRange(f"There are at most {_MOST_RULES} values.", path=path)
        return
    for n, rule in enumerate(terms.values):
        # An empty one is what all other leads are worth.
        yield from _criterion_faults(rule.criterion, (*path, n, "criterion"), allow_empty=True)
        yield from _amount_faults(rule.worth, terms.measure, currency, (*path, n, "worth"))


def _amount_faults(
    amount: Amount | None, measure: Measure, currency: str, path: Path
) -> Iterator[DomainError]:
    if amount is None or isinstance(amount, Money) != (measure is Measure.MONEY):
        yield ValuesMissing(f"This is measured in {measure.lower()}.", path=path)
    elif not 0 < _units(amount) <= _MOST_UNITS:
        yield OutOfRange("The amount must be positive, and within reason.", path=path)
    elif isinstance(amount, Money) and amount.currency != currency:
        yield CurrencyMismatch(f"The agreement is in {currency}.", path=path)


def _weight_faults(weights: tuple[Decimal, ...] | None, path: Path) -> Iterator[DomainError]:
    if weights is None:
        return
    if len(weights) != 7:
        yield OutOfRange("A week has seven weights, Monday's first.", path=path)
    elif not all(0 <= weight <= _MOST_WEIGHT for weight in weights) or not any(weights):
        yield OutOfRange(f"Weights run from 0 to {_MOST_WEIGHT}, and not all are 0.", path=path)


def _timed_faults(terms: CommitmentTerms, currency: str, path: Path) -> Iterator[DomainError]:
    within = terms.within_minutes
    if within is None or not 0 < within <= _LONGEST_MINUTES:
        yield OutOfRange("The time is above 0 and at most 366 days.", path=(*path, "within"))
        within = _LONGEST_MINUTES
    if not 1 <= terms.attempts <= _MOST_ATTEMPTS:
        yield OutOfRange(f"Attempts run from 1 to {_MOST_ATTEMPTS}.", path=(*path, "attempts"))
    yield from _share_faults(terms.target_share, (*path, "targetShare"))
    warnings = terms.warn_minutes or ()
    if len(warnings) > _MOST_WARNINGS:
        yield OutOfRange(
            f"There are at most {_MOST_WARNINGS} warnings.", path=(*path, "warnBefore")
        )
    for n, before in enumerate(warnings[:_MOST_WARNINGS]):
        if not 0 < before <= within:
            yield OutOfRange(
                "A warning comes within the time that is promised.", path=(*path, "warnBefore", n)
            )
    yield from _ladder_faults(terms.escalation, (*path, "escalation", "steps"))


def _ladder_faults(steps: Sequence[LadderStep], path: Path) -> Iterator[DomainError]:
    if len(steps) > _MOST_STEPS:
        yield OutOfRange(f"A ladder has at most {_MOST_STEPS} steps.", path=path)
        steps = steps[:_MOST_STEPS]
    for n, step in enumerate(steps):
        if not 0 < step.after_minutes <= _LONGEST_MINUTES:
            yield OutOfRange(
                "A step comes above 0 and at most 366 days after the start.",
                path=(*path, n, "after"),
            )
    for n, (lower, upper) in enumerate(pairwise(steps), start=1):
        if upper.after_minutes <= lower.after_minutes:
            yield LadderNotAscending(
                "Each step comes later than the one before.", path=(*path, n, "after")
            )


def _share_faults(share: Decimal | None, path: Path) -> Iterator[DomainError]:
    if share is not None and not 0 < share <= 1:
        yield OutOfRange("A share lies above 0 and is at most 1.", path=path)


def _share_promised(terms: CommitmentTerms, currency: str, path: Path) -> Iterator[DomainError]:
    if terms.target_share is None:
        yield OutOfRange("A coverage says what share.", path=(*path, "targetShare"))
    yield from _share_faults(terms.target_share, (*path, "targetShare"))


_CHECKS: Mapping[CommitmentKind, Callable[[CommitmentTerms, str, Path], Iterable[DomainError]]] = {
    CommitmentKind.DELIVERY: _delivery_faults,
    CommitmentKind.RESPONSE: _timed_faults,
    CommitmentKind.ATTEMPTS: _timed_faults,
    CommitmentKind.DISPOSITION: _timed_faults,
    CommitmentKind.FEEDBACK: _timed_faults,
    CommitmentKind.COVERAGE: _share_promised,
}


def _coverage_faults(terms: Sequence[CommitmentTerms]) -> Iterator[DomainError]:
    by_name = {_folded(each.name): each for each in terms}
    for n, each in enumerate(terms):
        if each.kind is not CommitmentKind.COVERAGE:
            continue
        path: Path = ("commitments", n, "coverage")
        if not any(other.kind.is_timed for other in terms):
            yield NothingToCover(
                "Coverage counts the timed commitments that were kept, and there are none.",
                path=path,
            )
        if each.linked_to is not None:
            yield from _link_faults(each, by_name.get(_folded(each.linked_to)), path)


def _link_faults(
    terms: CommitmentTerms, target: CommitmentTerms | None, path: Path
) -> Iterator[DomainError]:
    path = (*path, "linkedTo")
    if target is None:
        yield BadLink("There is no commitment of this name.", path=path)
    elif target is terms:
        yield BadLink("A commitment cannot be linked to itself.", path=path)
    elif target.kind.side is terms.kind.side:
        yield BadLink("A commitment is linked to one of the other side.", path=path)


def _criterion_faults(
    given: Mapping[str, Any], path: Path, *, allow_empty: bool
) -> Iterator[DomainError]:
    try:
        parse(given, LEAD_FIELDS, path=path, allow_empty=allow_empty)
    except Invalid as fault:
        yield fault


def _criterion(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a criterion in the form it is kept in."""
    return to_json(parse(given, LEAD_FIELDS))


def _units(amount: Amount) -> int:
    return amount.minor if isinstance(amount, Money) else amount


def _folded(name: str) -> str:
    return name.strip().casefold()
