"""Refresh tokens: their shape, and the chain they form."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import new_id
from infra.refresh_tokens import MOST_STEPS, RefreshTokens, read
from infra.secrets import API_KEY, digest_of, new_secret

TENANT, SESSION = new_id(), new_id()
CHAIN = RefreshTokens(b"k" * 32)
FIRST = CHAIN.first(TENANT, SESSION)


def after(token, times, chain=CHAIN):
    for _ in range(times):
        token = chain.after(token)
    return token


def steps(token, to, chain=CHAIN):
    return chain.steps(token, generation=to.generation, digest=to.digest)


def test_a_token_can_be_told_by_its_shape_and_says_whose_session_it_is():
    assert re.fullmatch("smr_[0-9A-Za-z]{98}", FIRST.text)
    assert read(FIRST.text) == FIRST
    assert (FIRST.tenant_id, FIRST.session_id, FIRST.generation) == (TENANT, SESSION, 0)


def test_a_token_is_not_shown_by_accident():
    assert FIRST.text not in repr(FIRST)
    assert repr(FIRST.secret) not in repr(FIRST)


def test_every_session_begins_by_chance():
    assert len({CHAIN.first(TENANT, SESSION).text for _ in range(100)}) == 100


def test_what_follows_a_token_is_always_the_same_and_nobody_else_can_tell_it():
    assert CHAIN.after(FIRST) == RefreshTokens(b"k" * 32).after(FIRST)
    assert CHAIN.after(FIRST).secret != RefreshTokens(b"x" * 32).after(FIRST).secret
    assert CHAIN.after(FIRST).secret != CHAIN.after(replace(FIRST, session_id=new_id())).secret


@pytest.mark.parametrize("times", [0, 1, 2, 100])
def test_from_any_token_of_a_session_the_chain_leads_to_the_current_one(times):
    assert steps(FIRST, after(FIRST, times)) == times


@pytest.mark.parametrize(
    "made_up",
    [
        replace(FIRST, secret=b"x" * 32),
        replace(FIRST, session_id=new_id()),
        replace(FIRST, tenant_id=new_id()),
        replace(after(FIRST, 3), secret=b"x" * 32),
        replace(FIRST, generation=1),
        after(FIRST, 4),  # one that is not there yet
        replace(after(FIRST, 3), generation=2**32 - 1),
    ],
)
def test_a_token_that_was_made_up_leads_nowhere(made_up):
    assert steps(made_up, after(FIRST, 3)) is None


def test_a_token_of_before_the_service_had_another_secret_is_no_ancestor_any_more():
    other = RefreshTokens(b"x" * 32)
    current = CHAIN.after(FIRST)

    assert steps(current, current, chain=other) == 0
    assert steps(FIRST, current, chain=other) is None


def test_the_chain_is_not_followed_for_ever():
    too_far = FIRST.generation + MOST_STEPS + 1

    assert CHAIN.steps(FIRST, generation=too_far, digest="0" * 64) is None


@given(place=st.integers(4, len(FIRST.text) - 1), other=st.sampled_from("0aZ9-_é "))
def test_a_mistyped_token_is_noticed(place, other):
    typed = FIRST.text[:place] + other + FIRST.text[place + 1 :]

    assert read(typed) == (FIRST if typed == FIRST.text else None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "smr_",
        FIRST.text + "\n",
        " " + FIRST.text,
        FIRST.text.replace("smr", "smk"),
        FIRST.text * 100,
        new_secret(API_KEY).text,
        "smr_" + "z" * 98,
        "\ud800",
    ],
    ids=[
        *("empty", "prefix", "line end", "space", "another prefix", "repeated", "a key"),
        *("too large", "surrogate"),
    ],
)
def test_anything_else_is_no_refresh_token(text):
    assert read(text) is None


def test_a_refresh_token_is_no_key():
    assert digest_of(FIRST.text, prefix=API_KEY) is None
