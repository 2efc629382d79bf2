"""Writing personas, and reading them: each change is a version that everybody reads anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from domain.events import PersonaChanged
from domain.identity import Actor, Permission, User
from domain.ids import new_id
from domain.personas.assigning import assign_leads
from domain.personas.cards import (
    FIRST,
    MOST_PERSONAS,
    NotCurrent,
    Persona,
    PersonaAcknowledgement,
    PersonaArchived,
    PersonaDetails,
    TooManyPersonas,
    reads_the_same,
    require_few_comparisons,
    told,
    version_of,
)
from domain.ports import Question, Work, first
from domain.stages import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadsByStage(Question[Mapping[UUID, Mapping[Stage, int]]]):
    """How many leads of each stage belong to each of some personas."""

    persona_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutstandingReaders:
    """The active users who have yet to acknowledge the current version of a persona.

    There are `count` of them, and `users` are the first by name.
    """

    count: int
    users: Sequence[User]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoHasYetToRead(Question[Mapping[UUID, OutstandingReaders]]):
    """Who has yet to acknowledge each of some personas, by name and at most `most` of them."""

    persona_ids: tuple[UUID, ...]
    most: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCount:
    """How many leads are at a stage."""

    stage: Stage
    count: int


async def create_persona(work: Work, actor: Actor, details: PersonaDetails) -> Persona:
    """Write a new persona, the last one tried without a rank, and assign the leads it takes."""
    actor.require(Permission.EDIT_PERSONAS)
    others = await work.find(Persona, archived_at=None)
    if len(others) >= MOST_PERSONAS:
        raise TooManyPersonas
    blank = Persona(
        id=new_id(),
        name="",
        job_title="",
        goals=(),
        challenges=(),
        buying_questions=(),
        criterion=None,
        rank=1 + max((other.rank for other in others), default=0),
        number=1,
        created_at=work.now,
    )
    persona = told(blank, details)
    if persona.criterion is not None:
        require_few_comparisons([*others, persona])
        persona = replace(persona, assigning_after=FIRST)
    await work.add(persona)
    return await _changed(work, actor, persona, new_version=True)


async def update_persona(
    work: Work, actor: Actor, persona_id: UUID, details: PersonaDetails
) -> Persona:
    """Change a persona.  Other words or another criterion make a new version of it.

    Raises:
        PersonaArchived: if it is no longer in use.
        TooManyComparisons: if all criteria together get too long.
    """
    actor.require(Permission.EDIT_PERSONAS)
    persona = await _in_use(work, persona_id)
    changed = told(persona, details)
    if changed == persona:
        return persona
    new_version = not reads_the_same(persona, changed)
    if new_version:
        changed = replace(changed, number=persona.number + 1)
    if changed.criterion != persona.criterion:
        others = await work.find(Persona, archived_at=None)
        require_few_comparisons([changed, *(one for one in others if one.id != changed.id)])
    if (changed.criterion, changed.rank) != (persona.criterion, persona.rank):
        changed = replace(changed, assigning_after=FIRST)
    return await _changed(work, actor, await work.save(changed), new_version=new_version)


async def archive_persona(work: Work, actor: Actor, persona_id: UUID) -> Persona:
    """Take a persona out of use.  Its leads go to the next persona that they match, or to none."""
    actor.require(Permission.EDIT_PERSONAS)
    persona = await _in_use(work, persona_id)
    archived = replace(persona, archived_at=work.now, assigning_after=FIRST)
    return await _changed(work, actor, await work.save(archived), new_version=False)


async def acknowledge_persona(
    work: Work, actor: Actor, persona_id: UUID, *, number: int
) -> PersonaAcknowledgement:
    """Say that one has read the current version of a persona.  Once said, it is said.

    Raises:
        NotCurrent: if `number` is not the current version.
    """
    actor.require(Permission.ACKNOWLEDGE_PERSONAS)
    user_id = actor.require_user()
    persona = await _in_use(work, persona_id)
    if number != persona.number:
        raise NotCurrent(persona)
    said = await first(
        work, PersonaAcknowledgement, persona_id=persona.id, user_id=user_id, number=number
    )
    if said is not None:
        return said
    acknowledgement = await work.add(
        PersonaAcknowledgement(
            id=new_id(),
            persona_id=persona.id,
            user_id=user_id,
            number=number,
            acknowledged_at=work.now,
        )
    )
    work.record(PersonaChanged(at=work.now, by=user_id, persona_id=persona.id))
    return acknowledgement


async def _in_use(work: Work, persona_id: UUID) -> Persona:
    persona = await work.get(Persona, persona_id, lock=True)
    if persona.archived_at is not None:
        raise PersonaArchived
    return persona


async def _changed(work: Work, actor: Actor, persona: Persona, *, new_version: bool) -> Persona:
    """Keep the version, tell, and assign the first leads at once: most tenants have no more."""
    if new_version:
        await work.add(version_of(persona, by=actor.user_id, at=work.now))
    work.record(PersonaChanged(at=work.now, by=actor.user_id, persona_id=persona.id))
    if not persona.is_assigning:
        return persona
    await assign_leads(work, actor)
    return await work.get(Persona, persona.id)
