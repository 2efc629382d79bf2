"""Sealing: nothing to read without the key, and nothing to move to another place."""

from __future__ import annotations

import pytest

from infra.sealing import sealed, unsealed

KEY = b"k" * 32


def test_what_is_sealed_is_opened_with_its_key():
    assert unsealed(sealed(b"a link", key=KEY, about=b"1"), key=KEY, about=b"1") == b"a link"


@pytest.mark.parametrize("place", [0, 12, -1])
def test_what_was_changed_is_not_opened(place):
    seal = bytearray(sealed(b"a link", key=KEY, about=b"1"))
    seal[place] ^= 1

    assert unsealed(bytes(seal), key=KEY, about=b"1") is None


@pytest.mark.parametrize(("key", "about"), [(bytes(32), b"1"), (KEY, b"2")])
def test_neither_another_key_opens_it_nor_another_place(key, about):
    assert unsealed(sealed(b"a link", key=KEY, about=b"1"), key=key, about=about) is None


def test_the_same_is_never_sealed_alike():
    assert sealed(b"a link", key=KEY, about=b"1") != sealed(b"a link", key=KEY, about=b"1")
