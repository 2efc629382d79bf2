"""Which persona a lead belongs to, when the lead changes and when the personas do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from domain.filters import Filter, matches, parsed
from domain.identity import Actor, Permission
from domain.leads import LEAD_FIELDS, Lead
from domain.personas.cards import Persona, in_order
from domain.ports import Question, Work

# What one transaction assigns anew: half a second's work at worst, for which those leads wait.
BATCH = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignLeads(Question[UUID | None]):
    """Give the next leads, by id, to the first persona they match, or to none.

    It is told as a question because it is one statement over rows nobody needs to see.  The
    answer is the last lead that was looked at, None when there are no more.
    """

    rules: tuple[tuple[UUID, Filter], ...]
    after: UUID
    limit: int


async def persona_for(work: Work, lead: Lead) -> UUID | None:
    """Return the persona that a lead belongs to: the first by rank whose criterion it meets."""
    for persona_id, criterion in _rules(await work.find(Persona, archived_at=None)):
        if matches(criterion, lead):
            return persona_id
    return None


async def assign_leads(work: Work, actor: Actor, *, limit: int = BATCH) -> bool:
    """Assign the next leads that wait for it since personas changed; say whether more are left.

    Each batch is a transaction of its own, and what is done is kept with the personas: whoever
    comes next goes on from there, so that a stopped process loses nothing.
    """
    actor.require(Permission.EDIT_PERSONAS)
    personas = await work.find(Persona, lock=True)
    changed = [each for each in personas if each.assigning_after is not None]
    if not changed:
        return False
    last = await work.ask(
        AssignLeads(
            rules=_rules(each for each in personas if each.archived_at is None),
            after=min(each.assigning_after for each in changed if each.assigning_after is not None),
            limit=limit,
        )
    )
    await work.save_all([replace(each, assigning_after=last) for each in changed])
    return last is not None


def _rules(personas: Iterable[Persona]) -> tuple[tuple[UUID, Filter], ...]:
    return tuple(
        (persona.id, parsed(persona.criterion, LEAD_FIELDS))
        for persona in in_order(personas)
        if persona.criterion is not None
    )
