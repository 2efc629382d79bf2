"""Signed, expiring URLs: who holds the token may do one thing for a while, with no session.

    base64url({"exp": 1775037600, "for": {"photo": "…"}}) . base64url(HMAC-SHA256)

Each purpose signs with a key of its own, so a link to look at a photo never passes for one to
upload it.  The same payload and expiry give the same token: round the expiry, and caches work.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.errors import DomainError

MIN_SECRET_BYTES = 32
MAX_LENGTH = 1024

_TOKEN = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})")


class Purpose(StrEnum):
    """What a signed URL allows."""

    UPLOAD = "upload"
    PHOTO = "photo"
    LETTERS = "letters"


class BadSignature(DomainError):
    """The link was not made by us, or not for this."""

    code = "LINK_NOT_VALID"

    def __init__(self) -> None:
        super().__init__("This link is not valid.")


class LinkExpired(BadSignature):
    """The link was ours, and its time is over."""

    code = "LINK_EXPIRED"

    def __init__(self) -> None:
        DomainError.__init__(self, "This link has expired; ask for a new one.")


class UrlSigner:
    """Signs with the first secret and honours the links of all, so that it can be replaced."""

    def __init__(self, secret: bytes, *previous: bytes) -> None:
        if short := [len(each) for each in (secret, *previous) if len(each) < MIN_SECRET_BYTES]:
            raise ValueError(f"a secret needs {MIN_SECRET_BYTES} bytes, not {short[0]}")
        self._keys: Mapping[Purpose, Sequence[bytes]] = {
            purpose: [_derive(each, purpose) for each in (secret, *previous)] for purpose in Purpose
        }

    def sign(
        self, purpose: Purpose, payload: Mapping[str, str | int], *, expires_at: datetime
    ) -> str:
        """Return a token that stands for `payload` until `expires_at`, in whole seconds."""
        if not all(isinstance(value, str | int) for value in payload.values()):
            raise ValueError(f"a signed payload holds text and integers only: {dict(payload)}")
        content = {"exp": int(_timestamp(expires_at)), "for": dict(payload)}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        body = _base64url(text.encode())
        token = f"{body}.{_mac(self._keys[purpose][0], body)}"
        if len(token) > MAX_LENGTH:
            raise ValueError(f"a signed payload must be short: {len(token)} characters")
        return token

    def verify(self, purpose: Purpose, token: str, *, now: datetime) -> dict[str, str | int]:
        """Return the payload of a token we signed for this purpose.

        Raises:
            BadSignature: if we did not.
            LinkExpired: if we did and `now` is its expiry or later.
        """
        parts = _TOKEN.fullmatch(token) if len(token) <= MAX_LENGTH else None
        if parts is None or not self._signed(purpose, body=parts[1], mac=parts[2]):
            raise BadSignature
        content = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        if _timestamp(now) >= content["exp"]:
            raise LinkExpired
        payload: dict[str, str | int] = content["for"]
        return payload

    def _signed(self, purpose: Purpose, *, body: str, mac: str) -> bool:
        # The texts are compared, not what they decode to: one token has one spelling.
        return any(hmac.compare_digest(_mac(key, body), mac) for key in self._keys[purpose])


def _timestamp(instant: datetime) -> float:
    if instant.tzinfo is None:
        raise ValueError(f"an instant needs a time zone: {instant}")
    return instant.timestamp()


def _derive(secret: bytes, purpose: Purpose) -> bytes:
    info = f"smarketing signed url v1 {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)


def _mac(key: bytes, body: str) -> str:
    return _base64url(hmac.digest(key, body.encode(), "sha256"))


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
