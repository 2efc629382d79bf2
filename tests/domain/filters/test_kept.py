"""Criteria that are stored are read once."""

from __future__ import annotations

import pytest

from domain.filters import BadCriterion, FieldType, FilterField, FilterFields, parse, parsed
from domain.filters.kept import KeptFilters


def some_fields() -> FilterFields:
    given = {"score": FieldType.NUMBER, "country": FieldType.TEXT, "subscribed": FieldType.FLAG}
    return FilterFields(
        "lead",
        [FilterField(name=n, attribute=n, type=t, description=n) for n, t in given.items()],
    )


FIELDS = some_fields()


def above(score: object) -> dict[str, object]:
    return {"score": {"gte": score}}


@pytest.mark.parametrize(
    "criterion",
    [
        {},
        above(5),
        {"or": [{"country": {"in": ["IE", "DE"]}}, {"not": {"subscribed": {"eq": True}}}]},
    ],
)
def test_a_criterion_says_what_it_always_said(criterion):
    assert parsed(criterion, FIELDS) == parse(criterion, FIELDS)


def test_the_same_words_are_read_once_whoever_says_them():
    assert parsed(above(5), FIELDS) is parsed(above(5), FIELDS)


def test_a_changed_criterion_is_read_anew():
    criterion = above(5)
    before = parsed(criterion, FIELDS)
    criterion["score"] = {"gte": 6}

    assert parsed(criterion, FIELDS) == parse(above(6), FIELDS) != before


def test_what_only_looks_alike_is_told_apart():
    yes, two = {"subscribed": {"eq": True}}, {"country": {"eq": "1"}, "score": {"eq": 1}}

    assert parsed(yes, FIELDS) == parse(yes, FIELDS)
    with pytest.raises(BadCriterion):
        parsed({"subscribed": {"eq": 1}}, FIELDS)
    turned = dict(reversed(two.items()))
    assert parsed(turned, FIELDS) == parse(turned, FIELDS) != parsed(two, FIELDS)


def test_other_fields_read_the_same_words_in_their_own_way():
    other = some_fields()

    assert parsed(above(5), other) is not parsed(above(5), FIELDS)


def test_what_cannot_be_understood_is_refused_every_time():
    for _ in range(2):
        with pytest.raises(BadCriterion):
            parsed({"size": {"eq": 1}}, FIELDS)


def test_what_was_not_asked_for_longest_is_forgotten_first():
    kept = KeptFilters(most=2)
    first, second = kept.of(above(1), FIELDS), kept.of(above(2), FIELDS)
    assert kept.of(above(1), FIELDS) is first

    kept.of(above(3), FIELDS)

    assert len(kept) == 2
    assert kept.of(above(1), FIELDS) is first
    assert kept.of(above(2), FIELDS) is not second


def test_long_criteria_do_not_add_up():
    kept = KeptFilters(most_characters=1000)
    long = {"country": {"in": ["x" * 900]}}
    first = kept.of(above(1), FIELDS)

    kept.of(long, FIELDS)
    assert kept.of(above(1), FIELDS) is first
    kept.of({"country": {"in": ["y" * 900]}}, FIELDS)
    assert len(kept) == 2
    assert kept.of(above(1), FIELDS) is first

    too_long = {"country": {"in": ["z" * 900, "a" * 900]}}
    assert kept.of(too_long, FIELDS) == parse(too_long, FIELDS)
    assert len(kept) == 0
