"""The edge of one process: its bounds from the settings, and what keeps them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from starlette.requests import HTTPConnection

from api.auth import Session
from api.engine import Engine, ErrorCode, Limits
from api.transport import (
    Crowd,
    CrowdLimits,
    Gate,
    HttpSettings,
    SocketSettings,
    StreamSettings,
    Who,
    address_of,
)
from api.transport.body import Refused
from api.transport.gate import Terms
from api.transport.paying import Payer
from api.transport.sessions import Session as AnySession
from domain.identity import Actor, Permission
from infra.cost_buckets import CostBuckets
from infra.cross_origin import trusted_origins
from infra.database import CONNECTION_LOST, Unavailable
from infra.edge_limits import EdgeLimits, Introspection
from infra.services import Services
from infra.trusted_documents import TrustedDocuments
from infra.trusted_documents.library import ClientTerms


def document_limits(limits: EdgeLimits) -> Limits:
    """Return what one document may ask for."""
    return Limits(
        characters=limits.document_characters,
        tokens=limits.document_tokens,
        depth=limits.document_depth,
        aliases=limits.document_aliases,
        directives=limits.document_directives,
        repeats=limits.document_repeats,
        cost=limits.operation_cost,
        mutation=limits.mutation_cost,
    )


class Edge:
    """What stands at the edge.  One for each process."""

    def __init__(self, services: Services) -> None:
        settings = services.settings
        self._limits = limits = settings.limits
        self._introspection = settings.introspection
        self._deadline = settings.request_timeout_seconds
        self._trusted_origins = trusted_origins(settings)
        self.buckets = CostBuckets(services.database, limits)
        self.documents = TrustedDocuments(services.database, settings.trusted_documents)
        self.crowd = Crowd(
            CrowdLimits(
                connections_per_address=limits.address_connections,
                connections_per_bearer=limits.bearer_connections,
                subscriptions_per_bearer=limits.bearer_subscriptions,
                subscriptions_per_tenant=limits.tenant_subscriptions,
            )
        )
        self._tasks: Sequence[asyncio.Task[None]] = ()

    @property
    def document_limits(self) -> Limits:
        """Return what one document may ask for."""
        return document_limits(self._limits)

    @property
    def http_settings(self) -> HttpSettings:
        """Return the bounds of a request."""
        return HttpSettings(
            body_limit=self._limits.body_bytes,
            deadline=self._deadline,
            trusted_origins=self._trusted_origins,
            stream=StreamSettings(send=self._limits.send_seconds),
        )

    @property
    def socket_settings(self) -> SocketSettings:
        """Return the bounds of a socket."""
        limits = self._limits
        return SocketSettings(
            message_limit=limits.message_bytes,
            operations=limits.socket_operations,
            initialisation=limits.socket_init_seconds,
            ping=limits.socket_ping_seconds,
            silence=limits.socket_silence_seconds,
            send=limits.send_seconds,
            deadline=self._deadline,
        )

    def gate(self, engine: Engine, *, own: Sequence[str] = ()) -> Gate:
        """Return what every operation passes; documents of our `own` pages always may."""
        return Gate(
            engine=engine,
            library=Library(self.documents),
            payer_of=self._payer,
            who_is=_who,
            may_introspect=self._may_introspect,
            own=frozenset(own),
            crowd=self.crowd,
        )

    async def start(self) -> None:
        """Begin what runs beside the requests."""
        self._tasks = [
            asyncio.create_task(self.buckets.run(), name="cost buckets"),
            asyncio.create_task(self.documents.run(), name="trusted documents"),
        ]

    async def stop(self) -> None:
        """Give back what was leased, and note what was used."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.buckets.aclose()
        await self.documents.note()

    def payer_of_page(self, address: str, site_id: UUID | None) -> Payer:
        """Return who pays for what a web page tells."""
        return self.buckets.of_page(address, site_id)

    def _payer(self, who: Who) -> Payer:
        match who.bearer:
            case Known(kind, tenant_id, id):
                return self.buckets.of_bearer(tenant_id, id, kind=kind)
            case _:
                return self.buckets.of_address(who.address)

    def _may_introspect(self, session: AnySession) -> bool:
        actor = session.actor if isinstance(session, Session) else None
        match self._introspection:
            case Introspection.EVERYBODY:
                return True
            case Introspection.KNOWN:
                return actor is not None
            case Introspection.ADMINS:
                return actor is not None and Permission.MANAGE_KEYS in actor.permissions


@dataclass(frozen=True, slots=True)
class Library:
    """The uploaded documents; while they cannot be read, whoever needs them comes again."""

    documents: TrustedDocuments

    async def terms(self, client: str | None) -> ClientTerms:
        """Return how a client, by the name it gives itself, may ask."""
        try:
            return await self.documents.terms(client)
        except Unavailable:
            raise _unavailable() from None

    async def text(self, terms: Terms, document_id: str) -> str | None:
        """Return the document of an id; None if there is none for this client."""
        if not isinstance(terms, ClientTerms):
            raise TypeError("the terms are those that `terms` returned")
        try:
            return await self.documents.text(terms, document_id)
        except CONNECTION_LOST:
            raise _unavailable() from None


@dataclass(frozen=True, slots=True)
class Known:
    """A bearer of credentials, as far as it is counted and pays."""

    kind: str
    tenant_id: UUID
    id: UUID

    @classmethod
    def of(cls, actor: Actor) -> Known:
        """Return the key, board or user behind an actor."""
        for kind, id in (("key", actor.api_key_id), ("board", actor.board_id)):
            if id is not None:
                return cls(kind, actor.tenant_id, id)
        return cls("user", actor.tenant_id, actor.user_id or actor.tenant_id)


def _who(session: AnySession, connection: HTTPConnection) -> Who:
    address = address_of(connection)
    actor = session.actor if isinstance(session, Session) else None
    if actor is None:
        return Who(address=address)
    return Who(address=address, bearer=Known.of(actor), tenant=actor.tenant_id)


def _unavailable() -> Refused:
    return Refused(
        503,
        "The service cannot look the document up now.",
        code=ErrorCode.SERVICE_UNAVAILABLE,
        headers={"Retry-After": "1"},
        extensions={"outcome": Unavailable.outcome},
    )
