"""The Ed25519 keys that sign access tokens, and the public half of them for everyone else."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

# The points of small order, by their y: under such a key anybody can sign anything.
_WEAK = frozenset(
    bytes.fromhex(y)
    for y in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)
_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The key that signs, and those whose signatures still count.

    `infra.key_file` says how one follows another.
    """

    current: Ed25519PrivateKey
    also: Sequence[Ed25519PublicKey] = ()
    public: Mapping[str, Ed25519PublicKey] = field(init=False)
    current_id: str = field(init=False)

    def __post_init__(self) -> None:
        keys = (self.current.public_key(), *self.also)
        public = {thumbprint(key): key for key in keys}
        object.__setattr__(self, "public", MappingProxyType(public))
        object.__setattr__(self, "current_id", next(iter(public)))

    @classmethod
    def generate(cls) -> SigningKeys:
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, text: str) -> SigningKeys:
        r"""Return the keys of a PEM text: first the private key that signs, then any others.

        A text from an environment variable may spell its line ends `\n`.

        Raises:
            ValueError: unless the first key is private and all are Ed25519 and not encrypted.
        """
        current, *others = blocks_of(text)
        return cls(_signing(current), tuple(map(public_half, others)))

    @classmethod
    def from_file(cls, path: Path) -> SigningKeys:
        return cls.from_pem(path.read_text(encoding="ascii"))

    @classmethod
    def for_development(cls, path: Path) -> SigningKeys:
        """Return the keys in a file that only its owner may read; make it if it is not there.

        Processes that start together get the same keys: the first to put the file there wins.
        """
        if not path.exists():
            _create(path, cls.generate().pem())
        return cls.from_file(path)

    def pem(self) -> str:
        """Return the key that signs, as it goes into a file."""
        return pem_of(self.current)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the JSON Web Key Set (RFC 7517) that lets others check our tokens."""
        return {
            "keys": [
                {**_jwk(key), "kid": kid, "alg": "EdDSA", "use": "sig"}
                for kid, key in self.public.items()
            ]
        }


def blocks_of(text: str) -> Sequence[Ed25519PrivateKey | Ed25519PublicKey]:
    """Return the keys of a PEM text, the one that signs first.

    Raises:
        ValueError: unless the first key is private and all are Ed25519 and not encrypted.
    """
    blocks = list(_PEM.finditer(text.replace("\\n", "\n")))
    if not blocks:
        raise ValueError("no PEM key found: expected BEGIN PRIVATE KEY")
    keys = [_load(block[1], block[0]) for block in blocks]
    _signing(keys[0])
    return keys


def pem_of(key: Ed25519PrivateKey | Ed25519PublicKey) -> str:
    """Return a key as it goes into a file."""
    if isinstance(key, Ed25519PublicKey):
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_half(key: Ed25519PrivateKey | Ed25519PublicKey) -> Ed25519PublicKey:
    """Return what checks the signatures of a key."""
    return key if isinstance(key, Ed25519PublicKey) else key.public_key()


def thumbprint(key: Ed25519PublicKey) -> str:
    """Return the name of a key that is made of the key itself (RFC 7638)."""
    canonical = json.dumps(_jwk(key), sort_keys=True, separators=(",", ":"))
    return _base64url(hashlib.sha256(canonical.encode()).digest())


def _jwk(key: Ed25519PublicKey) -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": _base64url(key.public_bytes_raw())}


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _load(label: str, pem: str) -> Ed25519PrivateKey | Ed25519PublicKey:
    try:
        key: Any = (
            load_pem_public_key(pem.encode())
            if label == "PUBLIC KEY"
            else load_pem_private_key(pem.encode(), password=None)
        )
    except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
        raise ValueError(f"cannot read the PEM block {label}: {type(fault).__name__}") from None
    if not isinstance(key, Ed25519PrivateKey | Ed25519PublicKey):
        raise ValueError(  # noqa: TRY004 - as above
            f"a signing key must be Ed25519, not {type(key).__name__}"
        )
    octets = public_half(key).public_bytes_raw()
    if octets[:-1] + bytes([octets[-1] & 0x7F]) in _WEAK:
        raise ValueError("a signing key must not be of small order: anybody could sign for it")
    return key


def _signing(key: Ed25519PrivateKey | Ed25519PublicKey) -> Ed25519PrivateKey:
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(  # noqa: TRY004 - the text is wrong, not a Python type
            "the first signing key must be a private key"
        )
    return key


def _create(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all, unless one is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
        # A link, unlike a rename, never replaces what another process has put there.
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)
