"""A filter in words: what it asks, and why a thing does or does not pass."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from domain import ids
from domain.filters.fields import Comparator, FieldType, FilterField
from domain.filters.matching import holds, value_of
from domain.filters.tree import All, AnyOf, Compare, Filter, Not, normal_form

MISSING = "missing"

# How many values of a list an explanation names.  A description names them all.
_FEW = 10

_ORDER_WORDS: Mapping[FieldType, Mapping[Comparator, str]] = {
    FieldType.NUMBER: {
        Comparator.LT: "less than {}",
        Comparator.LTE: "at most {}",
        Comparator.GT: "more than {}",
        Comparator.GTE: "at least {}",
    },
    FieldType.INSTANT: {
        Comparator.LT: "before {}",
        Comparator.LTE: "at or before {}",
        Comparator.GT: "after {}",
        Comparator.GTE: "at or after {}",
    },
    FieldType.DAY: {
        Comparator.LT: "before {}",
        Comparator.LTE: "on or before {}",
        Comparator.GT: "after {}",
        Comparator.GTE: "on or after {}",
    },
    FieldType.CHOICE: {
        Comparator.LT: "earlier than {}",
        Comparator.LTE: "{} or earlier",
        Comparator.GT: "later than {}",
        Comparator.GTE: "{} or later",
    },
}
_VERBS = {
    Comparator.CONTAINS: ("contain", "contains"),
    Comparator.STARTS_WITH: ("start with", "starts with"),
    Comparator.ENDS_WITH: ("end with", "ends with"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a thing passes a filter or does not, part by part.

    A comparison has the field's name and the actual value in words, and no children.
    """

    matched: bool
    sentence: str
    field: str | None = None
    actual: str | None = None
    children: tuple[Explanation, ...] = ()


@dataclass(frozen=True, slots=True)
class _Phrase:
    """What a comparison says: it "is at least 50", or must "be at least 50"."""

    does: str
    must: str


def describe(filter: Filter) -> str:
    """Return a filter as a clause that two teams can sign, such as "score is at least 50"."""
    return _describe(normal_form(filter))


def _describe(filter: Filter) -> str:
    match filter:
        case All(()):
            return "anything"
        case All(parts):
            return " and ".join(map(_enclosed, parts))
        case AnyOf(parts):
            return " or ".join(map(_enclosed, parts))
        case Not(Compare() as compare):
            # What makes the opposite hold for a missing value, so it must be said.
            phrase = _phrase(compare, negated=True)
            return f"{compare.field.label} is {MISSING} or {phrase.does}"
        case Not():
            return "nothing"
        case Compare():
            return f"{filter.field.label} {_phrase(filter).does}"


def _enclosed(part: Filter) -> str:
    match part:
        case All(()) | Not(All()) | Compare():
            return _describe(part)
        case _:
            return f"({_describe(part)})"


def explain(filter: Filter, values: object) -> Explanation:
    """Say why a thing, or a mapping by attribute, passes a filter or does not.

    Every `not` is said of the comparison it ends up at: "score is 62, but must be less than 50".
    """
    return _explain(normal_form(filter), values)


def _explain(filter: Filter, values: object) -> Explanation:
    match filter:
        case All(()):
            return Explanation(matched=True, sentence="anything matches")
        case All(parts):
            return _explain_all([_explain(part, values) for part in parts])
        case AnyOf(parts):
            return _explain_any([_explain(part, values) for part in parts])
        case Not(Compare() as compare):
            return _explain_compare(compare, values, negated=True)
        case Not():
            return Explanation(matched=False, sentence="nothing matches")
        case Compare():
            return _explain_compare(filter, values)


def _explain_all(children: Sequence[Explanation]) -> Explanation:
    failed = [child for child in children if not child.matched]
    sentence = "; ".join(child.sentence for child in failed or children)
    return Explanation(matched=not failed, sentence=sentence, children=tuple(children))


def _explain_any(children: Sequence[Explanation]) -> Explanation:
    passed = [child for child in children if child.matched]
    sentence = "; ".join(child.sentence for child in passed or children)
    if not passed:
        sentence = f"none of these holds: {sentence}"
    return Explanation(matched=bool(passed), sentence=sentence, children=tuple(children))


def _explain_compare(compare: Compare, values: object, *, negated: bool = False) -> Explanation:
    field, value = compare.field, value_of(compare.field, values)
    matched = holds(compare, value) is not negated
    actual = MISSING if value is None else _word(field, value)
    phrase = _phrase(compare, negated=negated, most=_FEW)
    if not matched:
        ending = f"but must {phrase.must}"
    elif phrase.does == f"is {actual}":
        ending = "as required"
    else:
        ending = f"which {phrase.does}"
    return Explanation(
        matched=matched,
        sentence=f"{field.label} is {actual}, {ending}",
        field=field.name,
        actual=actual,
    )


def _phrase(compare: Compare, *, negated: bool = False, most: int | None = None) -> _Phrase:
    field, op, value = compare.field, compare.op, compare.value
    positive = negated is _is_negative(compare)
    if op in _VERBS:
        verb, third_person = _VERBS[op]
        said = _word(field, value)
        if positive:
            return _Phrase(f"{third_person} {said}", f"{verb} {said}")
        return _Phrase(f"does not {verb} {said}", f"not {verb} {said}")
    said = _complement(compare, most)
    return (
        _Phrase(f"is {said}", f"be {said}")
        if positive
        else _Phrase(f"is not {said}", f"not be {said}")
    )


def _is_negative(compare: Compare) -> bool:
    if compare.op is Comparator.IS_NULL:
        return compare.value is False
    return compare.op in (Comparator.NE, Comparator.NOT_IN)


def _complement(compare: Compare, most: int | None) -> str:
    """Return what follows "is" when no `not` is in the way."""
    field, op, value = compare.field, compare.op, compare.value
    if op is Comparator.IS_NULL:
        return MISSING
    if isinstance(value, tuple):
        return _one_of([_word(field, each) for each in value], most)
    words = _ORDER_WORDS.get(field.type, {}).get(op, "{}")
    return words.replace("{}", _word(field, value))


def _one_of(words: Sequence[str], most: int | None) -> str:
    if not words:
        return "one of no values"
    if most is not None and len(words) > most:
        return f"one of {', '.join(words[:most])} or {len(words) - most} others"
    return f"one of {', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]


def _word(field: FilterField, value: object) -> str:
    match value:
        case UUID() if field.kind is not None:
            return ids.public(field.kind, value)
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return f"{value:f}"
        case datetime():
            return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(sep=' ')} UTC"
        case date():
            return value.isoformat()
        case str() if field.type is FieldType.TEXT:
            return json.dumps(str(value), ensure_ascii=False)
        case _:
            return str(value)
