"""The filter language: what it accepts, what it means and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import pytest

from domain.filters import (
    All,
    AnyOf,
    BadCriterion,
    Comparator,
    Compare,
    Explanation,
    FieldType,
    FilterField,
    FilterFields,
    Not,
    describe,
    explain,
    matches,
    normal_form,
    parse,
    to_json,
)


class Stage(StrEnum):
    LEAD = "LEAD"
    MQL = "MQL"
    SAL = "SAL"
    SQL = "SQL"


class Source(StrEnum):
    PAID = "paid_search"
    ORGANIC = "organic"


def a_field(name, attribute, type, **more):
    return FilterField(name=name, attribute=attribute, type=type, description=name, **more)


TITLE = a_field("title", "title", FieldType.TEXT)
SCORE = a_field("score", "score", FieldType.NUMBER)
CREATED_AT = a_field("createdAt", "created_at", FieldType.INSTANT, label="creation")
CLOSE_ON = a_field("closeOn", "close_on", FieldType.DAY)
SUBSCRIBED = a_field("subscribed", "subscribed", FieldType.FLAG)
OWNER = a_field("owner", "owner_id", FieldType.ID, kind="User")
STAGE = a_field("stage", "stage", FieldType.CHOICE, choices=Stage, ordered=True)
SOURCE = a_field("originSource", "origin_source", FieldType.CHOICE, choices=Source)
FIELDS = FilterFields(
    "lead", [TITLE, SCORE, CREATED_AT, CLOSE_ON, SUBSCRIBED, OWNER, STAGE, SOURCE]
)

ANN = UUID("01920000-0000-7000-8000-00000000000a")
BOB = UUID("01920000-0000-7000-8000-00000000000b")
ANN_ID = f"user_{ANN.hex}"
BOB_ID = f"user_{BOB.hex}"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TOKYO = timezone(timedelta(hours=9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    title: str | None = None
    score: int | Decimal | None = None
    created_at: datetime | None = None
    close_on: date | None = None
    subscribed: bool | None = None
    owner_id: UUID | None = None
    stage: Stage | None = None
    origin_source: Source | None = None


A_LEAD = Lead(
    title="VP Sales 50%",
    score=50,
    created_at=NOON,
    close_on=date(2026, 3, 31),
    subscribed=True,
    owner_id=ANN,
    stage=Stage.SAL,
    origin_source=Source.PAID,
)
UNKNOWN = Lead()


def compare(field, op, value):
    return Compare(field, Comparator(op), value)


def nested(levels, innermost):
    """Return a filter of that many levels of objects."""
    return innermost if levels == 1 else {"not": nested(levels - 1, innermost)}


# What holds of A_LEAD, and what does not.
YES = [
    {"title": {"eq": "VP Sales 50%"}},
    {"title": {"ne": "vp sales 50%"}},
    {"title": {"in": ["CEO", "VP Sales 50%"]}},
    {"title": {"notIn": ["CEO", "vp sales 50%"]}},
    {"title": {"contains": "p sAL"}},
    {"title": {"contains": "0%"}},
    {"title": {"startsWith": "vP s"}},
    {"title": {"endsWith": "ES 50%"}},
    {"title": {"isNull": False}},
    {"score": {"eq": 50}},
    {"score": {"eq": "50.0"}},
    {"score": {"ne": 49}},
    {"score": {"lt": "50.01"}},
    {"score": {"lte": 50}},
    {"score": {"gt": 49.5}},
    {"score": {"gte": 50}},
    {"score": {"in": [1, 50]}},
    {"score": {"notIn": [1, 2]}},
    {"createdAt": {"eq": "2026-03-02T13:00:00+01:00"}},
    {"createdAt": {"lt": "2026-03-02T12:00:00.000001Z"}},
    {"createdAt": {"lte": "2026-03-02T12:00:00Z"}},
    {"createdAt": {"gt": "2026-03-02T11:59:59.999999Z"}},
    {"createdAt": {"gte": "2026-03-02t12:00:00z"}},
    {"closeOn": {"eq": "2026-03-31"}},
    {"closeOn": {"lt": "2026-04-01"}},
    {"closeOn": {"gte": "2026-03-31"}},
    {"subscribed": {"eq": True}},
    {"owner": {"eq": ANN_ID}},
    {"owner": {"ne": BOB_ID}},
    {"owner": {"in": [BOB_ID, ANN_ID]}},
    {"owner": {"notIn": [BOB_ID]}},
    {"stage": {"eq": "SAL"}},
    {"stage": {"ne": "MQL"}},
    {"stage": {"lt": "SQL"}},
    {"stage": {"lte": "SAL"}},
    {"stage": {"gt": "MQL"}},
    {"stage": {"gte": "SAL"}},
    {"originSource": {"in": ["organic", "paid_search"]}},
    {"title": {"notIn": []}},
    {"score": {"gte": 50, "lt": 51}, "stage": {"eq": "SAL"}},
    {"and": [{"score": {"eq": 50}}, {"stage": {"eq": "SAL"}}]},
    {"or": [{"score": {"eq": 51}}, {"stage": {"eq": "SAL"}}]},
    {"not": {"score": {"eq": 51}}},
    {"not": {"score": {"eq": 50}, "stage": {"eq": "MQL"}}},
    {"not": {"not": {"score": {"eq": 50}}}},
    {},
]
NO = [
    {"title": {"eq": "vp Sales 50%"}},
    {"title": {"ne": "VP Sales 50%"}},
    {"title": {"in": ["CEO", "vp sales 50%"]}},
    {"title": {"notIn": ["CEO", "VP Sales 50%"]}},
    {"title": {"contains": "V%S"}},
    {"title": {"contains": "_"}},
    {"title": {"startsWith": "sales"}},
    {"title": {"endsWith": "vp"}},
    {"title": {"isNull": True}},
    {"score": {"eq": "50.1"}},
    {"score": {"ne": "50.0"}},
    {"score": {"lt": 50}},
    {"score": {"lte": "49.99"}},
    {"score": {"gt": 50}},
    {"score": {"gte": "50.01"}},
    {"score": {"in": [1, 2]}},
    {"score": {"notIn": [1, 50]}},
    {"createdAt": {"lt": "2026-03-02T12:00:00Z"}},
    {"createdAt": {"lte": "2026-03-02T11:59:59.999999Z"}},
    {"createdAt": {"gt": "2026-03-02T12:00:00Z"}},
    {"createdAt": {"gte": "2026-03-02T12:00:00.000001Z"}},
    {"closeOn": {"gt": "2026-03-31"}},
    {"closeOn": {"lte": "2026-03-30"}},
    {"subscribed": {"eq": False}},
    {"owner": {"eq": BOB_ID}},
    {"stage": {"lt": "SAL"}},
    {"stage": {"lt": "LEAD"}},
    {"stage": {"lte": "MQL"}},
    {"stage": {"gt": "SAL"}},
    {"stage": {"gt": "SQL"}},
    {"stage": {"gte": "SQL"}},
    {"title": {"in": []}},
    {"score": {"gte": 50, "lt": 50}},
    {"score": {"eq": 50}, "stage": {"eq": "MQL"}},
    {"and": [{"score": {"eq": 50}}, {"stage": {"eq": "MQL"}}]},
    {"or": [{"score": {"eq": 51}}, {"stage": {"eq": "MQL"}}]},
    {"not": {"score": {"eq": 50}}},
    {"not": {}},
]


@pytest.mark.parametrize(
    ("json", "matched"), [*((json, True) for json in YES), *((json, False) for json in NO)]
)
def test_a_lead_matches_what_is_true_of_it(json, matched):
    criterion = parse(json, FIELDS)

    assert matches(criterion, A_LEAD) is matched
    assert matches(Not(criterion), A_LEAD) is not matched
    assert matches(normal_form(Not(criterion)), A_LEAD) is not matched
    assert explain(criterion, A_LEAD).matched is matched
    assert explain(Not(criterion), A_LEAD).matched is not matched


@pytest.mark.parametrize("json", [*YES, *NO])
def test_the_json_form_of_a_filter_is_read_as_the_same_filter(json):
    criterion = parse(json, FIELDS)

    assert parse(to_json(criterion), FIELDS) == criterion


@pytest.mark.parametrize(
    ("json", "matched"),
    [
        ({"score": {"eq": 50}}, False),
        ({"score": {"ne": 50}}, True),
        ({"score": {"lt": 50}}, False),
        ({"score": {"lte": 50}}, False),
        ({"score": {"gt": 50}}, False),
        ({"score": {"gte": 50}}, False),
        ({"score": {"in": [50]}}, False),
        ({"score": {"notIn": [50]}}, True),
        ({"score": {"isNull": True}}, True),
        ({"score": {"isNull": False}}, False),
        ({"not": {"score": {"lt": 50}}}, True),
        ({"title": {"contains": "x"}}, False),
        ({"title": {"startsWith": "n"}}, False),
        ({"title": {"endsWith": "e"}}, False),
        ({"not": {"title": {"contains": "x"}}}, True),
        ({"stage": {"gte": "LEAD"}}, False),
        ({"not": {"stage": {"gte": "LEAD"}}}, True),
        ({"subscribed": {"eq": False}}, False),
        ({"not": {"subscribed": {"eq": False}}}, True),
        ({"score": {"lt": 50}, "title": {"isNull": True}}, False),
    ],
)
def test_a_missing_value_is_unlike_any_other_and_nothing_else(json, matched):
    criterion = parse(json, FIELDS)

    assert matches(criterion, UNKNOWN) is matched
    assert matches(normal_form(criterion), UNKNOWN) is matched
    assert matches(normal_form(Not(criterion)), UNKNOWN) is not matched
    assert explain(criterion, UNKNOWN).matched is matched


def test_only_a_to_z_are_matched_in_either_case():
    # The capital of i is I here and İ in Turkey; the Kelvin sign is the capital of k to Unicode.
    assert matches(parse({"title": {"contains": "HINK"}}, FIELDS), Lead(title="think"))
    for title, part in (("ÉCOLE", "école"), ("\u212a2", "k2"), ("straße", "SS"), ("İ", "i")):
        assert not matches(parse({"title": {"contains": part}}, FIELDS), Lead(title=title))


def test_a_mapping_by_attribute_matches_as_the_thing_does():
    criterion = parse({"originSource": {"eq": "paid_search"}}, FIELDS)

    assert matches(criterion, {"origin_source": "paid_search"})
    assert not matches(criterion, {"origin_source": "organic"})


def test_an_attribute_that_does_not_exist_is_our_fault_and_not_a_missing_value():
    with pytest.raises(AttributeError):
        matches(parse({"score": {"isNull": True}}, FIELDS), object())
    with pytest.raises(KeyError):
        matches(parse({"score": {"isNull": True}}, FIELDS), {})


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


@pytest.mark.parametrize(
    ("json", "text"),
    [
        ({}, "anything"),
        ({"not": {}}, "nothing"),
        ({"score": {"gte": 50, "lt": "90.5"}}, "score is at least 50 and score is less than 90.5"),
        ({"score": {"lte": 5}}, "score is at most 5"),
        ({"score": {"gt": 5}}, "score is more than 5"),
        ({"score": {"eq": 5}}, "score is 5"),
        ({"score": {"ne": 5}}, "score is not 5"),
        ({"score": {"in": [1, 2, 3]}}, "score is one of 1, 2 or 3"),
        ({"score": {"in": [1]}}, "score is 1"),
        ({"score": {"in": []}}, "score is one of no values"),
        ({"score": {"notIn": [1, 2]}}, "score is not one of 1 or 2"),
        ({"score": {"isNull": True}}, "score is missing"),
        ({"score": {"isNull": False}}, "score is not missing"),
        ({"title": {"eq": 'the "x"'}}, 'title is "the \\"x\\""'),
        ({"title": {"contains": "ß"}}, 'title contains "ß"'),
        ({"title": {"startsWith": "a"}}, 'title starts with "a"'),
        ({"title": {"endsWith": "a"}}, 'title ends with "a"'),
        (
            {"createdAt": {"lt": "2026-03-02T12:00:00Z"}},
            "creation is before 2026-03-02 12:00:00 UTC",
        ),
        (
            {"createdAt": {"lte": "2026-03-02T12:00:00.5Z"}},
            "creation is at or before 2026-03-02 12:00:00.500000 UTC",
        ),
        (
            {"createdAt": {"gt": "2026-03-02T12:00:00Z"}},
            "creation is after 2026-03-02 12:00:00 UTC",
        ),
        (
            {"createdAt": {"gte": "2026-03-02T12:00:00Z"}},
            "creation is at or after 2026-03-02 12:00:00 UTC",
        ),
        ({"closeOn": {"lt": "2026-03-01"}}, "close on is before 2026-03-01"),
        ({"closeOn": {"lte": "2026-03-01"}}, "close on is on or before 2026-03-01"),
        ({"closeOn": {"gt": "2026-03-01"}}, "close on is after 2026-03-01"),
        ({"closeOn": {"gte": "2026-03-01"}}, "close on is on or after 2026-03-01"),
        ({"stage": {"lt": "SAL"}}, "stage is earlier than SAL"),
        ({"stage": {"lte": "SAL"}}, "stage is SAL or earlier"),
        ({"stage": {"gt": "SAL"}}, "stage is later than SAL"),
        ({"stage": {"gte": "SAL"}}, "stage is SAL or later"),
        ({"originSource": {"ne": "paid_search"}}, "origin source is not paid_search"),
        ({"subscribed": {"eq": False}}, "subscribed is no"),
        ({"owner": {"eq": ANN_ID}}, f"owner is {ANN_ID}"),
        (
            {"stage": {"eq": "MQL"}, "or": [{"score": {"gt": 1, "lt": 5}}, {"not": {}}, {}]},
            (
                "stage is MQL and ((score is more than 1 and score is less than 5) or nothing"
                " or anything)"
            ),
        ),
        ({"not": {"score": {"eq": 5}}}, "score is not 5"),
        ({"not": {"score": {"ne": 5}}}, "score is 5"),
        ({"not": {"score": {"in": [5, 6]}}}, "score is not one of 5 or 6"),
        ({"not": {"score": {"isNull": True}}}, "score is not missing"),
        ({"not": {"not": {"score": {"gt": 5}}}}, "score is more than 5"),
        ({"not": {"score": {"gt": 5}}}, "score is missing or is not more than 5"),
        (
            {"not": {"title": {"contains": "a"}, "subscribed": {"eq": True}}},
            '(title is missing or does not contain "a") or (subscribed is missing or is not yes)',
        ),
        (
            {"not": {"or": [{"score": {"eq": 1}}, {"stage": {"eq": "SAL"}}]}},
            "score is not 1 and stage is not SAL",
        ),
    ],
)
def test_a_criterion_reads_as_a_sentence_both_teams_can_sign(json, text):
    assert describe(parse(json, FIELDS)) == text


@pytest.mark.parametrize(
    ("json", "sentence"),
    [
        ({"score": {"gte": 60}}, "score is 50, but must be at least 60"),
        ({"score": {"gte": 40}}, "score is 50, which is at least 40"),
        ({"score": {"eq": 50}}, "score is 50, as required"),
        ({"score": {"ne": 50}}, "score is 50, but must not be 50"),
        ({"score": {"ne": 51}}, "score is 50, which is not 51"),
        ({"score": {"in": [1, 2]}}, "score is 50, but must be one of 1 or 2"),
        ({"score": {"isNull": True}}, "score is 50, but must be missing"),
        ({"score": {"isNull": False}}, "score is 50, which is not missing"),
        (
            {"score": {"in": list(range(20))}},
            "score is 50, but must be one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 or 10 others",
        ),
        (
            {"score": {"in": list(range(10))}},
            "score is 50, but must be one of 0, 1, 2, 3, 4, 5, 6, 7, 8 or 9",
        ),
        ({"title": {"contains": "CEO"}}, 'title is "VP Sales 50%", but must contain "CEO"'),
        ({"title": {"startsWith": "vp"}}, 'title is "VP Sales 50%", which starts with "vp"'),
        (
            {"not": {"title": {"endsWith": "50%"}}},
            'title is "VP Sales 50%", but must not end with "50%"',
        ),
        ({"not": {"score": {"lt": 50}}}, "score is 50, which is not less than 50"),
        ({"not": {"score": {"lt": 51}}}, "score is 50, but must not be less than 51"),
        ({"owner": {"eq": BOB_ID}}, f"owner is {ANN_ID}, but must be {BOB_ID}"),
        ({"stage": {"gte": "SQL"}}, "stage is SAL, but must be SQL or later"),
        ({"score": {"gte": 1, "lt": 9, "gt": 77}, "stage": {"eq": "SAL"}},
         "score is 50, but must be less than 9; score is 50, but must be more than 77"),
        ({"score": {"gte": 1}, "stage": {"eq": "SAL"}},
         "score is 50, which is at least 1; stage is SAL, as required"),
        ({"or": [{"score": {"eq": 1}}, {"stage": {"eq": "SAL"}}]}, "stage is SAL, as required"),
        ({"or": [{"score": {"eq": 1}}, {"stage": {"eq": "MQL"}}]},
         "none of these holds: score is 50, but must be 1; stage is SAL, but must be MQL"),
        ({}, "anything matches"),
        ({"not": {}}, "nothing matches"),
    ],
)  # fmt: skip
def test_an_explanation_says_what_is_and_what_must_be(json, sentence):
    assert explain(parse(json, FIELDS), A_LEAD).sentence == sentence


def test_a_missing_value_is_called_missing():
    def sentence(json):
        return explain(parse(json, FIELDS), UNKNOWN).sentence

    assert sentence({"score": {"gte": 50}}) == "score is missing, but must be at least 50"
    assert sentence({"score": {"isNull": True}}) == "score is missing, as required"
    assert sentence({"score": {"isNull": False}}) == "score is missing, but must not be missing"
    assert sentence({"score": {"ne": 5}}) == "score is missing, which is not 5"


def test_an_explanation_goes_down_to_each_comparison():
    criterion = parse({"score": {"gte": 60}, "not": {"stage": {"eq": "MQL"}}}, FIELDS)

    assert explain(criterion, A_LEAD) == Explanation(
        matched=False,
        sentence="score is 50, but must be at least 60",
        children=(
            Explanation(
                matched=False,
                sentence="score is 50, but must be at least 60",
                field="score",
                actual="50",
            ),
            Explanation(
                matched=True,
                sentence="stage is SAL, which is not MQL",
                field="stage",
                actual="SAL",
            ),
        ),
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Score"},
        {"name": "origin_source"},
        {"name": "and"},
        {"type": FieldType.CHOICE},
        {"choices": Stage},
        {"type": FieldType.ID},
        {"kind": "Lead"},
        {"type": FieldType.ID, "kind": "Nobody"},
        {"ordered": True},
    ],
)
def test_a_field_that_makes_no_sense_cannot_be_declared(wrong):
    plain = {"name": "score", "attribute": "score", "type": FieldType.NUMBER, "description": ""}
    FilterField(**plain)
    with pytest.raises(ValueError, match=r"\w"):
        FilterField(**plain | wrong)


def test_two_fields_of_one_name_cannot_be_declared():
    with pytest.raises(ValueError, match="two fields of a lead have the same name"):
        FilterFields("lead", [SCORE, SCORE])


def test_fields_are_found_by_name_and_know_what_they_are_called():
    assert list(FIELDS.names) == [
        "title",
        "score",
        "createdAt",
        "closeOn",
        "subscribed",
        "owner",
        "stage",
        "originSource",
    ]
    assert [field.name for field in FIELDS] == list(FIELDS.names)
    assert FIELDS.get("originSource") is SOURCE
    assert FIELDS.get("origin_source") is None
    assert (SOURCE.label, CREATED_AT.label) == ("origin source", "creation")


@pytest.mark.parametrize(
    ("field", "op", "value"),
    [(TITLE, "gt", "x"), (SOURCE, "lt", Source.PAID), (SCORE, "in", 1), (SCORE, "eq", (1,))],
)
def test_code_cannot_build_a_comparison_that_no_request_could_make(field, op, value):
    with pytest.raises(ValueError, match=field.name):
        compare(field, op, value)


def test_code_cannot_build_a_choice_of_nothing():
    with pytest.raises(ValueError, match="an empty choice never holds"):
        AnyOf(())
