"""Moving whatever belongs to leads, and taking it away whole, for merges."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from domain.leads import Lead
from domain.merging import LeadsToMerge, MoveRows, PutRows, TakeRows
from infra.database import PostgresWork, rows_of
from infra.queries import answers
from infra.rows import table_of

leads = table_of(Lead)


@answers(LeadsToMerge)
async def leads_to_merge(work: PostgresWork, question: LeadsToMerge) -> Mapping[UUID, Lead]:
    """Return leads by id, locked in the order of their ids.

    The lock is the strongest, other than everywhere else: with it nobody adds a row that refers
    to a lead which is about to go.
    """
    wanted = sa.literal(list(question.ids), sa.ARRAY(sa.Uuid))
    statement = (
        rows_of(Lead).where(leads.c.id == sa.any_(wanted)).order_by(leads.c.id).with_for_update()
    )
    return {lead.id: lead for lead in await work.fetch(Lead, statement)}


@answers(MoveRows)
async def move_rows(work: PostgresWork, question: MoveRows) -> tuple[UUID, ...]:
    """Point rows elsewhere, their versions going up, so that no copy read before is saved over.

    By the kind's index on the column, which every list of what belongs to a lead has.
    """
    text = _move_text(question.kind, question.column, question.only is not None)
    values: list[Any] = [work.tenant_id, question.to_id, question.from_id]
    if question.only is not None:
        values.append(list(question.only))
    return tuple(sorted(row[0] for row in await work.connection.fetch(text, *values)))


@answers(TakeRows)
async def take_rows(work: PostgresWork, question: TakeRows) -> tuple[str, ...]:
    """Delete rows and return each as the database spells it, in the order of what it says."""
    name = table_of(question.kind).name
    rows = await work.connection.fetch(
        f'DELETE FROM {name} WHERE tenant_id = $1 AND "{question.column}" = ANY($2::uuid[])'
        f" RETURNING to_jsonb({name})::text",
        work.tenant_id,
        list(question.values),
    )
    return tuple(sorted(row[0] for row in rows))


@answers(PutRows)
async def put_rows(work: PostgresWork, question: PutRows) -> None:
    """Insert rows as the database spelt them; the policy lets no other tenant's in.

    Columns that the table did not have then get what is usual for them.
    """
    table = table_of(question.kind)
    spelt = orjson.loads(question.rows[0])
    names = ", ".join(f'"{column.name}"' for column in table.c if column.name in spelt)
    still = " AND ".join(
        f'EXISTS (SELECT 1 FROM leads l WHERE l.tenant_id = $1 AND l.id = r."{column}")'
        for column in question.about
    )
    await work.connection.execute(
        f"INSERT INTO {table.name} ({names}) SELECT {names}"
        f" FROM jsonb_populate_recordset(NULL::{table.name}, $2::text::jsonb) r"
        f" WHERE r.tenant_id = $1{f' AND {still}' if still else ''}",
        work.tenant_id,
        f"[{','.join(question.rows)}]",
    )


@cache
def _move_text(kind: type, column: str, some: bool) -> str:
    table = table_of(kind)
    version = ', "version" = "version" + 1' if "version" in table.c else ""
    only = ' AND "id" = ANY($4::uuid[])' if some else ""
    return (
        f'UPDATE {table.name} SET "{column}" = $2{version}'
        f' WHERE tenant_id = $1 AND "{column}" = $3{only} RETURNING "id"'
    )
