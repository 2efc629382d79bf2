"""Reads about hand-offs and their clocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import sqlalchemy as sa

from domain.handoff import Handoff, HandoffStatus
from domain.handoff_flow import Inbox
from domain.leads import Lead
from domain.routing import OpenHandoffCounts
from domain.sla.clocks import SlaClock
from domain.sla.keeping import DueLeads, LeadLocks
from infra.database import PostgresWork, rows_of
from infra.queries import answers
from infra.rows import table_of

handoffs = table_of(Handoff)
clocks = table_of(SlaClock)
leads = table_of(Lead)


@answers(OpenHandoffCounts)
async def open_handoff_counts(
    work: PostgresWork, question: OpenHandoffCounts
) -> Mapping[UUID, int]:
    """Return how many undecided hand-offs each user holds, by the index handoffs_unanswered."""
    owners = sa.literal(list(question.user_ids), sa.ARRAY(sa.Uuid))
    statement = (
        sa.select(handoffs.c.owner_id, sa.func.count())
        .where(
            handoffs.c.owner_id == sa.any_(owners),
            handoffs.c.status == HandoffStatus.OPEN.value,
        )
        .group_by(handoffs.c.owner_id)
    )
    return {row[0]: row[1] for row in await work.rows(statement)}


@answers(Inbox)
async def inbox(work: PostgresWork, question: Inbox) -> Sequence[Handoff]:
    """Return a user's open hand-offs and the unassigned ones of some teams, by what is due first.

    Uses the partial indexes handoffs_unanswered and handoffs_waiting, and the key of the leads.
    """
    teams = sa.literal(list(question.team_ids), sa.ARRAY(sa.Uuid))
    unassigned = sa.and_(handoffs.c.owner_id.is_(None), handoffs.c.to_team_id == sa.any_(teams))
    statement = (
        rows_of(Handoff)
        .select_from(handoffs.join(leads, leads.c.id == handoffs.c.lead_id))
        .where(
            ~leads.c.do_not_contact,
            handoffs.c.status == HandoffStatus.OPEN.value,
            sa.or_(handoffs.c.owner_id == question.user_id, unassigned),
        )
        .order_by(handoffs.c.due_at.nulls_last(), handoffs.c.handed_off_at, handoffs.c.id)
        .limit(question.limit)
    )
    return await work.fetch(Handoff, statement)


@answers(DueLeads)
async def due_leads(work: PostgresWork, question: DueLeads) -> Sequence[UUID]:
    """Return the leads of the clocks due longest, locked, leaving out what others hold.

    Reads the partial index sla_clocks_next from the low watermark on, so that dead entries below
    it are not walked over; at most `limit` clocks' leads.
    """
    statement = sa.select(clocks.c.lead_id, clocks.c.next_at).where(
        clocks.c.next_at.is_not(None), clocks.c.next_at <= question.before
    )
    if question.after is not None:
        statement = statement.where(clocks.c.next_at > question.after)
    rows = await work.rows(statement.order_by(clocks.c.next_at).limit(question.limit))
    ids = list(dict.fromkeys(row[0] for row in rows))
    if not ids:
        return []
    locked = (
        sa.select(leads.c.id)
        .where(leads.c.id == sa.any_(sa.literal(ids, sa.ARRAY(sa.Uuid))))
        .order_by(leads.c.id)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return [row[0] for row in await work.rows(locked)]


@answers(LeadLocks)
async def lead_locks(work: PostgresWork, question: LeadLocks) -> Mapping[UUID, Lead]:
    """Return leads by id, locked in the order of their ids."""
    wanted = sa.literal(list(question.ids), sa.ARRAY(sa.Uuid))
    statement = (
        rows_of(Lead)
        .where(leads.c.id == sa.any_(wanted))
        .order_by(leads.c.id)
        .with_for_update(key_share=True)
    )
    return {lead.id: lead for lead in await work.fetch(Lead, statement)}
