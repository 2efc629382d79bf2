import hashlib
import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.secrets import API_KEY, BOARD_LINK, digest_of, new_secret

KEY = new_secret(API_KEY)


def test_a_secret_can_be_told_by_its_shape_and_is_kept_as_a_digest():
    assert re.fullmatch(r"smk_[0-9A-Za-z]{49}", KEY.text)
    assert KEY.digest == hashlib.sha256(KEY.text.encode()).hexdigest()
    assert digest_of(KEY.text, prefix=API_KEY) == KEY.digest


def test_a_scanner_can_check_a_find_without_asking_us():
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    checksum = 0
    for digit in KEY.text[-6:]:
        checksum = checksum * 62 + alphabet.index(digit)

    assert checksum == zlib.crc32(KEY.text[:-6].encode())


def test_secrets_differ():
    assert len({new_secret(API_KEY).text for _ in range(1000)}) == 1000


def test_a_secret_is_not_shown_by_accident():
    assert KEY.text not in repr(KEY)


def test_a_secret_for_one_thing_is_none_for_another():
    assert digest_of(KEY.text, prefix=BOARD_LINK) is None
    assert digest_of(KEY.text.replace("smk", "smb"), prefix=BOARD_LINK) is None


@given(place=st.integers(4, len(KEY.text) - 1), other=st.sampled_from("0aZ9-_é "))
def test_a_mistyped_secret_is_noticed_without_looking_it_up(place, other):
    typed = KEY.text[:place] + other + KEY.text[place + 1 :]

    assert digest_of(typed, prefix=API_KEY) == (KEY.digest if typed == KEY.text else None)


@pytest.mark.parametrize(
    "text",
    ["", "smk_", KEY.text + "\n", " " + KEY.text, KEY.text[:-1], KEY.text * 1000, "\ud800"],
    ids=["empty", "prefix", "line end", "space", "cut short", "repeated", "surrogate"],
)
def test_anything_else_is_no_secret(text):
    assert digest_of(text, prefix=API_KEY) is None


@pytest.mark.parametrize("prefix", ["", "a", "SMK", "s_k", "toolongprefix"])
def test_a_prefix_is_a_few_small_letters(prefix):
    with pytest.raises(ValueError, match="two to eight small letters"):
        new_secret(prefix)
