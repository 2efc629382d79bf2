"""What a resolver may reach: who asks, their tenant's work, and loaders that last one operation."""

from __future__ import annotations

from collections.abc import Awaitable, Hashable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from domain.errors import DomainError
from domain.identity import Actor
from domain.paging import Listing, ListingsOf, Page
from infra.database import Database, PostgresWork
from infra.live import Hub
from infra.services import Services


class Unauthenticated(DomainError):
    """Nobody is signed in, and this needs somebody."""

    code = "UNAUTHENTICATED"


@dataclass(slots=True)
class Context:
    """One operation's surroundings (or one event's, within a subscription)."""

    services: Services
    signed_in: Actor | None
    request_id: str = ""
    _loaders: dict[Hashable, Any] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        """Who asks.

        Raises:
            Unauthenticated: if nobody is signed in.
        """
        if self.signed_in is None:
            raise Unauthenticated("Sign in first, or send an API key.")
        return self.signed_in

    @property
    def database(self) -> Database:
        return self.services.database

    @property
    def live(self) -> Hub:
        return self.services.hub

    def work(self) -> AbstractAsyncContextManager[PostgresWork]:
        """Open a reading transaction of the actor's tenant."""
        return self.database.work(self.actor.tenant_id, read_only=True)

    def writing(self) -> AbstractAsyncContextManager[PostgresWork]:
        """Open a writing transaction of the actor's tenant."""
        return self.database.work(self.actor.tenant_id, by=self.actor.user_id)

    def fresh(self) -> Context:
        """Return the same surroundings with empty loaders, for the next event."""
        return Context(self.services, self.signed_in, self.request_id)

    def audience(self, field_name: str, shared: bool) -> Hashable:
        """Return what two subscribers must have in common to be shown the same events."""
        actor = self.actor
        permissions = tuple(sorted(actor.permissions))
        if shared:
            return (actor.tenant_id, permissions, actor.board_id)
        return (actor.tenant_id, permissions, actor.board_id, actor.user_id, actor.api_key_id)

    def load(self, kind: type, key: UUID) -> Awaitable[Any]:
        """Return an entity or None, read together with all others of its kind."""
        loader = self._loaders.get(kind)
        if loader is None:

            async def batch(keys: list[UUID]) -> Sequence[Any]:
                async with self.work() as work:
                    found: Sequence[Any] = await work.find(kind, id=keys)
                entities = {entity.id: entity for entity in found}
                return [entities.get(key) for key in keys]

            loader = self._loaders[kind] = DataLoader(load_fn=batch)
        loaded: Awaitable[Any] = loader.load(key)
        return loaded

    def load_listing(self, by: str, parent: UUID, listing: Listing[Any]) -> Awaitable[Page[Any]]:
        """Return the page of one parent's rows, read together with all other parents' pages."""
        shape = (listing.kind, by, listing.order, listing.page)
        loader = self._loaders.get(shape)
        if loader is None:

            async def batch(parents: list[UUID]) -> Sequence[Page[Any]]:
                question = ListingsOf(by=by, parents=tuple(parents), listing=listing)
                async with self.work() as work:
                    pages = await work.ask(question)
                return [pages[parent] for parent in parents]

            loader = self._loaders[shape] = DataLoader(load_fn=batch)
        loaded: Awaitable[Any] = loader.load(parent)
        return loaded

    def load_with(self, name: str, batch: Any, key: Hashable) -> Awaitable[Any]:
        """Return what a list-in, list-out function gives for a key, batched by its name.

        `batch(work, keys)` returns one value for each key, in order.
        """
        loader = self._loaders.get(name)
        if loader is None:

            async def run(keys: list[Hashable]) -> Sequence[Any]:
                async with self.work() as work:
                    result: Sequence[Any] = await batch(work, keys)
                return result

            loader = self._loaders[name] = DataLoader(load_fn=run)
        loaded: Awaitable[Any] = loader.load(key)
        return loaded


Info = strawberry.Info[Context, None]
