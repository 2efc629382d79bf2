"""What a resolver may reach: who asks, their tenant's work, and loaders that last one operation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from domain.audit import SYSTEM, Cause
from domain.errors import DomainError
from domain.identity import Actor
from domain.lead_intake import current_leads
from domain.leads import Lead
from domain.paging import Listing, ListingsOf, Page
from domain.ports import by_id
from infra.accounts import Accounts
from infra.database import Database, PostgresWork
from infra.first_run import FirstRun
from infra.invitations import Invitations
from infra.live import Hub
from infra.password_resets import PasswordResets
from infra.pool import told_lost
from infra.refusals import told_refusals
from infra.secrets import SITE_KEY, new_secret
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
    cause: Cause = SYSTEM
    _loaders: dict[Hashable, Any] = field(default_factory=dict)
    _shared: SharedWork | None = None

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
        """Open a reading transaction of the actor's tenant, or use the one that is shared."""
        if self._shared is not None and not self._shared.taken:
            return self._shared.use()
        return self._alone()

    def _alone(self) -> AbstractAsyncContextManager[PostgresWork]:
        return self.database.work(self.actor.tenant_id, read_only=True)

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """Let the reads of the block share one transaction, begun by the first.

        One connection runs one statement after the other: who comes while it is taken gets a
        transaction of his own, so nobody waits for anybody.
        """
        async with AsyncExitStack() as stack:
            self._shared = SharedWork(self._alone, stack)
            try:
                yield
            finally:
                self._shared = None

    def writing(self) -> AbstractAsyncContextManager[PostgresWork]:
        """Open a writing transaction of the actor's tenant."""
        cause = self.cause.by(self.actor)
        return self.database.work(self.actor.tenant_id, by=self.actor.user_id, cause=cause)

    def act(self, action: str) -> None:
        """Have the audit log say that what is written from here on is done by this action."""
        self.cause = self.cause.doing(action)

    @property
    def accounts(self) -> Accounts:
        """Who may sign in, and what lets them; it writes as all of this operation does."""
        return replace(self.services.accounts, writing=lambda _: self.writing(), cause=self.cause)

    @property
    def invitations(self) -> Invitations:
        """How people come in."""
        return replace(self.services.invitations, accounts=self.accounts)

    @property
    def password_resets(self) -> PasswordResets:
        """How people who have lost their password get in again."""
        return replace(self.services.password_resets, cause=self.cause)

    @property
    def first_run(self) -> FirstRun:
        """How the installation gets its first tenant."""
        return replace(self.services.first_run, accounts=self.accounts)

    @property
    def script_url(self) -> str:
        """Where pages get the script that sends beacons."""
        return f"{self.services.settings.public_url}/t.js"

    def new_site_key(self) -> str:
        """Return a key for the pages of a web site."""
        return new_secret(SITE_KEY).text

    def fresh(self) -> Context:
        """Return the same surroundings with empty loaders, for the next event."""
        return Context(self.services, self.signed_in, self.request_id, self.cause)

    def forget(self) -> None:
        """Let go of what was read: the loaders are part of cycles, which are freed late."""
        self._loaders.clear()

    def over(self, database: Database) -> Context:
        """Return the same surroundings, which read and write through another database."""
        services = self.services.over(database)
        return replace(self, services=services, _loaders={}, _shared=None)

    def audience(self, field_name: str, shared: bool) -> Hashable:
        """Return what two subscribers must have in common to be shown the same events."""
        from api.errors import SHARED  # which needs this module

        if self.signed_in is None:
            return None
        actor = self.signed_in
        permissions = tuple(sorted(actor.permissions))
        if shared and field_name in SHARED:
            return (actor.tenant_id, permissions, actor.board_id)
        return (actor.tenant_id, permissions, actor.board_id, actor.user_id, actor.api_key_id)

    def load(self, kind: type, key: UUID) -> Awaitable[Any]:
        """Return an entity or None, read together with all others of its kind."""
        loader = self._loaders.get(kind)
        if loader is None:
            loader = self._loaders[kind] = DataLoader(load_fn=partial(self.load_many, kind))
        loaded: Awaitable[Any] = loader.load(key)
        return loaded

    async def load_many(self, kind: type, keys: Sequence[UUID | None]) -> list[Any]:
        """Return the entity of each key, or None, read in one statement.

        What tells of a lead that was merged, such as the log, tells of the lead that it is part of.
        """
        wanted = list({key for key in keys if key is not None})
        if not wanted:
            return [None] * len(keys)
        async with self.work() as work:
            if kind is Lead:
                entities: dict[UUID, Any] = dict(
                    zip(wanted, await current_leads(work, wanted), strict=True)
                )
            else:
                entities = by_id(await work.find(kind, id=wanted))
        return [None if key is None else entities.get(key) for key in keys]

    def load_listing(self, by: str, parent: UUID, listing: Listing[Any]) -> Awaitable[Page[Any]]:
        """Return the page of one parent's rows, read together with all other parents' pages."""
        if listing.equals or listing.filter is not None:
            raise ValueError("a relation's rows differ by their parent alone")
        shape = (listing.kind, by, listing.order, listing.page)
        loader = self._loaders.get(shape)
        if loader is None:
            loader = DataLoader(load_fn=partial(self.load_listings, by, listing))
            self._loaders[shape] = loader
        loaded: Awaitable[Any] = loader.load(parent)
        return loaded

    async def load_listings(
        self, by: str, listing: Listing[Any], parents: Sequence[UUID]
    ) -> list[Page[Any]]:
        """Return the page of each parent's rows, read in one statement."""
        question = ListingsOf(by=by, parents=tuple(dict.fromkeys(parents)), listing=listing)
        async with self.work() as work:
            pages = await work.ask(question)
        return [pages[parent] for parent in parents]

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


class SharedWork:
    """A transaction that several reads use, one after the other."""

    def __init__(
        self, begin: Callable[[], AbstractAsyncContextManager[PostgresWork]], stack: AsyncExitStack
    ) -> None:
        self.taken = False
        self._begin = begin
        self._stack = stack
        self._work: PostgresWork | None = None

    @asynccontextmanager
    async def use(self) -> AsyncIterator[PostgresWork]:
        """Take the transaction for a block, beginning it if need be."""
        self.taken = True
        try:
            if self._work is None:
                self._work = await self._stack.enter_async_context(self._begin())
            with told_lost(self._work.connection), told_refusals():
                yield self._work
        finally:
            self.taken = False


Info = strawberry.Info[Context, None]
