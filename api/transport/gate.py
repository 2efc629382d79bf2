"""What every operation passes on its way in, whatever brings it.

Its document is found, if only an id was sent; it is planned; whoever may not read the schema does
not; and it is paid for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any, Protocol

from starlette.requests import HTTPConnection

from api.engine import Engine, ErrorCode, GraphQLRequest, Operation, OperationFailed
from api.transport.body import Refused
from api.transport.crowd import Crowd, Who
from api.transport.paying import Nobody, Payer, out_of_budget
from api.transport.sessions import Session

COST_OF_A_REFUSAL = 10
"""What a document costs that is not run: finding and reading it is work too."""
CLIENT_HEADERS = ("graphql-client-name", "apollographql-client-name")


class Library(Protocol):
    """The documents that clients have uploaded, and how each client uses them."""

    async def terms(self, client: str | None) -> Terms:
        """Return how a client, by the name it gives itself, may ask."""

    async def text(self, terms: Terms, document_id: str) -> str | None:
        """Return the document of an id; None if there is none for this client."""


class Terms(Protocol):
    """How a client may ask."""

    @property
    def ids(self) -> bool:
        """Return whether by the id of a document."""

    @property
    def texts(self) -> bool:
        """Return whether by any text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody at the gate, with one request or one socket."""

    session: Session
    who: Who
    payer: Payer
    client: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What a process lets in.  Without anything said, all that the engine takes."""

    engine: Engine
    library: Library | None = None
    payer_of: Callable[[Who], Payer] = lambda who: Nobody()
    who_is: Callable[[Session, HTTPConnection], Who] = lambda session, connection: Who(
        address=address_of(connection)
    )
    may_introspect: Callable[[Session], bool] = lambda session: True
    own: frozenset[str] = frozenset()
    """Documents of our own pages, which run even where clients may only send ids."""
    crowd: Crowd = field(default_factory=Crowd)

    def visitor(
        self,
        session: Session,
        connection: HTTPConnection,
        payload: Mapping[str, Any] | None = None,
    ) -> Visitor:
        """Return who is there, by a request or by a socket's `connection_init`."""
        who = self.who_is(session, connection)
        return Visitor(
            session=session,
            who=who,
            payer=self.payer_of(who),
            client=_client_of(connection, payload),
        )

    def admit(self, visitor: Visitor) -> None:
        """Refuse, before anything is read, somebody known to have nothing left."""
        seconds = visitor.payer.wait()
        if seconds is not None:
            raise out_of_budget(seconds)

    async def plan(self, request: GraphQLRequest, visitor: Visitor) -> Operation:
        """Return the operation, paid for.

        Raises:
            OperationFailed: if it cannot be run.
            Refused: if it may not be run, or not now.
        """
        try:
            operation = await self._allowed(request, visitor)
        except (OperationFailed, Refused):
            # Looking a document up, reading it and judging it is work for whoever it is refused.
            await _pay(visitor.payer, COST_OF_A_REFUSAL)
            raise
        await _pay(visitor.payer, operation.cost)
        left = [each.remaining for each in visitor.payer.allowances]
        return replace(operation, allowance={"remaining": min(left)}) if left else operation

    async def _allowed(self, request: GraphQLRequest, visitor: Visitor) -> Operation:
        """Return the operation, not paid for yet."""
        if self.library is not None:
            request = await self._with_text(self.library, request, visitor.client)
        elif request.document_id is not None:
            raise _ids_off()
        operation = await self.engine.plan(request)
        if operation.operation.introspects and not self.may_introspect(visitor.session):
            raise _closed(known=visitor.who.bearer is not None)
        return operation

    async def _with_text(
        self, library: Library, request: GraphQLRequest, client: str | None
    ) -> GraphQLRequest:
        """Return the request with the text it means, if the client may ask in this way."""
        terms = await library.terms(client)
        if request.document_id is None:
            if not terms.texts and request.query not in self.own:
                raise Refused(
                    403,
                    "Only uploaded documents run here: send a documentId.",
                    code=ErrorCode.PERSISTED_QUERY_ONLY,
                )
            return request
        if not terms.ids:
            raise _ids_off()
        text = await library.text(terms, request.document_id)
        if text is None:
            raise Refused(
                400,
                "PersistedQueryNotFound: no document of this client has the id.",
                code=ErrorCode.PERSISTED_QUERY_NOT_FOUND,
            )
        return replace(request, query=text)


async def _pay(payer: Payer, cost: int) -> None:
    seconds = await payer.pay(cost)
    if seconds is not None:
        raise out_of_budget(seconds)


def _closed(*, known: bool) -> Refused:
    if known:
        return Refused(403, "You may not read the whole schema.", code=ErrorCode.FORBIDDEN)
    return Refused(
        401,
        "Sign in to read the whole schema.",
        code=ErrorCode.UNAUTHENTICATED,
        headers={"WWW-Authenticate": "Bearer"},
    )


def _ids_off() -> Refused:
    return Refused(
        400,
        "PersistedQueryNotSupported: send the document itself.",
        code=ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED,
    )


def address_of(connection: HTTPConnection) -> str:
    """Return where a connection comes from, as the server knows it.

    Of IPv6 it is the network, because whoever has one address there has all of the network's.
    """
    host = connection.client.host if connection.client else ""
    if ":" not in host:
        return host
    try:
        return str(ip_network((host, 64), strict=False))
    except ValueError:
        return host


def _client_of(connection: HTTPConnection, payload: Mapping[str, Any] | None) -> str | None:
    """Return what a client calls itself: a browser cannot set the headers of a socket."""
    named = (payload or {}).get("clientName")
    if isinstance(named, str) and named:
        return named
    return next(
        (connection.headers[name] for name in CLIENT_HEADERS if name in connection.headers), None
    )
