"""How many rows of a file are alike."""

from __future__ import annotations

from collections import Counter
from random import Random

from domain.fact_import.naming import said_print
from infra.importing.rows.alike import Alike


def test_rows_are_counted_as_a_plain_counter_counts_them() -> None:
    chance = Random(7)
    alike, plain = Alike(), Counter[int]()
    for _ in range(20_000):
        row = chance.randrange(8_000)
        assert alike.count(said_print(row)) == plain[row]
        plain[row] += 1


def test_a_print_of_nothing_but_noughts_is_counted_too() -> None:
    alike = Alike()
    assert [alike.count("0" * 32) for _ in range(3)] == [0, 1, 2]
