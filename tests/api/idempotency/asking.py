"""A client that sends mutations under keys, and what there is afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from domain.identity import Role, SignedIn, User, update_user
from domain.ids import new_id
from domain.leads import Lead
from infra.accounts import Accounts
from tests.api.sites import Site, accounts_of, key_of
from tests.passwords import PASSWORD
from tests.world import World, enter_directory

CREATE = """mutation Create($input: LeadCreateInput!) { leadCreate(input: $input) {
  lead { id email owner { name } } userErrors { code } } }"""
UPDATE = """mutation($input: LeadUpdateInput!) { leadUpdate(input: $input) {
  lead { id version } userErrors { code } } }"""


class Client:
    """Sends mutations as an API key of a tenant."""

    def __init__(self, http: httpx.AsyncClient, secret: str | None) -> None:
        self._http = http
        self._headers = {"authorization": f"Bearer {secret}"} if secret else {}

    async def send(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        key: str | None = "key-1",
        **more: str,
    ) -> httpx.Response:
        headers = {**self._headers, **{name.replace("_", "-"): text for name, text in more.items()}}
        if key is not None:
            headers["idempotency-key"] = key
        body = {"query": query, "variables": variables or {}}
        return await self._http.post("/graphql", json=body, headers=headers)

    async def create(self, email: str = "ada@acme.example", **more: Any) -> httpx.Response:
        return await self.send(CREATE, {"input": {"email": email}}, **more)


@asynccontextmanager
async def a_client(
    site: Site, world: World | None, role: Role = Role.ADMIN
) -> AsyncIterator[Client]:
    secret = await key_of(site, world, role) if world else None
    async with httpx.AsyncClient(base_url=site.url, timeout=60) as http:
        yield Client(http, secret)


async def emails(world: World) -> list[str | None]:
    async with world.work() as work:
        return sorted(str(lead.email) for lead in await work.find(Lead))


async def kept(world: World) -> int:
    async with world.work() as work:
        return int(await work.connection.fetchval("SELECT count(*) FROM idempotency_keys"))


def codes(response: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in response.json()["errors"]]


@dataclass
class Person:
    """Somebody who signs in, and whose part can change."""

    accounts: Accounts
    world: World
    user: User

    async def sign_in(self) -> SignedIn:
        return await self.accounts.sign_in(email=self.user.email, password=PASSWORD)

    async def become(self, role: Role) -> None:
        async with self.world.work() as work:
            await update_user(work, self.world.actor(), self.user.id, role=role)


async def a_person(site: Site, world: World, role: Role) -> Person:
    """Return somebody of a tenant that people can sign in to."""
    await enter_directory(world)
    accounts = accounts_of(site.settings, world)
    user = await accounts.add_user(
        world.actor(),
        email=f"bo-{new_id().hex}@acme.example",
        name="Bo",
        role=role,
        password=PASSWORD,
    )
    return Person(accounts, world, user)
