"""What no filter can be made of, and where it says so."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from domain.filters import BadCriterion, matches, parse
from tests.domain.filters.fields import ANN, FIELDS, NOON, Lead, nested


@pytest.mark.parametrize(
    ("json", "path", "message"),
    [
        (None, [], "Expected an object of fields and 'and', 'or', 'not', got null."),
        ([], [], "Expected an object of fields and 'and', 'or', 'not', got a list."),
        ({1: {}}, [], "Expected names for keys, got a number."),
        (
            {"scores": {"eq": 1}},
            ["scores"],
            "A lead has no field 'scores' (did you mean 'score'?).",
        ),
        ({"zzz": {"eq": 1}}, ["zzz"], "A lead has no field 'zzz'."),
        ({"score": None}, ["score"], "Expected an object of comparators such as 'eq', got null."),
        ({"score": 50}, ["score"], "Expected an object of comparators such as 'eq', got a number."),
        (
            {"subscribed": {}},
            ["subscribed"],
            "subscribed is not compared: expected eq, isNull.",
        ),
        (
            {"and": [{"score": {"contains": 1}}]},
            ["and", 0, "score", "contains"],
            (
                "score cannot be compared by 'contains': "
                "expected eq, ne, lt, lte, gt, gte, in, notIn, isNull."
            ),
        ),
        (
            {"title": {"gt": "a"}},
            ["title", "gt"],
            (
                "title cannot be compared by 'gt': "
                "expected eq, ne, in, notIn, contains, startsWith, endsWith, isNull."
            ),
        ),
        (
            {"originSource": {"lt": "organic"}},
            ["originSource", "lt"],
            "originSource cannot be compared by 'lt': expected eq, ne, in, notIn, isNull.",
        ),
        ({"and": {}}, ["and"], "Expected a list, got an object."),
        ({"or": []}, ["or"], "The list is empty: it needs at least one filter."),
        ({"and": []}, ["and"], "The list is empty: it needs at least one filter."),
        (
            {"or": [{}, "x"]},
            ["or", 1],
            "Expected an object of fields and 'and', 'or', 'not', got text.",
        ),
        (
            {"not": [{}]},
            ["not"],
            "Expected an object of fields and 'and', 'or', 'not', got a list.",
        ),
        (nested(11, {}), ["not"] * 10, "A filter may be at most 10 levels deep."),
        (
            nested(9, {"and": [{"or": [{}]}]}),
            [*["not"] * 8, "and", 0, "or", 0],
            "A filter may be at most 10 levels deep.",
        ),
        (
            {"or": [{"score": {"eq": 1}}] * 201},
            ["or", 200, "score", "eq"],
            "A filter may make at most 200 comparisons.",
        ),
        ({"or": [{}] * 201}, ["or", 200], "A filter may make at most 200 comparisons."),
        (
            {"score": {"in": [1] * 1001}},
            ["score", "in"],
            "A list may hold at most 1000 values.",
        ),
        ({"score": {"in": 1}}, ["score", "in"], "Expected a list, got a number."),
        ({"score": {"eq": None}}, ["score", "eq"], "Nothing compares with null: use isNull."),
        (
            {"score": {"in": [1, None]}},
            ["score", "in", 1],
            "Nothing compares with null: use isNull.",
        ),
        ({"score": {"isNull": 1}}, ["score", "isNull"], "Expected true or false, got a number."),
        ({"title": {"eq": 1}}, ["title", "eq"], "Expected text."),
        ({"title": {"eq": ["x"]}}, ["title", "eq"], "Expected text."),
        (
            {"title": {"eq": "x" * 1001}},
            ["title", "eq"],
            "The text is longer than 1000 characters.",
        ),
        ({"title": {"in": ["a\x00"]}}, ["title", "in", 0], "The text holds a NUL character."),
        (
            {"title": {"contains": "\ud800"}},
            ["title", "contains"],
            "The text holds half a surrogate pair, which is not text.",
        ),
        (
            {"title": {"startsWith": ""}},
            ["title", "startsWith"],
            "Every text contains the empty text: expected at least one character.",
        ),
        ({"owner": {"eq": 7}}, ["owner", "eq"], "Expected a user id."),
        ({"owner": {"eq": ANN}}, ["owner", "eq"], "Expected a user id."),
        ({"owner": {"eq": "x"}}, ["owner", "eq"], "'x' is not an id."),
        (
            {"owner": {"in": [f"lead_{ANN.hex}"]}},
            ["owner", "in", 0],
            "expected a user id, got a lead id",
        ),
        ({"stage": {"eq": "mql"}}, ["stage", "eq"], "Expected one of LEAD, MQL, SAL, SQL."),
        ({"stage": {"lt": 1}}, ["stage", "lt"], "Expected one of LEAD, MQL, SAL, SQL."),
        (
            {"originSource": {"eq": "PAID"}},
            ["originSource", "eq"],
            "Expected one of paid_search, organic.",
        ),
        ({"subscribed": {"eq": 1}}, ["subscribed", "eq"], "Expected true or false."),
        ({"subscribed": {"eq": "true"}}, ["subscribed", "eq"], "Expected true or false."),
    ],
)
def test_what_cannot_be_understood_is_refused_where_it_stands(json, path, message):
    with pytest.raises(BadCriterion) as refusal:
        parse(json, FIELDS, path=("input", "filter"))

    assert refusal.value.code == "BAD_CRITERION"
    assert refusal.value.message == message
    assert refusal.value.path == ("input", "filter", *path)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (True, "Expected a number, got true or false."),
        ("", "Expected a number, or its digits as text."),
        ("1e5", "Expected a number, or its digits as text."),
        (" 1", "Expected a number, or its digits as text."),
        ("1.", "Expected a number, or its digits as text."),
        ("1\n", "Expected a number, or its digits as text."),
        ("NaN", "Expected a number, or its digits as text."),
        ("١", "Expected a number, or its digits as text."),
        ([1], "Expected a number, or its digits as text."),
        (2**63, "A whole number must fit in 64 bits."),
        (-(2**63) - 1, "A whole number must fit in 64 bits."),
        (float("nan"), "Expected a number; NaN and infinity are none."),
        (float("-inf"), "Expected a number; NaN and infinity are none."),
        (Decimal("NaN"), "Expected a number; NaN and infinity are none."),
        (Decimal("sNaN"), "Expected a number; NaN and infinity are none."),
        (Decimal("Infinity"), "Expected a number; NaN and infinity are none."),
        (0.1 + 0.2, "So many digits are not exact as a JSON number: write them as text."),
        (1e300, "A number has at most 38 digits."),
        ("1" + "0" * 38, "A number has at most 38 digits."),
        ("1." + "1" * 38, "A number has at most 38 digits."),
        (Decimal("1e-39"), "A number has at most 38 digits."),
        (Decimal("1e999999"), "A number has at most 38 digits."),
        ("9" * 101, "Expected a number, or its digits as text."),
    ],
)
def test_a_number_is_exact_and_bounded(value, message):
    with pytest.raises(BadCriterion) as refusal:
        parse({"score": {"gte": value}}, FIELDS)

    assert (refusal.value.message, refusal.value.path) == (message, ("score", "gte"))


INSTANT = "Expected an instant such as 2026-03-01T09:30:00Z"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("createdAt", 1, f"{INSTANT}."),
        ("createdAt", "2026-03-02", f"{INSTANT}."),
        ("createdAt", "2026-03-02T12:00:00", f"{INSTANT}."),
        ("createdAt", "2026-03-02T12:00Z", f"{INSTANT}."),
        ("createdAt", "2026-03-02T12:00:00.1234567Z", f"{INSTANT}."),
        ("createdAt", "2026-02-30T12:00:00Z", f"{INSTANT}."),
        ("createdAt", "2026-03-02T12:00:60Z", f"{INSTANT}."),
        ("createdAt", "2026-03-02T12:00:00+24:00", f"{INSTANT}."),
        ("createdAt", date(2026, 3, 2), f"{INSTANT}."),
        ("createdAt", NOON.replace(tzinfo=None), f"{INSTANT}, with its offset from UTC."),
        (
            "createdAt",
            "9999-12-31T23:59:59-01:00",
            f"{INSTANT}, in the years 1 to 9999 of UTC.",
        ),
        ("closeOn", 20260301, "Expected a day such as 2026-03-01."),
        ("closeOn", "20260301", "Expected a day such as 2026-03-01."),
        ("closeOn", "2026-02-29", "Expected a day such as 2026-03-01."),
        ("closeOn", "2026-W10-1", "Expected a day such as 2026-03-01."),
        ("closeOn", "2026-03-01T00:00:00Z", "Expected a day such as 2026-03-01."),
        ("closeOn", NOON, "Expected a day such as 2026-03-01."),
    ],
)
def test_a_time_is_written_in_full(field, value, message):
    with pytest.raises(BadCriterion) as refusal:
        parse({field: {"eq": value}}, FIELDS)

    assert (refusal.value.message, refusal.value.path) == (message, (field, "eq"))


@pytest.mark.parametrize(
    ("json", "path"), [({}, ()), ({"not": {}}, ("not",)), ({"or": [{}]}, ("or", 0))]
)
def test_a_criterion_may_be_told_to_say_something(json, path):
    with pytest.raises(BadCriterion) as refusal:
        parse(json, FIELDS, allow_empty=False)

    assert refusal.value.message == "An empty criterion says nothing: name a field."
    assert refusal.value.path == path


def test_the_limits_themselves_are_allowed():
    assert matches(parse(nested(10, {"score": {"eq": 1}}), FIELDS), Lead(score=2))
    assert matches(parse({"or": [{"score": {"eq": 1}}] * 200}, FIELDS), Lead(score=1))
