"""What a row of a file is called that has no name of its own: by what it says."""

from __future__ import annotations

from hashlib import sha256

from domain.leads import ExternalId

# Who calls something by what it says: a file that has no names of its own.
FILE = "file"


def said_print(*said: object) -> str:
    """Return what a row says, in few letters; what it does not say is None, in its place."""
    told = "\0".join("" if each is None else str(each) for each in said)
    return sha256(told.encode()).hexdigest()[:32]


def name_by(said: str, twins: int) -> ExternalId:
    """Return the name of a row by its print, and by how many before it in its file are alike."""
    return ExternalId(FILE, f"{said}-{twins}")
