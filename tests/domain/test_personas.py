from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.errors import DomainError, Invalid, NotFound, PermissionDenied
from domain.events import PersonaChanged
from domain.filters import BadCriterion, parse
from domain.identity import ROLE_PERMISSIONS, Actor, Role
from domain.ids import new_id
from domain.leads import LEAD_FIELDS, Lead
from domain.personas import (
    AssignLeads,
    NotCurrent,
    Persona,
    PersonaAcknowledgement,
    PersonaArchived,
    PersonaDetails,
    PersonaVersion,
    TooManyComparisons,
    TooManyPersonas,
    acknowledge_persona,
    archive_persona,
    assign_leads,
    create_persona,
    persona_for,
    update_persona,
)
from domain.stages import Stage
from tests.fakes import FakeWork

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
START = UUID(int=0)
HEADS = {"jobTitle": {"contains": "head"}}


def an_actor(role: Role = Role.MANAGER, *, key: bool = False) -> Actor:
    return Actor(
        tenant_id=new_id(),
        user_id=None if key else new_id(),
        permissions=ROLE_PERMISSIONS[role],
        role=role,
    )


MIA = an_actor()


def a_persona(name: str = "Helga", rank: int = 1, **more: Any) -> Persona:
    known: dict[str, Any] = {
        "job_title": "Head of IT",
        "goals": ("Sleep",),
        "challenges": (),
        "buying_questions": (),
        "criterion": HEADS,
    }
    return Persona(
        id=new_id(), name=name, rank=rank, number=1, created_at=NOON, **{**known, **more}
    )


def a_lead(**more: Any) -> Lead:
    return Lead(
        id=new_id(),
        stage=Stage.LEAD,
        stage_entered_at=NOON,
        created_at=NOON,
        updated_at=NOON,
        **more,
    )


class Assigning:
    """Answers the question as a table of leads would, and remembers it."""

    def __init__(self, last: UUID | None = None) -> None:
        self.asked: list[AssignLeads] = []
        self.last = last

    def __call__(self, question: AssignLeads) -> UUID | None:
        self.asked.append(question)
        return self.last


def a_work(
    *entities: Any, assigning: Callable[[AssignLeads], UUID | None] | None = None
) -> FakeWork:
    return FakeWork(NOON, *entities, answers={AssignLeads: assigning or Assigning()})


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


# --- Writing


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


# --- Acknowledging


async def test_a_user_acknowledges_the_current_version_once() -> None:
    persona = a_persona()
    work, ana = a_work(persona), an_actor(Role.ANALYST)

    said = await acknowledge_persona(work, ana, persona.id, number=1)
    again = await acknowledge_persona(work, ana, persona.id, number=1)

    assert again == said
    assert await work.find(PersonaAcknowledgement) == [
        PersonaAcknowledgement(
            id=said.id,
            persona_id=persona.id,
            user_id=ana.user_id,  # type: ignore[arg-type]  # Ana is a user
            number=1,
            acknowledged_at=NOON,
        )
    ]


@pytest.mark.parametrize(
    ("actor", "number", "refusal"),
    [
        (MIA, 0, NotCurrent),
        (MIA, 2, NotCurrent),
        (an_actor(key=True), 1, PermissionDenied),
    ],
)
async def test_only_people_acknowledge_and_only_what_they_can_have_read(
    actor: Actor, number: int, refusal: type[DomainError]
) -> None:
    persona = a_persona()
    work = a_work(persona)

    with pytest.raises(refusal):
        await acknowledge_persona(work, actor, persona.id, number=number)

    assert (await work.find(PersonaAcknowledgement), work.events) == ([], [])


async def test_an_unknown_persona_is_not_found() -> None:
    work = a_work()

    with pytest.raises(NotFound):
        await acknowledge_persona(work, MIA, new_id(), number=1)
