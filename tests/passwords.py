"""Passwords that are hashed in no time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from argon2 import Parameters
from argon2.low_level import Type

from infra.passwords import Passwords

PASSWORD = "tulips 4 everyone"
ANOTHER = "narcissi 4 nobody"
QUICK = Parameters(
    type=Type.ID, version=19, salt_len=16, hash_len=32, time_cost=1, memory_cost=64, parallelism=1
)


@pytest.fixture(scope="module")
def passwords() -> Iterator[Passwords]:
    with_threads = Passwords(QUICK)
    yield with_threads
    with_threads.close()
