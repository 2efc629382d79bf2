"""Secrets we hand out once (API keys, board links) and then know only by their digest.

    smk_4fT0q…43 characters of chance…9Zx0Kd1q
    prefix   secret                  checksum

The prefix and the checksum let a scanner find a leaked secret in a public repository with hardly
a false alarm, and let us refuse a mistyped one without asking the database.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib
from dataclasses import dataclass, field

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_DIGITS = 43  # 62 ** 43 > 2 ** 256
_CHECKSUM_DIGITS = 6  # 62 ** 6 > 2 ** 32
_PREFIX = re.compile(r"[a-z]{2,8}")
_SECRET = re.compile(rf"([a-z]{{2,8}})_[0-9A-Za-z]{{{_SECRET_DIGITS + _CHECKSUM_DIGITS}}}")

API_KEY = "smk"
BOARD_LINK = "smb"


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A secret to show once, and the digest to keep, in hexadecimal."""

    text: str = field(repr=False)
    digest: str


def new_secret(prefix: str) -> NewSecret:
    """Return a secret of 256 bits of chance that nobody has seen yet."""
    if not _PREFIX.fullmatch(prefix):
        raise ValueError(f"a secret's prefix is two to eight small letters: {prefix!r}")
    chance = int.from_bytes(secrets.token_bytes(32))
    body = f"{prefix}_{_base62(chance, _SECRET_DIGITS)}"
    text = body + _checksum(body)
    return NewSecret(text, _digest(text))


def digest_of(text: str, *, prefix: str) -> str | None:
    """Return the digest to look a secret up by, or None if it cannot be one of ours.

    A plain SHA-256 is enough, and no salt: there is nothing to guess in 256 bits of chance.  And as
    the digest is what is compared, how long the look-up takes tells nothing about the secret.
    """
    found = _SECRET.fullmatch(text)
    if found is None or found[1] != prefix:
        return None
    body, checksum = text[:-_CHECKSUM_DIGITS], text[-_CHECKSUM_DIGITS:]
    return _digest(text) if checksum == _checksum(body) else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECKSUM_DIGITS)


def _base62(number: int, digits: int) -> str:
    text = ""
    for _ in range(digits):
        number, digit = divmod(number, 62)
        text = _ALPHABET[digit] + text
    return text
