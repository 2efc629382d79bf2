"""Garbage is collected in short pauses."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterator

import pytest

from infra import pauses
from infra.pauses import SWITCH_SECONDS, SetAside, keep_pauses_short


class Thing:
    """What can be part of a cycle."""

    itself: Thing | None = None


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    thresholds, interval, callbacks = gc.get_threshold(), sys.getswitchinterval(), gc.callbacks[:]
    yield
    gc.callbacks[:] = callbacks
    gc.set_threshold(*thresholds)
    sys.setswitchinterval(interval)
    gc.unfreeze()


def test_what_survives_is_not_looked_at_again() -> None:
    keep_pauses_short()
    kept = [Thing() for _ in range(1_000)]
    gc.collect()

    assert gc.get_freeze_count() > len(kept)
    assert len(gc.get_objects()) < len(kept)


def test_garbage_is_still_found() -> None:
    keep_pauses_short()
    thing = Thing()
    thing.itself = thing
    watched = weakref.ref(thing)
    del thing
    gc.collect()

    assert watched() is None


def test_what_is_set_aside_is_freed_when_nobody_refers_to_it() -> None:
    keep_pauses_short()
    thing = Thing()
    watched = weakref.ref(thing)
    gc.collect()
    del thing

    assert watched() is None


def test_cycles_that_died_late_are_found_when_much_was_set_aside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pauses, "SPARE", 0)
    monkeypatch.setattr(pauses, "GROWTH", 0)
    monkeypatch.setattr(pauses, "COUNT_EVERY", 2)
    keep_pauses_short()
    thing = Thing()
    thing.itself = thing
    watched = weakref.ref(thing)
    gc.collect()
    del thing
    found = []
    for _ in range(4):
        gc.collect()
        found.append(watched() is None)

    assert found[-1]


def test_a_thread_gives_way_soon_and_twice_is_once() -> None:
    keep_pauses_short()
    keep_pauses_short()

    assert sys.getswitchinterval() == pytest.approx(SWITCH_SECONDS)
    assert sum(isinstance(each, SetAside) for each in gc.callbacks) == 1
