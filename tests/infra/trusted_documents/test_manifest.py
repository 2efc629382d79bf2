"""Manifests as the tools write them, and those that cannot be trusted."""

from __future__ import annotations

import hashlib
import json

import pytest

from infra.trusted_documents import BadManifest, Entry, entries_of

TEXT = "query Viewer { viewer { permissions } }"
SHA256 = hashlib.sha256(TEXT.encode()).hexdigest()
SHA1 = hashlib.sha1(TEXT.encode(), usedforsecurity=False).hexdigest()
MD5 = hashlib.md5(TEXT.encode(), usedforsecurity=False).hexdigest()
OTHER = "{ viewer { permissions } }"


def read(manifest: object) -> list[Entry]:
    return list(entries_of(json.dumps(manifest).encode()))


def apollo(*operations: object, **more: object) -> dict[str, object]:
    named = {"format": "apollo-persisted-query-manifest", "version": 1}
    return {**named, "operations": list(operations), **more}


@pytest.mark.parametrize(
    ("manifest", "alias"),
    [
        ({SHA256: TEXT}, None),
        ({f"sha256:{SHA256}": TEXT}, None),
        ({SHA1: TEXT}, SHA1),
        ({MD5: TEXT}, MD5),
        ({"Viewer-1.0": TEXT}, "Viewer-1.0"),
        ({"x-ours:viewer": TEXT}, "x-ours:viewer"),
        (apollo({"id": SHA256, "name": "Viewer", "type": "query", "body": TEXT}), None),
        (apollo({"id": "viewer", "name": "Viewer", "type": "query", "body": TEXT}), "viewer"),
    ],
    ids=["sha256", "prefixed", "sha1", "md5", "custom", "own-prefix", "apollo", "apollo-custom"],
)
def test_a_document_is_known_by_its_own_hash_and_by_its_tools_id(manifest, alias):
    assert read(manifest) == [Entry(sha256=SHA256, alias=alias, text=TEXT)]


@pytest.mark.parametrize(
    ("manifest", "fault"),
    [
        ([TEXT], "The manifest must be an object: ids with documents, or Apollo's format."),
        ({}, "The manifest has no documents."),
        ({SHA256: ""}, f"Document 1 ('{SHA256}') has no id or no text."),
        ({SHA256: {"text": TEXT}}, f"Document 1 ('{SHA256}') has no id or no text."),
        (
            {SHA256: OTHER},
            (f"'{SHA256}' is not the SHA256 of its document, which is"
            f" {hashlib.sha256(OTHER.encode()).hexdigest()}."),
        ),
        (
            {MD5: OTHER},
            (f"'{MD5}' is not the MD5 of its document, which is"
            f" {hashlib.md5(OTHER.encode(), usedforsecurity=False).hexdigest()}."),
        ),
        ({"sha256:abc": TEXT}, "'sha256:abc' cannot be the id of a document."),
        ({f"sha256:{SHA1}": TEXT}, f"'sha256:{SHA1}' cannot be the id of a document."),
        ({"a b": TEXT}, "'a b' cannot be the id of a document."),
        ({"a": TEXT, "b": TEXT}, "'b' and 'a' are the same."),
        (apollo(version=2), ('Of manifests with operations, "apollo-persisted-query-manifest"'
         " version 1 is known.")),
        (apollo({"id": "a"}), "Document 1 ('a') has no id or no text."),
        (apollo("a"), "Document 1 (None) has no id or no text."),
        (apollo(operations=1), "The operations must be a list."),
    ],
    ids=range(14),
)  # fmt: skip
def test_a_manifest_that_cannot_be_is_refused_with_the_place(manifest, fault):
    with pytest.raises(BadManifest) as refusal:
        read(manifest)
    assert str(refusal.value) == fault


def test_what_is_no_json_is_refused():
    with pytest.raises(BadManifest, match="The manifest is not JSON"):
        entries_of(b"{")
