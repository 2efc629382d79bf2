"""Which fields and comparisons can be declared at all."""

from __future__ import annotations

import pytest

from domain.filters import AnyOf, FieldType, FilterField, FilterFields
from tests.domain.filters.fields import (
    CREATED_AT,
    FIELDS,
    SCORE,
    SOURCE,
    TITLE,
    Source,
    Stage,
    compare,
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
