"""Which persona a lead belongs to, and how many are assigned at once."""

from __future__ import annotations

from typing import Any

import pytest

from domain.ids import new_id
from domain.personas import Persona, assign_leads, persona_for
from tests.domain.personas.building_personas import (
    HEADS,
    MIA,
    NOON,
    START,
    Assigning,
    a_lead,
    a_persona,
    a_work,
)

# --- Which persona a lead belongs to


@pytest.mark.parametrize(
    ("known", "name"),
    [
        ({"job_title": "Head of IT"}, "first"),  # both match: the lower rank
        ({"job_title": "Subheading"}, "first"),
        ({"country": "DE"}, "second"),
        ({}, None),
    ],
)
async def test_the_lowest_rank_that_matches_takes_the_lead(
    known: dict[str, Any], name: str | None
) -> None:
    personas = [
        a_persona("second", 2, criterion={"or": [HEADS, {"country": {"eq": "DE"}}]}),
        a_persona("first", 1),
        a_persona("of nobody", 0, criterion=None),
        a_persona("archived", 0, archived_at=NOON),
    ]
    work = a_work(*personas)

    found = await persona_for(work, a_lead(**known))

    assert found == next((each.id for each in personas if each.name == name), None)


# --- Assigning in batches


async def test_a_batch_goes_on_where_the_last_one_ended() -> None:
    middle, changed_later = new_id(), a_persona("Otto", 2, assigning_after=START)
    persona = a_persona(assigning_after=new_id())
    assigning = Assigning(last=middle)
    work = a_work(persona, changed_later, assigning=assigning)

    more = await assign_leads(work, MIA, limit=50)

    assert more is True
    # What changed last wants all leads; what changed before is done once those are.
    assert (assigning.asked[0].after, assigning.asked[0].limit) == (START, 50)
    assert {each.assigning_after for each in await work.find(Persona)} == {middle}

    assigning.last = None
    assert await assign_leads(work, MIA) is False
    assert assigning.asked[1].after == middle
    assert {each.assigning_after for each in await work.find(Persona)} == {None}


async def test_nothing_is_assigned_when_nothing_has_changed() -> None:
    assigning = Assigning()
    work = a_work(a_persona(), assigning=assigning)

    assert await assign_leads(work, MIA) is False
    assert assigning.asked == []
