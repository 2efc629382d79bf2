"""Manifests of documents, as the tools of front ends write them.

* `{id: text}`: persisted-documents.json of graphql-codegen's client preset, and the file of
  relay-compiler's `persistConfig`.  Their ids are MD5, SHA-1 or SHA-256 of the text.
* Apollo's, of the format "apollo-persisted-query-manifest", with `operations: [{id, body}]`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

APOLLO = "apollo-persisted-query-manifest"
PREFIX = "sha256:"
LONGEST_ID = 128

# The ids that are hashes, by how many hexadecimal digits they have.
_HASHES = {32: "md5", 40: "sha1", 64: "sha256"}
_HEX = re.compile(r"[0-9a-f]+\Z")
_CUSTOM = re.compile(r"(?:x-[A-Za-z0-9._~-]*:)?[A-Za-z0-9._~-]+\Z")


class BadManifest(Exception):
    """A manifest that cannot be read; the message says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One document: its own hash, and the id that its tool gave it, if that is another."""

    sha256: str
    alias: str | None
    text: str

    @property
    def id(self) -> str:
        """Return the id by which it can always be asked for."""
        return PREFIX + self.sha256


def entries_of(manifest: bytes) -> Sequence[Entry]:
    """Return the documents of a manifest, each once.

    Raises:
        BadManifest: if it has another format, or an id is not what it says.
    """
    try:
        read = orjson.loads(manifest)
    except orjson.JSONDecodeError as error:
        raise BadManifest(f"The manifest is not JSON: {error}.") from None
    if not isinstance(read, dict):
        raise BadManifest("The manifest must be an object: ids with documents, or Apollo's format.")
    found: dict[str, Entry] = {}
    for id, text in _pairs(read):
        entry = _entry(id, text)
        known = found.setdefault(entry.sha256, entry)
        if known.alias != entry.alias:
            raise BadManifest(f"{_shown(id)} and {_shown(known.alias or known.id)} are the same.")
    if not found:
        raise BadManifest("The manifest has no documents.")
    return list(found.values())


def _pairs(read: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for position, (id, text) in enumerate(_apollo(read) if "operations" in read else read.items()):
        if not isinstance(id, str) or not isinstance(text, str) or not text.strip():
            raise BadManifest(f"Document {position + 1} ({_shown(id)}) has no id or no text.")
        yield id, text


def _apollo(read: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    if read.get("format") != APOLLO or read.get("version") != 1:
        raise BadManifest(f'Of manifests with operations, "{APOLLO}" version 1 is known.')
    operations = read["operations"]
    if not isinstance(operations, list):
        raise BadManifest("The operations must be a list.")
    for operation in operations:
        given = operation if isinstance(operation, dict) else {}
        yield given.get("id"), given.get("body")


def _entry(id: str, text: str) -> Entry:
    sha256 = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    bare = id.removeprefix(PREFIX)
    algorithm = _HASHES.get(len(bare)) if _HEX.match(bare) else None
    if algorithm is None or (bare != id and algorithm != "sha256"):
        if not _CUSTOM.match(id) or len(id) > LONGEST_ID:
            raise BadManifest(f"{_shown(id)} cannot be the id of a document.")
        return Entry(sha256=sha256, alias=id, text=text)
    hashed = hashlib.new(algorithm, text.encode(errors="surrogatepass"), usedforsecurity=False)
    if hashed.hexdigest() != bare:
        raise BadManifest(
            f"{_shown(id)} is not the {algorithm.upper()} of its document, which is"
            f" {hashed.hexdigest()}."
        )
    return Entry(sha256=sha256, alias=None if algorithm == "sha256" else bare, text=text)


def _shown(id: object) -> str:
    return repr(id)[:80]
