import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from api.transport.negotiation import ANSWERS, MediaType, content_type, preferred

JSON, GRAPHQL, EVENTS = ANSWERS


def accepting(*lines):
    return preferred(Headers(raw=[(b"accept", line.encode()) for line in lines]))


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/json", JSON),
        ("APPLICATION/JSON", JSON),
        ("application/graphql-response+json", GRAPHQL),
        ("text/event-stream", EVENTS),
        ("*/*", JSON),
        ("*", JSON),
        ("application/*", JSON),
        ("text/*", EVENTS),
        ("", JSON),
        ("application/json, application/graphql-response+json", JSON),
        ("application/graphql-response+json, application/json", GRAPHQL),
        ("application/graphql-response+json;q=0.9, application/json", JSON),
        ("application/json;q=0.5, */*;q=0.1", JSON),
        ("application/json;q=0, */*", GRAPHQL),
        ("application/json;q=0.2, application/*;q=0.9", GRAPHQL),
        ("text/html, */*;q=0.8", JSON),
        ("application/json; charset=utf-8", JSON),
        ('application/json; charset="UTF-8"', JSON),
        ("application/json; charset=latin-1", None),
        ('application/json; note="a, b;q=0"', JSON),
        ("application/json;q=2", None),
        ("application/json;q=nan", None),
        ("text/html", None),
        ("*/*;q=0", None),
    ],
)
def test_the_most_exact_range_says_the_weight_and_the_first_wins_a_tie(accept, expected):
    assert accepting(accept) == expected


def test_several_headers_are_one():
    assert accepting("text/html", "text/event-stream") is EVENTS


def test_no_header_means_json():
    assert preferred(Headers()) is JSON


@given(st.text(st.characters(max_codepoint=127)))
def test_whatever_is_accepted_there_is_an_answer(text):
    assert accepting(text) in {None, *MediaType}


@given(st.text())
def test_whatever_the_content_type_it_has_a_name(text):
    name, parameters = content_type(text)

    assert name == name.strip().lower()
    assert all(key == key.strip() for key in parameters)
