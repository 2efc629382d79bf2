"""What a filter means."""

from __future__ import annotations

import pytest

from domain.filters import Not, explain, matches, normal_form, parse
from tests.domain.filters.fields import A_LEAD, FIELDS, NO, UNKNOWN, YES, Lead


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
