"""The file of signing keys, and how one key follows another without anybody being signed out.

    BEGIN PRIVATE KEY    signs
    BEGIN PRIVATE KEY    is next: published, so that everybody knows it when it begins to sign
    BEGIN PUBLIC KEY     has signed: published until the last token it signed has expired

`add` makes the next key, `rotate` lets it sign and forgets the private half of the one before,
`prune` takes away what has signed.  Each step is for all processes to have learned of (they read
the file when they start) before the next is taken.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from math import ceil
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from infra.signing_keys import blocks_of, pem_of, public_half, thumbprint
from infra.tokens import LEEWAY, MAX_LIFE

# After this nothing that a key has signed is taken any more.
LAST_TOKENS = MAX_LIFE + LEEWAY

Key = Ed25519PrivateKey | Ed25519PublicKey


class KeyPart(StrEnum):
    """What a key in the file is for."""

    SIGNS = "signs"
    NEXT = "is next"
    RETIRED = "has signed"


class WrongStep(Exception):
    """The step cannot be taken now."""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The keys of one file, the one that signs first."""

    path: Path
    keys: Sequence[Key]

    @classmethod
    def read(cls, path: Path) -> KeyFile:
        """Return the keys in a file, none if there is no such file.

        Raises:
            ValueError: if it holds anything but Ed25519 keys, or begins with half of one.
        """
        return cls(path, blocks_of(path.read_text(encoding="ascii")) if path.exists() else ())

    @property
    def listed(self) -> Sequence[tuple[str, KeyPart]]:
        """Return the name of each key, as tokens call it, and what it is for."""
        return [
            (thumbprint(public_half(key)), _part(place, key)) for place, key in enumerate(self.keys)
        ]

    def added(self) -> KeyFile:
        """Return the file with a next key, which signs at once if it is the first.

        Raises:
            WrongStep: if there is a next key already.
        """
        if self._next:
            raise WrongStep("There is a next key already; rotate to it first.")
        signing, rest = self.keys[:1], self.keys[1:]
        return KeyFile(self.path, (*signing, Ed25519PrivateKey.generate(), *rest))

    def rotated(self) -> KeyFile:
        """Return the file with the next key signing, and of the one before only what checks it.

        Raises:
            WrongStep: if there is no next key.
        """
        if not self._next:
            raise WrongStep("There is no next key; add one, and let every process learn of it.")
        before, following, *rest = self.keys
        return KeyFile(self.path, (following, public_half(before), *rest))

    def pruned(self, *, unchanged_for: timedelta) -> KeyFile:
        """Return the file without the keys that have signed.

        Raises:
            WrongStep: if tokens that they signed may still be good.
        """
        if unchanged_for < LAST_TOKENS:
            minutes = ceil((LAST_TOKENS - unchanged_for) / timedelta(minutes=1))
            raise WrongStep(f"The last tokens may still be good; wait {minutes} minutes more.")
        return KeyFile(self.path, [key for key in self.keys if isinstance(key, Ed25519PrivateKey)])

    def write(self) -> None:
        """Put the keys into the file, whole or not at all, for its owner's eyes only."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write("".join(map(pem_of, self.keys)))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        finally:
            draft.unlink(missing_ok=True)

    @property
    def _next(self) -> bool:
        return any(part is KeyPart.NEXT for _, part in self.listed)


def _part(place: int, key: Key) -> KeyPart:
    if place == 0:
        return KeyPart.SIGNS
    return KeyPart.NEXT if isinstance(key, Ed25519PrivateKey) else KeyPart.RETIRED
