"""One history of stages where there were several."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.leads import Lead
from domain.lifecycle import StageEntry
from domain.merging.history import one_history, reached
from domain.stages import Stage

AT = datetime(2026, 3, 10, tzinfo=UTC)
V, P, L, M, S = Stage.VISITOR, Stage.PROSPECT, Stage.LEAD, Stage.MQL, Stage.SAL
Told = dict[int, Stage]


def lived(number: int, told: Told) -> tuple[Lead, list[StageEntry]]:
    """Return a lead that entered stages on some days."""
    steps, previous = [], None
    for day, stage in sorted(told.items()):
        at = AT + timedelta(days=day)
        id = UUID(int=number << 64 | day)
        steps.append(
            StageEntry(
                id=id,
                lead_id=UUID(int=number),
                stage=stage,
                previous=previous,
                entered_at=at,
                recorded_at=at,
            )
        )
        previous = stage
    last = steps[-1]
    lead = Lead(
        id=UUID(int=number),
        stage=last.stage,
        stage_entered_at=last.entered_at,
        created_at=AT,
        updated_at=AT,
    )
    return lead, steps


def joined(*lives: Told) -> tuple[list[tuple[int, Stage, Stage | None]], Stage, int]:
    leads, steps = zip(*(lived(n, told) for n, told in enumerate(lives, start=1)), strict=True)
    found = one_history(leads[0].id, leads, [step for each in steps for step in each])
    assert {entry.lead_id for entry in found.entries} == {leads[0].id}
    told = [((e.entered_at - AT).days, e.stage, e.previous) for e in found.entries]
    return told, found.stage, (found.entered_at - AT).days


@pytest.mark.parametrize(
    ("lives", "entries", "stage"),
    [
        # Side by side: what another had reached before is no step.
        (
            ({1: V, 3: L, 5: M}, {2: V, 4: L}),
            [(1, V, None), (3, L, V), (5, M, L)],
            M,
        ),
        # The furthest counts.
        (
            ({1: V, 8: L}, {2: V, 4: M}),
            [(1, V, None), (4, M, V)],
            M,
        ),
        # One falls back while the other is where it was: the person is not back.
        (
            ({1: V, 2: M, 6: L}, {3: V, 5: M}),
            [(1, V, None), (2, M, V)],
            M,
        ),
        # It falls back further than to where the other is: that is how far the person is.
        (
            ({1: V, 2: M, 6: V}, {3: V, 5: L}),
            [(1, V, None), (2, M, V), (6, L, M)],
            L,
        ),
        # What came back comes again.
        (
            ({1: V, 2: M, 6: L, 9: M}, {3: V}),
            [(1, V, None), (2, M, V), (6, L, M), (9, M, L)],
            M,
        ),
    ],
)
def test_the_person_had_come_as_far_as_the_furthest(
    lives: Sequence[Told], entries: list[tuple[int, Stage, Stage | None]], stage: Stage
) -> None:
    assert joined(*lives) == (entries, stage, entries[-1][0])


_lives = st.dictionaries(st.integers(0, 30), st.sampled_from(list(Stage)), min_size=1, max_size=6)


@given(st.lists(_lives, min_size=1, max_size=3))
def test_a_history_is_one_path_that_ends_where_the_person_is(lives: list[Told]) -> None:
    entries, stage, _ = joined(*lives)

    places = [None, *(entered for _, entered, _ in entries)]
    assert [previous for _, _, previous in entries] == places[:-1]
    assert all(before is not after for before, after in pairwise(places))
    assert places[-1] is stage


@given(_lives, _lives, _lives)
def test_it_does_not_matter_which_are_merged_first(one: Told, two: Told, three: Told) -> None:
    """Two at a time or all at once: what is counted of them is the same."""
    (a, a_steps), (b, b_steps), (c, c_steps) = (
        lived(n, told) for n, told in enumerate((one, two, three), start=1)
    )
    first = one_history(a.id, (a, b), [*a_steps, *b_steps])
    ab = Lead(
        id=a.id,
        stage=first.stage,
        stage_entered_at=first.entered_at,
        created_at=AT,
        updated_at=AT,
    )

    in_turn = one_history(a.id, (ab, c), [*first.entries, *c_steps])
    at_once = one_history(a.id, (a, b, c), [*a_steps, *b_steps, *c_steps])

    assert in_turn.stage is at_once.stage
    assert reached(in_turn.entries) == reached(at_once.entries)
