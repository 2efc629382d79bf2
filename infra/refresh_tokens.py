"""Refresh tokens: one long-lived secret after the other, each good once.

    tenant (16 octets) | session (16) | generation (4) | secret (32), in base 62 after `smr_`

The first secret of a session is chance.  Each later one is an HMAC of the one before, under a key
that never leaves the service: whoever holds a spent token cannot make its successor, but we can,
and so need not keep it.  From any token of a session the chain leads to the current one, of which
the digest is stored; so a copy of an old token is known for what it is, and a guess is, too.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from uuid import UUID

from infra.secrets import REFRESH_TOKEN, decoded, derived_key, encoded

_OCTETS = 16 + 16 + 4 + 32
# How far back a spent token is still told from a guess: 90 days of refreshing every 15 minutes.
MOST_STEPS = 9_000


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One refresh token, the `generation`th of its session."""

    tenant_id: UUID
    session_id: UUID
    generation: int
    secret: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """Return the token as the client keeps it."""
        return encoded(REFRESH_TOKEN, self._place + self.secret)

    @property
    def digest(self) -> str:
        """Return what is stored of it, in hexadecimal."""
        return hashlib.sha256(self._place + self.secret).hexdigest()

    @property
    def _place(self) -> bytes:
        return self.tenant_id.bytes + self.session_id.bytes + self.generation.to_bytes(4)


def read(text: str) -> RefreshToken | None:
    """Return the token in a text, or None if it is none.  Whether it is good, is not said."""
    found = decoded(text, prefix=REFRESH_TOKEN, octets=_OCTETS)
    if found is None:
        return None
    return RefreshToken(
        tenant_id=UUID(bytes=found[:16]),
        session_id=UUID(bytes=found[16:32]),
        generation=int.from_bytes(found[32:36]),
        secret=found[36:],
    )


class RefreshTokens:
    """Makes the tokens of sessions, and follows them."""

    def __init__(self, secret: bytes) -> None:
        self._key = derived_key(secret, "refresh tokens v1")

    def first(self, tenant_id: UUID, session_id: UUID) -> RefreshToken:
        """Return the token that a session begins with."""
        return RefreshToken(tenant_id, session_id, 0, secrets.token_bytes(32))

    def after(self, token: RefreshToken) -> RefreshToken:
        """Return the token that follows when this one is used."""
        return self._later(token, steps=1)

    def steps(self, token: RefreshToken, *, generation: int, digest: str) -> int | None:
        """Return how many times the session was refreshed since it gave this token.

        0 for the current one; None if it does not lead to that, so that it was made up.
        """
        steps = generation - token.generation
        if not 0 <= steps <= MOST_STEPS:
            return None
        reached = self._later(token, steps=steps)
        return steps if hmac.compare_digest(reached.digest, digest) else None

    def _later(self, token: RefreshToken, *, steps: int) -> RefreshToken:
        session, secret = token.tenant_id.bytes + token.session_id.bytes, token.secret
        last = token.generation + steps
        for generation in range(token.generation, last):
            place = session + generation.to_bytes(4)
            secret = hmac.digest(self._key, place + secret, "sha256")
        return RefreshToken(token.tenant_id, token.session_id, last, secret)
