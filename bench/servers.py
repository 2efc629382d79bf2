"""The servers that `list` compares, each an application of its own for uvicorn.

All of them read the same rows of the same tenant in a transaction of that tenant, under row-level
security, and give the same JSON.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig
from typing_extensions import override

import api.stages  # noqa: F401  # declares the enum Stage
from api.engine import Engine
from api.types import SCALARS
from domain.ids import public
from domain.paging import write_cursor
from domain.stages import Stage
from infra.database import open_pool

DOCUMENT = """
query Leads { leads(first: 50) {
  nodes {
    id email firstName lastName originSource score stage createdAt
    owner { id name email }
    company { id name domain }
  }
  pageInfo { hasNextPage endCursor }
} }
"""
_LEAD = "id, email, first_name, last_name, origin_source, score, stage, created_at"
_PAGE = f"""
SELECT {_LEAD}, owner_id, company_id FROM leads WHERE tenant_id = $1
ORDER BY created_at DESC, id DESC LIMIT $2
"""
_USERS = "SELECT id, name, email FROM users WHERE tenant_id = $1 AND id = ANY($2::uuid[])"
_COMPANIES = "SELECT id, name, domain FROM companies WHERE tenant_id = $1 AND id = ANY($2::uuid[])"
_JOINED = """
SELECT l.id, l.email, l.first_name, l.last_name, l.origin_source, l.score, l.stage, l.created_at,
       u.id, u.name, u.email, c.id, c.name, c.domain
FROM leads l
LEFT JOIN users u ON u.tenant_id = l.tenant_id AND u.id = l.owner_id
LEFT JOIN companies c ON c.tenant_id = l.tenant_id AND c.id = l.company_id
WHERE l.tenant_id = $1 ORDER BY l.created_at DESC, l.id DESC LIMIT $2
"""


class Rows:
    """The tenant of the environment, read in transactions of its own."""

    def __init__(self) -> None:
        self.tenant = UUID(os.environ["BENCH_TENANT"])
        self._pool: asyncpg.Pool | None = None

    async def __call__(self, statement: str, *values: Any) -> Sequence[Any]:
        if self._pool is None:
            self._pool = await open_pool(os.environ["APP_DATABASE_URL"], size=10)
        async with self._pool.acquire() as connection:
            await connection.execute(f"BEGIN READ ONLY; SELECT app.enter('{self.tenant}')")
            rows: Sequence[Any] = await connection.fetch(statement, self.tenant, *values)
            await connection.execute("COMMIT")
            return rows


# Ours, without the compiled queries


def ours_on_graphql_core() -> Any:
    """Return our application, every query executed by graphql-core."""
    from api import app

    app.Engine = partial(Engine, compiled=False)  # type: ignore[assignment, attr-defined]  # for comparison
    return app.from_environment()


# Stock Strawberry


@strawberry.type(name="User")
class UserType:
    id: strawberry.ID
    name: str
    email: str


@strawberry.type(name="Company")
class CompanyType:
    id: strawberry.ID
    name: str
    domain: str | None


@strawberry.type(name="Lead")
class LeadType:
    id: strawberry.ID
    email: str | None
    first_name: str | None
    last_name: str | None
    origin_source: str | None
    score: int
    stage: Stage
    created_at: datetime
    owner_id: strawberry.Private[UUID | None]
    company_id: strawberry.Private[UUID | None]

    @strawberry.field
    async def owner(self, info: strawberry.Info) -> UserType | None:
        return self.owner_id and await info.context["users"].load(self.owner_id)  # type: ignore[return-value]

    @strawberry.field
    async def company(self, info: strawberry.Info) -> CompanyType | None:
        return self.company_id and await info.context["companies"].load(self.company_id)  # type: ignore[return-value]


@strawberry.type(name="PageInfo")
class PageInfoType:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type(name="LeadConnection")
class LeadConnectionType:
    nodes: list[LeadType]
    page_info: PageInfoType


@strawberry.type(name="Query")
class QueryType:
    @strawberry.field
    async def leads(self, info: strawberry.Info, first: int = 25) -> LeadConnectionType:
        rows = await info.context["rows"](_PAGE, first + 1)
        nodes = [
            LeadType(
                id=strawberry.ID(public("Lead", row[0])),
                email=row[1],
                first_name=row[2],
                last_name=row[3],
                origin_source=row[4],
                score=row[5],
                stage=Stage(row[6]),
                created_at=row[7],
                owner_id=row[8],
                company_id=row[9],
            )
            for row in rows[:first]
        ]
        page_info = PageInfoType(has_next_page=len(rows) > first, end_cursor=_cursor(rows, first))
        return LeadConnectionType(nodes=nodes, page_info=page_info)


def _cursor(rows: Sequence[Any], first: int) -> str:
    last = rows[min(first, len(rows)) - 1]
    return write_cursor([last[7].isoformat(), str(last[0])])


def _loader(
    rows: Rows, statement: str, make: Callable[[Any], Any]
) -> Callable[[list[UUID]], Awaitable[list[Any]]]:
    async def load(keys: list[UUID]) -> list[Any]:
        found = {row[0]: make(row) for row in await rows(statement, keys)}
        return [found.get(key) for key in keys]

    return load


def stock() -> Any:
    """Return Strawberry as its documentation has it, with its caches on."""
    rows = Rows()

    class Endpoint(GraphQL[Any, Any]):
        @override
        async def get_context(self, request: Any, response: Any) -> Any:
            def user(row: Any) -> UserType:
                return UserType(id=strawberry.ID(public("User", row[0])), name=row[1], email=row[2])

            def company(row: Any) -> CompanyType:
                return CompanyType(
                    id=strawberry.ID(public("Company", row[0])), name=row[1], domain=row[2]
                )

            return {
                "rows": rows,
                "users": DataLoader(load_fn=_loader(rows, _USERS, user)),
                "companies": DataLoader(load_fn=_loader(rows, _COMPANIES, company)),
            }

        @override
        def encode_json(self, data: object) -> bytes:
            return orjson.dumps(data)

    schema = strawberry.Schema(
        query=QueryType,
        extensions=[ParserCache, ValidationCache],
        config=StrawberryConfig(scalar_map=dict(SCALARS)),
    )
    return _application(Endpoint(schema))


# By hand


def by_hand() -> Any:
    """Return an application that writes this one answer from one joined statement."""
    rows = Rows()

    async def answer(request: Request) -> Response:
        await request.body()
        found = await rows(_JOINED, 51)
        nodes = [_node(row) for row in found[:50]]
        page_info = {"hasNextPage": len(found) > 50, "endCursor": _cursor(found, 50)}
        data = {"leads": {"nodes": nodes, "pageInfo": page_info}}
        body = orjson.dumps({"data": data}, option=orjson.OPT_UTC_Z)
        return Response(body, media_type="application/json")

    return _application(answer)


def _node(row: Any) -> dict[str, Any]:
    return {
        "id": "lead_" + row[0].hex,
        "email": row[1],
        "firstName": row[2],
        "lastName": row[3],
        "originSource": row[4],
        "score": row[5],
        "stage": row[6],
        "createdAt": row[7],
        "owner": row[8] and {"id": "user_" + row[8].hex, "name": row[9], "email": row[10]},
        "company": row[11] and {"id": "company_" + row[11].hex, "name": row[12], "domain": row[13]},
    }


def _application(endpoint: Any) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield

    return Starlette(routes=[Route("/graphql", endpoint, methods=["POST"])], lifespan=lifespan)
