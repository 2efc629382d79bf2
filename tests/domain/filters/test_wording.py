"""How a filter reads, and how it explains itself."""

from __future__ import annotations

import pytest

from domain.filters import Explanation, describe, explain, parse
from tests.domain.filters.fields import A_LEAD, ANN_ID, BOB_ID, FIELDS, UNKNOWN


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
