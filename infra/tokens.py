"""Access tokens: short-lived JWTs (RFC 9068), signed with Ed25519, read as RFC 8725 demands.

PyJWT does the signatures.  The claims are judged here, because PyJWT reads the wall clock itself,
takes `"15"`, `true` and `1e3` for instants, and lets a claim be given twice.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import jwt

from domain.ids import new_id
from infra.signing_keys import SigningKeys

ALGORITHM = "EdDSA"
TYPE = "at+jwt"
MAX_LIFE = timedelta(minutes=15)
LEEWAY = timedelta(seconds=30)
MAX_LENGTH = 2048

# Three unpadded base64url parts, the last one 64 bytes: one token has one spelling.
_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}")
_JWS = jwt.PyJWS(algorithms=[ALGORITHM])


class Fault(StrEnum):
    """What is wrong with a token.  For the log: the bearer learns only that it is no good."""

    TOO_LONG = "TOO_LONG"
    MALFORMED = "MALFORMED"
    WRONG_TYPE = "WRONG_TYPE"
    WRONG_ALGORITHM = "WRONG_ALGORITHM"
    UNEXPECTED_HEADER = "UNEXPECTED_HEADER"
    UNKNOWN_KEY = "UNKNOWN_KEY"
    BAD_SIGNATURE = "BAD_SIGNATURE"
    BAD_CLAIM = "BAD_CLAIM"
    WRONG_ISSUER = "WRONG_ISSUER"
    WRONG_AUDIENCE = "WRONG_AUDIENCE"
    NOT_YET_VALID = "NOT_YET_VALID"
    EXPIRED = "EXPIRED"
    LIFE_TOO_LONG = "LIFE_TOO_LONG"


class BadToken(Exception):
    """The token is not one of ours, or is not one any more."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(f"{fault}: {detail}" if detail else fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessClaims:
    """Who the bearer says they are.  Membership must still be looked up: it may have ended."""

    user_id: UUID
    tenant_id: UUID
    account_id: UUID
    session_id: UUID
    token_id: UUID
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessTokens:
    """Issues and verifies the tokens of one issuer for one audience."""

    keys: SigningKeys
    issuer: str
    audience: str

    def issue(
        self,
        *,
        user_id: UUID,
        tenant_id: UUID,
        account_id: UUID,
        session_id: UUID,
        now: datetime,
        life: timedelta = MAX_LIFE,
    ) -> str:
        """Return a token that is good from `now`, for `life`; both count whole seconds."""
        if not timedelta(seconds=1) <= life <= MAX_LIFE:
            raise ValueError(f"an access token lives from a second to {MAX_LIFE}, not {life}")
        issued = int(_timestamp(now))
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": str(user_id),
            "tid": str(tenant_id),
            "acc": str(account_id),
            "sid": str(session_id),
            "jti": str(new_id()),
            "iat": issued,
            "exp": issued + int(life.total_seconds()),
        }
        return _JWS.encode(
            json.dumps(claims, separators=(",", ":")).encode(),
            self.keys.current,
            algorithm=ALGORITHM,
            headers={"typ": TYPE, "kid": self.keys.current_id},
        )

    def verify(self, token: str, *, now: datetime) -> AccessClaims:
        """Return what a token says.

        Raises:
            BadToken: unless it is ours, for us, an access token, and good at `now`.
        """
        claims = _Claims(_signed_claims(token, self.keys))
        if claims.text("iss") != self.issuer:
            raise BadToken(Fault.WRONG_ISSUER)
        if claims.text("aud") != self.audience:
            raise BadToken(Fault.WRONG_AUDIENCE)
        issued_at, expires_at = _life(claims, _timestamp(now))
        return AccessClaims(
            user_id=claims.id("sub"),
            tenant_id=claims.id("tid"),
            account_id=claims.id("acc"),
            session_id=claims.id("sid"),
            token_id=claims.id("jti"),
            issued_at=issued_at,
            expires_at=expires_at,
        )


