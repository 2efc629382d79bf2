"""Sealing: what is stored so that a copy of the database tells nothing."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


def sealed(content: bytes, *, key: bytes, about: bytes) -> bytes:
    """Return content under a key of 32 bytes, to be opened only with what it is about."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, about)


def unsealed(seal: bytes, *, key: bytes, about: bytes) -> bytes | None:
    """Return the content; None if it was sealed with another key, or is about something else."""
    nonce, body = seal[:_NONCE_BYTES], seal[_NONCE_BYTES:]
    try:
        return AESGCM(key).decrypt(nonce, body, about)
    except InvalidTag:
        return None
