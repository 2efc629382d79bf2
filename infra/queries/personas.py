"""Reads about personas, and the assigning of leads to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from domain.identity import User
from domain.leads import Lead
from domain.personas import (
    AssignLeads,
    LeadsByStage,
    OutstandingReaders,
    Persona,
    PersonaAcknowledgement,
    WhoHasYetToRead,
)
from domain.scoring import MarkDue
from domain.stages import Stage
from infra.database import PostgresWork
from infra.filters import where
from infra.queries import answers
from infra.queries.batches import last_of_batch
from infra.rows import columns_of, reader_of, table_of

leads = table_of(Lead)
personas = table_of(Persona)
acknowledgements = table_of(PersonaAcknowledgement)
users = table_of(User)


@answers(LeadsByStage)
async def leads_by_stage(
    work: PostgresWork, question: LeadsByStage
) -> Mapping[UUID, Mapping[Stage, int]]:
    """Return how many leads of each stage belong to each persona; stages without any are left out.

    Reads nothing but the index leads_by_persona.
    """
    statement = (
        sa.select(leads.c.persona_id, leads.c.stage, sa.func.count())
        .where(leads.c.persona_id == sa.any_(_ids(question.persona_ids)))
        .group_by(leads.c.persona_id, leads.c.stage)
    )
    found: dict[UUID, dict[Stage, int]] = {key: {} for key in question.persona_ids}
    for persona_id, stage, number in await work.rows(statement):
        found[persona_id][Stage(stage)] = number
    return found


@answers(WhoHasYetToRead)
async def who_has_yet_to_read(
    work: PostgresWork, question: WhoHasYetToRead
) -> Mapping[UUID, OutstandingReaders]:
    """Return the active users without an acknowledgement of the current version, by name.

    Uses the unique index persona_acknowledgements_once; archived personas are nobody's to read.
    """
    acknowledged = (
        sa.select(sa.literal(1))
        .where(
            acknowledgements.c.tenant_id == work.tenant_id,
            acknowledgements.c.persona_id == personas.c.id,
            acknowledgements.c.user_id == users.c.id,
            acknowledgements.c.number == personas.c.number,
        )
        .exists()
    )
    waiting = (
        sa.select(
            *columns_of(User),
            personas.c.id.label("persona_id"),
            sa.func.count().over(partition_by=personas.c.id).label("number"),
            sa.func.row_number()
            .over(partition_by=personas.c.id, order_by=[users.c.name, users.c.id])
            .label("place"),
        )
        .select_from(sa.join(personas, users, sa.true()))
        .where(
            personas.c.tenant_id == work.tenant_id,
            users.c.tenant_id == work.tenant_id,
            personas.c.id == sa.any_(_ids(question.persona_ids)),
            personas.c.archived_at.is_(None),
            users.c.active,
            ~acknowledged,
        )
        .subquery()
    )
    first = sa.select(waiting).where(waiting.c.place <= question.most)
    read, counts = reader_of(User), dict.fromkeys(question.persona_ids, 0)
    found: dict[UUID, list[User]] = {key: [] for key in question.persona_ids}
    for row in await work.rows(first.order_by(waiting.c.persona_id, waiting.c.place)):
        persona_id = row[-3]
        counts[persona_id] = row[-2]
        found[persona_id].append(read(row))
    return {
        key: OutstandingReaders(count=counts[key], users=found[key]) for key in question.persona_ids
    }


@answers(AssignLeads)
async def assign_leads(work: PostgresWork, question: AssignLeads) -> UUID | None:
    """Give the next leads by id to the first persona they match; return the last one looked at.

    Walks the primary key, and locks only leads that go elsewhere, in the order of their ids as
    everybody locks them.  Their version goes up, so that a copy read before is not saved over it;
    their edition stays, so that nobody's edit is stale for it.
    """
    last = await last_of_batch(work, leads, after=question.after, limit=question.limit)
    belongs = _persona_of(question)
    picked = sa.select(leads.c.id, belongs).where(
        leads.c.id > question.after, leads.c.persona_id.is_distinct_from(belongs)
    )
    if last is not None:
        picked = picked.where(leads.c.id <= last)
    picked = picked.order_by(leads.c.id).with_for_update(key_share=True)
    moved: dict[UUID | None, list[UUID]] = {}
    for lead_id, persona_id in await work.rows(picked):
        moved.setdefault(persona_id, []).append(lead_id)
    for persona_id, lead_ids in moved.items():
        await work.execute(
            sa.update(leads)
            .where(leads.c.id == sa.any_(_ids(lead_ids)))
            .values(
                persona_id=persona_id,
                version=leads.c.version + 1,
                derived=leads.c.derived + 1,
            )
        )
    # How well a lead fits may follow from its persona: the worker scores it anew.
    if everybody := tuple(lead_id for lead_ids in moved.values() for lead_id in lead_ids):
        await work.ask(MarkDue(lead_ids=everybody, at=work.now))
    return last


def _persona_of(question: AssignLeads) -> sa.ColumnElement[Any]:
    """Return the expression for the persona a lead belongs to."""
    nobody = sa.null().cast(sa.Uuid)
    if not question.rules:
        return nobody
    rules = [(where(rule, leads.c), sa.literal(id, sa.Uuid)) for id, rule in question.rules]
    return sa.case(*rules, else_=nobody)


def _ids(ids: Sequence[UUID]) -> sa.BindParameter[Any]:
    return sa.literal(list(ids), sa.ARRAY(sa.Uuid))