def _timestamp(now: datetime) -> float:
    if now.tzinfo is None:
        raise ValueError(f"an instant needs a time zone: {now}")
    return now.timestamp()


def _signed_claims(token: str, keys: SigningKeys) -> dict[str, Any]:
    """Return the claims of a token one of our keys signed.  Nothing unsigned is believed."""
    if len(token) > MAX_LENGTH:
        raise BadToken(Fault.TOO_LONG)
    parts = _COMPACT.fullmatch(token)
    if parts is None:
        raise BadToken(Fault.MALFORMED)
    key = keys.public.get(_key_id(_object(_decoded(parts[1]))))
    if key is None:
        raise BadToken(Fault.UNKNOWN_KEY)
    try:
        payload: bytes = _JWS.decode(token, key, algorithms=[ALGORITHM])
    except jwt.InvalidSignatureError:
        raise BadToken(Fault.BAD_SIGNATURE) from None
    except jwt.InvalidTokenError:
        raise BadToken(Fault.MALFORMED) from None
    return _object(payload)


def _key_id(header: dict[str, Any]) -> str:
    """Return the key a header names, if the header is exactly of the form we issue.

    Anything more is refused, not ignored: a key the token brings along (`jwk`, `x5c`), a place to
    fetch one from (`jku`, `x5u`), an extension (`crit`) we would have to understand.
    """
    if header.get("typ") != TYPE:
        raise BadToken(Fault.WRONG_TYPE)
    if header.get("alg") != ALGORITHM:
        raise BadToken(Fault.WRONG_ALGORITHM)
    if surplus := header.keys() - {"alg", "kid", "typ"}:
        raise BadToken(Fault.UNEXPECTED_HEADER, ascii(min(surplus)))
    key_id = header.get("kid")
    if not isinstance(key_id, str):
        raise BadToken(Fault.UNKNOWN_KEY)
    return key_id


def _life(claims: _Claims, now: float) -> tuple[datetime, datetime]:
    """Return from when until when a token is good; the instant it expires it no longer is."""
    issued, expires = claims.seconds("iat"), claims.seconds("exp")
    leeway = LEEWAY.total_seconds()
    if expires <= issued:
        raise BadToken(Fault.BAD_CLAIM, "exp")
    if expires - issued > MAX_LIFE.total_seconds():
        raise BadToken(Fault.LIFE_TOO_LONG)
    if max(issued, claims.seconds("nbf", default=issued)) > now + leeway:
        raise BadToken(Fault.NOT_YET_VALID)
    if now >= expires + leeway:
        raise BadToken(Fault.EXPIRED)
    return datetime.fromtimestamp(issued, UTC), datetime.fromtimestamp(expires, UTC)


@dataclass(frozen=True, slots=True)
class _Claims:
    """The claims of a token, each of the type it must have."""

    given: dict[str, Any]

    def text(self, name: str) -> str:
        value = self.given.get(name)
        if not isinstance(value, str):
            raise BadToken(Fault.BAD_CLAIM, name)
        return value

    def id(self, name: str) -> UUID:
        text = self.text(name)
        try:
            found = UUID(text)
        except ValueError:
            raise BadToken(Fault.BAD_CLAIM, name) from None
        if str(found) != text:  # UUID() also takes braces, urn: and capitals
            raise BadToken(Fault.BAD_CLAIM, name)
        return found

    def seconds(self, name: str, *, default: int | None = None) -> int:
        value = self.given.get(name, default)
        if type(value) is not int:  # True is an int, too
            raise BadToken(Fault.BAD_CLAIM, name)
        return value


def _decoded(part: str) -> bytes:
    try:
        return jwt.utils.base64url_decode(part)
    except ValueError:
        raise BadToken(Fault.MALFORMED) from None


def _object(text: bytes) -> dict[str, Any]:
    try:
        # Decoded here, because json would take UTF-16 and UTF-32 as well.
        value = json.loads(text.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise BadToken(Fault.MALFORMED) from None
    if not isinstance(value, dict):
        raise BadToken(Fault.MALFORMED)
    return value


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a member is given twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
