"""Secrets we hand out once (keys, links, refresh tokens) and then know only by their digest.

    smk_4fT0q…43 characters of chance…9Zx0Kd1q
    prefix   secret                  checksum

The prefix and the checksum let a scanner find a leaked secret in a public repository with hardly
a false alarm, and let us refuse a mistyped one without asking the database.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil, log2
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECKSUM_DIGITS = 6  # 62 ** 6 > 2 ** 32
_PREFIX = re.compile(r"[a-z]{2,8}")
_SECRET = re.compile(r"([a-z]{2,8})_[0-9A-Za-z]+")
_VALUES = {digit: value for value, digit in enumerate(_ALPHABET)}

API_KEY = "smk"
BOARD_LINK = "smb"
REFRESH_TOKEN = "smr"  # noqa: S105  # what such a token begins with, no secret
INVITATION = "smi"
PASSWORD_RESET = "smp"  # noqa: S105  # what such a token begins with, no secret
FIRST_RUN = "smf"
SITE_KEY = "smt"
"""Unlike the others no secret: every page of the site shows it."""


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A secret to show once, and the digest to keep, in hexadecimal."""

    text: str = field(repr=False)
    digest: str


def new_secret(prefix: str) -> NewSecret:
    """Return a secret of 256 bits of chance that nobody has seen yet."""
    text = encoded(prefix, secrets.token_bytes(32))
    return NewSecret(text, _digest(text))


def derived_secret(prefix: str, id: UUID, *, key: bytes) -> NewSecret:
    """Return the secret that follows from an id, for whoever has the key.

    So it need not be kept anywhere to be said again.
    """
    text = encoded(prefix, hmac.digest(key, id.bytes, "sha256"))
    return NewSecret(text, _digest(text))


def digest_of(text: str, *, prefix: str) -> str | None:
    """Return the digest to look a secret up by, or None if it cannot be one of ours.

    A plain SHA-256 is enough, and no salt: there is nothing to guess in 256 bits of chance.  And as
    the digest is what is compared, how long the look-up takes tells nothing about the secret.
    """
    return None if decoded(text, prefix=prefix, octets=32) is None else _digest(text)


def encoded(prefix: str, content: bytes) -> str:
    """Return octets as a text of ours: prefix, digits, checksum."""
    if not _PREFIX.fullmatch(prefix):
        raise ValueError(f"a secret's prefix is two to eight small letters: {prefix!r}")
    body = f"{prefix}_{_base62(int.from_bytes(content), _digits(len(content)))}"
    return body + _checksum(body)


def decoded(text: str, *, prefix: str, octets: int) -> bytes | None:
    """Return the octets in a text of ours, or None if it is not one, or not as long."""
    digits = _digits(octets)
    length = len(prefix) + 1 + digits + _CHECKSUM_DIGITS
    found = _SECRET.fullmatch(text) if len(text) == length else None
    if found is None or found[1] != prefix:
        return None
    body, checksum = text[:-_CHECKSUM_DIGITS], text[-_CHECKSUM_DIGITS:]
    number = _number(body[-digits:])
    if checksum != _checksum(body) or number >= 1 << 8 * octets:
        return None
    return number.to_bytes(octets)


@lru_cache(16)
def derived_key(secret: bytes, use: str) -> bytes:
    """Return a key of 32 bytes for one use of a secret, from which no other use's follows."""
    info = f"smarketing {use}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECKSUM_DIGITS)


def _digits(octets: int) -> int:
    """Return how many digits any number of so many octets fits in."""
    return ceil(8 * octets / log2(62))


def _number(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number * 62 + _VALUES[digit]
    return number


def _base62(number: int, digits: int) -> str:
    text = ""
    for _ in range(digits):
        number, digit = divmod(number, 62)
        text = _ALPHABET[digit] + text
    return text
