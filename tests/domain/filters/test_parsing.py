"""What is read of a filter, and written of it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain.filters import All, AnyOf, Compare, Not, parse, to_json
from tests.domain.filters.fields import (
    ANN,
    ANN_ID,
    CLOSE_ON,
    CREATED_AT,
    FIELDS,
    NO,
    NOON,
    OWNER,
    SCORE,
    SOURCE,
    STAGE,
    SUBSCRIBED,
    TITLE,
    TOKYO,
    YES,
    Source,
    Stage,
    compare,
    nested,
)


@pytest.mark.parametrize("json", [*YES, *NO])
def test_the_json_form_of_a_filter_is_read_as_the_same_filter(json):
    criterion = parse(json, FIELDS)

    assert parse(to_json(criterion), FIELDS) == criterion


@pytest.mark.parametrize(
    ("json", "filter"),
    [
        ({}, All(())),
        ({"score": {"gte": 50}}, compare(SCORE, "gte", 50)),
        (
            {"score": {"gte": 50, "lt": 90}, "stage": {"eq": "MQL"}},
            All(
                (
                    compare(SCORE, "gte", 50),
                    compare(SCORE, "lt", 90),
                    compare(STAGE, "eq", Stage.MQL),
                )
            ),
        ),
        (
            {"and": [{"score": {"gt": 1}}, {}], "or": [{"score": {"lt": 0}}, {"and": [{}]}]},
            All((AnyOf((compare(SCORE, "lt", 0), All(()))), compare(SCORE, "gt", 1))),
        ),
        (
            {"or": [{"or": [{"score": {"eq": 1}}, {"score": {"eq": 2}}]}, {"score": {"eq": 3}}]},
            AnyOf(tuple(compare(SCORE, "eq", n) for n in (1, 2, 3))),
        ),
        ({"or": [{"score": {"eq": 1}}]}, compare(SCORE, "eq", 1)),
        ({"not": {"score": {"eq": 1}}}, Not(compare(SCORE, "eq", 1))),
    ],
)
def test_a_filter_is_read_without_needless_nesting(json, filter):
    assert parse(json, FIELDS) == filter
    assert parse(to_json(filter), FIELDS) == filter


@pytest.mark.parametrize(
    ("json", "value"),
    [
        ({"title": {"eq": ""}}, ""),
        ({"title": {"eq": "é\n\\%"}}, "é\n\\%"),
        ({"title": {"eq": "x" * 1000}}, "x" * 1000),
        ({"score": {"eq": 2**63 - 1}}, 2**63 - 1),
        ({"score": {"eq": -(2**63)}}, -(2**63)),
        ({"score": {"eq": "9" * 38}}, Decimal("9" * 38)),
        ({"score": {"eq": "0." + "0" * 37 + "1"}}, Decimal("1e-38")),
        ({"score": {"eq": Decimal("1e37")}}, Decimal("1e37")),
        ({"score": {"eq": 0.1}}, Decimal("0.1")),
        ({"score": {"eq": 123456789012345.0}}, 123456789012345),
        ({"score": {"eq": "-0.0"}}, 0),
        ({"score": {"eq": Decimal("0e999999")}}, 0),
        ({"score": {"eq": "-0.500"}}, Decimal("-0.5")),
        ({"createdAt": {"eq": "2026-03-02T13:00:00.000000+01:00"}}, NOON),
        ({"createdAt": {"eq": "2026-03-02 12:00:00Z"}}, NOON),
        ({"createdAt": {"eq": NOON.astimezone(TOKYO)}}, NOON),
        ({"closeOn": {"eq": "2028-02-29"}}, date(2028, 2, 29)),
        ({"closeOn": {"eq": date(2028, 2, 29)}}, date(2028, 2, 29)),
        ({"stage": {"eq": Stage.MQL}}, Stage.MQL),
        ({"stage": {"in": ["MQL", "SAL"]}}, (Stage.MQL, Stage.SAL)),
        ({"owner": {"eq": ANN_ID}}, ANN),
        ({"score": {"in": [3] * 1000}}, (3,) * 1000),
    ],
)
def test_a_value_has_one_form_however_it_was_written(json, value):
    criterion = parse(json, FIELDS)

    assert isinstance(criterion, Compare)
    assert (criterion.value, type(criterion.value)) == (value, type(value))
    assert parse(to_json(criterion), FIELDS) == criterion


def test_every_value_has_its_json_form():
    criterion = All(
        (
            compare(SCORE, "in", (1, Decimal("0.25"), Decimal("1e20"))),
            compare(CREATED_AT, "gte", (NOON + timedelta(microseconds=1)).astimezone(TOKYO)),
            compare(CLOSE_ON, "lt", date(2026, 4, 1)),
            compare(SUBSCRIBED, "eq", False),
            compare(OWNER, "ne", ANN),
            compare(SOURCE, "eq", Source.PAID),
            compare(TITLE, "isNull", False),
        )
    )

    assert to_json(criterion) == {
        "score": {"in": [1, "0.25", "100000000000000000000"]},
        "createdAt": {"gte": "2026-03-02T12:00:00.000001Z"},
        "closeOn": {"lt": "2026-04-01"},
        "subscribed": {"eq": False},
        "owner": {"ne": ANN_ID},
        "originSource": {"eq": "paid_search"},
        "title": {"isNull": False},
    }
    # Not a StrEnum that merely looks the same: a JSON writer must not need to know our enums.
    assert type(to_json(compare(SOURCE, "eq", Source.PAID))["originSource"]["eq"]) is str


def test_comparisons_that_share_a_key_keep_their_order_in_json():
    criterion = All(
        (compare(SCORE, "gt", 1), compare(TITLE, "eq", "x"), compare(SCORE, "lt", 9)),
    )

    assert to_json(criterion) == {
        "score": {"gt": 1},
        "title": {"eq": "x"},
        "and": [{"score": {"lt": 9}}],
    }


def test_no_json_form_is_deeper_than_the_one_that_was_read():
    deepest = nested(9, {"score": {"gt": 1}})
    json = {"and": [{"score": {"gt": 2}}, {"score": {"gt": 3}}], "or": [deepest, {}]}

    criterion = parse(json, FIELDS)

    assert parse(to_json(criterion), FIELDS) == criterion
