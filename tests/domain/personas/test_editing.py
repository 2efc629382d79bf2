"""Personas are written, changed, ranked and archived."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import Invalid, PermissionDenied
from domain.events import PersonaChanged
from domain.filters import BadCriterion, parse
from domain.identity import Role
from domain.leads import LEAD_FIELDS
from domain.personas import (
    AssignLeads,
    Persona,
    PersonaArchived,
    PersonaDetails,
    PersonaVersion,
    TooManyComparisons,
    TooManyPersonas,
    acknowledge_persona,
    archive_persona,
    create_persona,
    update_persona,
)
from tests.domain.personas.building_personas import (
    HEADS,
    MIA,
    NOON,
    START,
    Assigning,
    a_persona,
    a_work,
    an_actor,
)


async def test_a_new_persona_is_its_first_version_and_takes_its_leads() -> None:
    assigning = Assigning()
    other = a_persona("Otto", 7)
    work = a_work(other, assigning=assigning)
    details = PersonaDetails(
        name=" Helga ",
        job_title="Head of IT",
        goals=["Sleep "],
        challenges=[],
        buying_questions=["What does it cost?"],
        criterion=HEADS,
    )

    made = await create_persona(work, MIA, details)

    assert made == Persona(
        id=made.id,
        name="Helga",
        job_title="Head of IT",
        goals=("Sleep",),
        challenges=(),
        buying_questions=("What does it cost?",),
        criterion=HEADS,
        rank=8,
        number=1,
        created_at=NOON,
        version=2,
    )
    [version] = await work.find(PersonaVersion)
    assert version == PersonaVersion(
        id=version.id,
        persona_id=made.id,
        number=1,
        name="Helga",
        job_title="Head of IT",
        goals=("Sleep",),
        challenges=(),
        buying_questions=("What does it cost?",),
        criterion=HEADS,
        changed_by=MIA.user_id,
        changed_at=NOON,
    )
    heads = parse(HEADS, LEAD_FIELDS)
    assert assigning.asked == [
        AssignLeads(rules=((other.id, heads), (made.id, heads)), after=START, limit=10_000)
    ]
    assert work.events == [PersonaChanged(at=NOON, by=MIA.user_id, persona_id=made.id)]


async def test_a_persona_without_a_criterion_leaves_the_leads_where_they_are() -> None:
    assigning = Assigning()
    work = a_work(assigning=assigning)

    made = await create_persona(work, MIA, PersonaDetails(name="Helga", job_title="Head of IT"))

    assert (made.criterion, made.criterion_text, assigning.asked) == (None, None, [])


async def test_other_words_are_a_new_version_and_move_no_lead() -> None:
    assigning = Assigning()
    persona = a_persona()
    work = a_work(persona, assigning=assigning)

    changed = await update_persona(
        work, MIA, persona.id, PersonaDetails(goals=["Sleep", "Fewer calls"])
    )

    assert changed == replace(persona, goals=("Sleep", "Fewer calls"), number=2, version=2)
    assert [version.number for version in await work.find(PersonaVersion)] == [2]
    assert assigning.asked == []


async def test_another_rank_moves_leads_and_is_no_new_version() -> None:
    assigning = Assigning()
    persona = a_persona()
    work = a_work(persona, assigning=assigning)

    changed = await update_persona(work, MIA, persona.id, PersonaDetails(rank=5))

    assert (changed.rank, changed.number, changed.is_assigning) == (5, 1, False)
    assert (await work.find(PersonaVersion), len(assigning.asked)) == ([], 1)


async def test_what_says_the_same_changes_nothing() -> None:
    persona = a_persona()
    work = a_work(persona)

    same = await update_persona(
        work, MIA, persona.id, PersonaDetails(name="Helga ", criterion=HEADS, rank=1)
    )

    assert same == persona
    assert (await work.find(PersonaVersion), work.events) == ([], [])


async def test_an_archived_persona_gives_its_leads_to_the_others() -> None:
    assigning = Assigning()
    persona, other = a_persona(), a_persona("Otto", 2)
    work = a_work(persona, other, assigning=assigning)

    archived = await archive_persona(work, MIA, persona.id)

    assert archived.archived_at == NOON
    assert [rule[0] for rule in assigning.asked[0].rules] == [other.id]


async def test_an_archived_persona_stays_as_it_is() -> None:
    persona = a_persona(archived_at=NOON)
    work = a_work(persona)

    with pytest.raises(PersonaArchived):
        await update_persona(work, MIA, persona.id, PersonaDetails(rank=5))
    with pytest.raises(PersonaArchived):
        await archive_persona(work, MIA, persona.id)
    with pytest.raises(PersonaArchived):
        await acknowledge_persona(work, MIA, persona.id, number=1)

    assert (await work.find(Persona), work.events) == ([persona], [])


@pytest.mark.parametrize(
    ("details", "path"),
    [
        (PersonaDetails(name=" "), ("name",)),
        (PersonaDetails(name="x" * 101), ("name",)),
        (PersonaDetails(job_title="a\x00b"), ("jobTitle",)),
        (PersonaDetails(goals=["x"] * 21), ("goals",)),
        (PersonaDetails(buying_questions=["why", ""]), ("buyingQuestions", 1)),
        (PersonaDetails(challenges=["x" * 501]), ("challenges", 0)),
        (PersonaDetails(rank=-1), ("rank",)),
        (PersonaDetails(rank=2**31 - 1), ("rank",)),
        (PersonaDetails(criterion={}), ("criterion",)),
        (PersonaDetails(criterion={"jobTitel": {"eq": "x"}}), ("criterion", "jobTitel")),
        # What depends on these would change without the lead being assigned anew.
        (PersonaDetails(criterion={"stage": {"eq": "MQL"}}), ("criterion", "stage")),
        (
            PersonaDetails(criterion={"not": {"personaId": {"isNull": True}}}),
            ("criterion", "not", "personaId"),
        ),
    ],
)
async def test_a_persona_that_cannot_be_is_refused(
    details: PersonaDetails, path: tuple[str | int, ...]
) -> None:
    persona = a_persona()
    work = a_work(persona)

    with pytest.raises(Invalid) as refused:
        await update_persona(work, MIA, persona.id, details)

    assert refused.value.path == path
    assert isinstance(refused.value, BadCriterion) is (path[0] == "criterion")
    assert (await work.find(Persona), work.events) == ([persona], [])


async def test_there_are_never_too_many_personas_to_try() -> None:
    work = a_work(*(a_persona(str(number), number) for number in range(100)))

    with pytest.raises(TooManyPersonas):
        await create_persona(work, MIA, PersonaDetails(name="One more", job_title="Clerk"))

    assert len(await work.find(Persona)) == 100


def a_long_criterion(count: int) -> dict[str, Any]:
    return {"or": [{"jobTitle": {"eq": f"job {number}"}} for number in range(count)]}


async def test_criteria_are_never_too_long_together() -> None:
    """Archived ones do not count, and what is changed counts as it will be."""
    work = a_work(
        a_persona("a", 1, criterion=a_long_criterion(200)),
        a_persona("b", 2, criterion=a_long_criterion(190)),
        a_persona("c", 3, criterion=a_long_criterion(5)),
        a_persona("d", 4, criterion=a_long_criterion(200), archived_at=NOON),
        assigning=Assigning(),
    )
    before = await work.find(Persona)
    new = PersonaDetails(name="New", job_title="Clerk", criterion=a_long_criterion(6))

    with pytest.raises(TooManyComparisons) as refused:
        await create_persona(work, MIA, new)
    longer = PersonaDetails(criterion=a_long_criterion(11))
    with pytest.raises(TooManyComparisons):
        await update_persona(work, MIA, before[2].id, longer)

    assert refused.value.path == ("criterion",)
    assert (await work.find(Persona), work.events) == (before, [])
    await update_persona(work, MIA, before[2].id, PersonaDetails(criterion=a_long_criterion(10)))


@pytest.mark.parametrize("role", [Role.ANALYST, Role.MEMBER])
async def test_only_managers_write_personas(role: Role) -> None:
    persona = a_persona()
    work, actor = a_work(persona), an_actor(role)

    with pytest.raises(PermissionDenied):
        await create_persona(work, actor, PersonaDetails(name="Helga", job_title="Clerk"))
    with pytest.raises(PermissionDenied):
        await update_persona(work, actor, persona.id, PersonaDetails(rank=5))
    with pytest.raises(PermissionDenied):
        await archive_persona(work, actor, persona.id)

    assert (await work.find(Persona), work.events) == ([persona], [])
