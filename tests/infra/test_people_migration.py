"""Companies and leads that were there before their names had a normal form."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg

from domain.ids import new_id
from infra.migrate import downgrade
from tests.infra.test_migrate import migrated

BEFORE, AFTER = "0016", "0017"


async def store(connection: Any, tenant: UUID, name: str, domain: str | None = None) -> UUID:
    """Store a company with a lead, as it was done before, and return the company's id."""
    company = new_id()
    await connection.execute(
        "INSERT INTO companies (tenant_id, id, name, domain, created_at, version)"
        " VALUES ($1, $2, $3, $4, now(), 1)",
        *(tenant, company, name, domain),
    )
    await connection.execute(
        "INSERT INTO leads (tenant_id, id, stage, stage_entered_at, created_at, updated_at, score,"
        " company_id, version) VALUES ($1, $2, 'VISITOR', now(), now(), now(), 0, $3, 1)",
        *(tenant, new_id(), company),
    )
    return company


async def test_companies_of_one_normal_name_become_one_and_nobody_loses_theirs(
    empty_database: str,
) -> None:
    await migrated(empty_database, revision=BEFORE)
    connection = await asyncpg.connect(empty_database)
    ours, theirs = new_id(), new_id()
    acme = await store(connection, ours, "ACME GmbH")
    await store(connection, ours, "Acmé")
    tools = await store(connection, ours, "Acme Tools")
    named = await store(connection, ours, "Acme", "acme.de")
    other = await store(connection, theirs, "acme")

    await migrated(empty_database, revision=AFTER)

    companies = await connection.fetch("SELECT tenant_id, id, normal_name FROM companies")
    leads = await connection.fetch("SELECT company_id, count(*) FROM leads GROUP BY company_id")
    forced = await connection.fetchval(
        "SELECT count(*) FROM pg_class WHERE relname IN ('companies', 'leads')"
        " AND relforcerowsecurity"
    )
    await connection.close()
    assert {tuple(row) for row in companies} == {
        (ours, acme, "acme"),
        (ours, tools, "acme tools"),
        (ours, named, "acme"),
        (theirs, other, "acme"),
    }
    assert {tuple(row) for row in leads} == {(acme, 2), (tools, 1), (named, 1), (other, 1)}
    assert forced == 2
    await downgrade(empty_database, revision=BEFORE)
