"""Who is at the other end: credentials in, sessions out, which end as soon as their bearer does.

A token or a key only says who somebody was.  Who that is now is read from the database, at most a
second ago, so that an end of a session or a membership, another role or a revoked key counts at
once; open streams and sockets watch for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Literal
from uuid import UUID

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from typing_extensions import override

from api.cause import cause_of
from api.context import Context
from api.engine import held_on
from api.tracking.receiving import PageSite
from api.transport.sessions import Unauthenticated
from domain.identity import Actor
from infra.bearers import Bearer, Bearers, Standing
from infra.live import Hub
from infra.services import Services
from infra.tokens import AccessTokens, BadToken

# How long an open session takes a breath between two looks at whether it still stands.
PAUSE_SECONDS = 0.5
_JWKS_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who sends requests, or nobody (then the actor is None)."""

    services: Services
    actor: Actor | None = None
    expires_at: datetime | None = None
    ending: Callable[[], asyncio.Event] | None = None

    @property
    def revoked(self) -> asyncio.Event | None:
        """Return what is set when the credentials end before their time."""
        return self.ending() if self.ending else None

    async def now(self) -> datetime:
        """Return the database's time: this host's may be wrong."""
        return await self.services.database.now()

    def context(self, connection: HTTPConnection, request_id: str) -> Context:
        """Return a new context for one operation."""
        return Context(self.services, self.actor, request_id, cause_of(connection, request_id))


class Authenticator:
    """Finds sessions.  One for each process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._bearers = Bearers(services.database)
        services.hub.bus.receive(self._bearers.forget)

    async def authenticate(
        self, connection: HTTPConnection, payload: Mapping[str, Any] | None
    ) -> Session:
        """Return the session of a request, or of a socket whose `connection_init` is given.

        Raises:
            Unauthenticated: if there are credentials and they are not good.
        """
        secret = _secret_of(connection, payload)
        if secret is None:
            return Session(self._services)
        if bearer := await self._bearers.of_api_key(secret):
            return await self._known(bearer)
        try:
            claims = self._services.tokens.verify(secret, now=await self._services.database.now())
        except BadToken:
            raise Unauthenticated("The credentials are not good, or not any more.") from None
        bearer = Bearer.user(claims.tenant_id, claims.user_id, claims.session_id)
        session = await self._known(bearer, account_id=claims.account_id)
        return replace(session, expires_at=claims.expires_at)

    async def board(self, token: str) -> Session | None:
        """Return the session of a wall board, or None if its link is not good (any more)."""
        bearer = await self._bearers.of_board(token)
        try:
            return await self._known(bearer) if bearer else None
        except Unauthenticated:
            return None

    async def site(self, key: str) -> PageSite | None:
        """Return the web site of a public key, or None if it is not good (any more)."""
        bearer = await self._bearers.of_site(key)
        standing = await self._bearers.standing(bearer) if bearer else None
        if bearer is None or standing is None:
            return None
        return PageSite(id=bearer.id, actor=standing.actor, origins=standing.origins)

    async def _known(self, bearer: Bearer, *, account_id: UUID | None = None) -> Session:
        standing = await self._bearers.standing(bearer)
        if standing is None or standing.account_id != account_id:
            raise Unauthenticated("The credentials are not good, or not any more.")
        actor = standing.actor

        async def stands() -> Standing | None:
            # While it cannot be read nobody is thrown out, and nobody is forgotten.
            now = await held_on(lambda: self._bearers.standing(bearer, since=monotonic()))
            return now if now is not None and now.grants == standing.grants else None

        hub = self._services.hub
        return Session(
            self._services,
            actor,
            standing.expires_at,
            ending=lambda: Revocation(hub, actor.tenant_id, stands, self._services.database.now),
        )


class Revocation(asyncio.Event):
    """Set when a session's bearer is no longer who it was.

    It looks only while somebody waits: so nothing has to be closed when the session ends.
    """

    def __init__(
        self,
        hub: Hub,
        tenant_id: UUID,
        stands: Callable[[], Awaitable[Standing | None]],
        now: Callable[[], Awaitable[datetime]],
    ) -> None:
        super().__init__()
        self._hub = hub
        self._tenant_id = tenant_id
        self._stands = stands
        self._now = now

    @override
    async def wait(self) -> Literal[True]:
        # Watch first, look then, or a change slips between.
        with self._hub.watch(self._tenant_id) as watch:
            while not self.is_set():
                standing = await self._stands()
                if standing is None:
                    self.set()
                    break
                # A busy tenant has news all the time; once in a while is soon enough.
                await asyncio.sleep(PAUSE_SECONDS)
                await watch.news(within=await self._left(standing))
        return True

    async def _left(self, standing: Standing) -> timedelta | None:
        """Return how long the credentials are good, which nobody tells when it is over."""
        if standing.expires_at is None:
            return None
        return standing.expires_at - await held_on(self._now)


def jwks(tokens: AccessTokens) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of the keys by which anybody can check our tokens."""
    headers = {"Cache-Control": f"public, max-age={_JWKS_SECONDS}"}

    async def answer(_: Request) -> Response:
        return JSONResponse(
            tokens.keys.jwks(), headers=headers, media_type="application/jwk-set+json"
        )

    return answer


def _secret_of(connection: HTTPConnection, payload: Mapping[str, Any] | None) -> str | None:
    """Return the bearer's secret, or None where nobody claims to be anybody.

    A browser cannot set the headers of a socket, so there the payload comes first.
    """
    given = {name.lower(): value for name, value in (payload or {}).items()}
    if given.get("token") is not None:
        return _text(given["token"])
    header = given.get("authorization")
    if header is None:
        header = connection.headers.get("authorization")
    if header is None:
        return None
    scheme, _, secret = _text(header).strip().partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthenticated("Send `Authorization: Bearer` and a token or an API key.")
    return secret.strip()


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Unauthenticated("Credentials are text.")
    return value
