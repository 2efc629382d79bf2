"""Documents and figures that the tests of leads share."""

from __future__ import annotations

from typing import Any

from asyncpg import Connection

from domain.leads import Activity, Company, Lead, LeadExternalId
from domain.lifecycle import StageEntry

CREATE = """mutation($input: LeadCreateInput!) { leadCreate(input: $input) {
  lead { id email firstName score version company { name domain } externalIds { source value } }
  userErrors { __typename code message path
    ... on DuplicateLeadError { existing { id email } } }
}}"""
UPDATE = """mutation($input: LeadUpdateInput!) { leadUpdate(input: $input) {
  lead { id email firstName lastName score version owner { name } company { name } }
  userErrors { __typename code path
    ... on DuplicateLeadError { existing { id } }
    ... on StaleLeadError { current { id score version } } }
}}"""
UPSERT = """mutation($rows: [LeadRowInput!]!) { leadsUpsert(input: {rows: $rows}) {
  rows { index outcome lead { email score version }
    userErrors { code path elementIndex ... on DuplicateLeadError { existing { email } } } }
  userErrors { code path }
}}"""
LOG = """mutation($input: ActivityLogInput!) { activityLog(input: $input) {
  activity { kind agency answered occurredAt recordedAt text lead { id } user { name } }
  userErrors { code path }
}}"""
ONE = "query($ref: LeadRef!) { lead(ref: $ref) { id email } }"
LIST = """query($filter: LeadFilter, $order: [LeadOrder!], $first: Int, $after: String) {
  leads(filter: $filter, orderBy: $order, first: $first, after: $after) {
    nodes { email } totalCount pageInfo { hasNextPage endCursor } } }"""


async def created(world, **said) -> dict[str, Any]:
    data = await world.data(CREATE, {"input": said}, as_=world.marketer)
    assert data["leadCreate"]["userErrors"] == []
    lead: dict[str, Any] = data["leadCreate"]["lead"]
    return lead


async def everything(world) -> list[Any]:
    """Return all that this feature stores of a tenant, to see that nothing changed."""
    async with world.work() as work:
        kinds = (Lead, Company, LeadExternalId, Activity, StageEntry)
        return [list(await work.find(kind)) for kind in kinds]


def codes(answer, field):
    assert "errors" not in answer, answer
    return [(error["code"], error["path"]) for error in answer["data"][field]["userErrors"]]


class StatementCount:
    """Counts what a process sends to PostgreSQL, but for its pulse, which beats by itself."""

    def __init__(self) -> None:
        self.count = 0

    def of(self, monkeypatch):
        context = monkeypatch.context()
        patch = context.__enter__()
        for name in ("execute", "fetch", "fetchrow", "fetchval"):
            patch.setattr(Connection, name, self._counted(getattr(Connection, name)))
        return _Exit(context)

    def _counted(self, method):
        async def counted(*arguments, **more):
            self.count += arguments[1:2] != ("SELECT 1",)
            return await method(*arguments, **more)

        return counted


class _Exit:
    def __init__(self, context) -> None:
        self._context = context

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return self._context.__exit__(*error)
