"""What a running process knows of the documents that the command line changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from infra.database import Database, Unavailable
from infra.edge_limits import DocumentMode
from infra.trusted_documents import Change, Entry, Keeper, TrustedDocuments, entries_of
from infra.trusted_documents.keeping import AliasTaken, UnknownClient
from infra.trusted_documents.library import ClientTerms
from tests.infra.trusted_documents.test_manifest import OTHER, TEXT
from tests.infra.trusted_documents.test_manifest import SHA256 as HASH

ALLOW, OFF, ONLY = DocumentMode.ALLOW, DocumentMode.OFF, DocumentMode.ONLY
ENTRY = Entry(sha256=HASH, alias="viewer", text=TEXT)


@pytest.fixture
def keeper(database_urls: Any) -> Keeper:
    return Keeper(database_urls.owner)


@pytest.fixture
def client() -> str:
    """A front end of this test only."""
    return f"web-{uuid4().hex[:12]}"


@pytest.fixture
def time() -> dict[str, float]:
    return {"now": 0.0}


@pytest.fixture
def library(database: Database, time: dict[str, float]) -> Callable[..., TrustedDocuments]:
    def library(mode: DocumentMode = ALLOW) -> TrustedDocuments:
        return TrustedDocuments(database, mode, monotonic=lambda: time["now"])

    return library


async def found(documents: TrustedDocuments, client: str, document_id: str) -> str | None:
    return await documents.text(await documents.terms(client), document_id)


async def test_a_document_is_found_by_either_id_and_for_its_client_only(
    keeper: Keeper, client: str, library: Callable[..., TrustedDocuments]
) -> None:
    assert await keeper.upload(client, [ENTRY]) == Change(added=1, unchanged=0)
    documents = library()

    assert await found(documents, client, f"sha256:{HASH}") == TEXT
    assert await found(documents, client, "viewer") == TEXT
    assert await found(documents, client, HASH) is None
    assert await found(documents, f"{client}-2", "viewer") is None
    assert await found(documents, client, "x\0") is None
    assert await found(documents, client, "x" * 5_000) is None


async def test_what_is_uploaded_again_stays(keeper: Keeper, client: str) -> None:
    await keeper.upload(client, [ENTRY])

    assert await keeper.upload(client, [ENTRY]) == Change(added=0, unchanged=1)


async def test_an_id_never_comes_to_mean_another_document(
    keeper: Keeper, client: str, library: Callable[..., TrustedDocuments]
) -> None:
    await keeper.upload(client, [ENTRY])
    (other,) = entries_of(b'{"viewer": "%s"}' % OTHER.encode())

    with pytest.raises(AliasTaken):
        await keeper.upload(client, [other])

    assert await found(library(), client, "viewer") == TEXT


@pytest.mark.parametrize(
    ("modes", "forms"),
    [
        ((ALLOW, ALLOW), (True, True)),
        ((ALLOW, ONLY), (True, False)),
        ((ALLOW, OFF), (False, True)),
        ((ONLY, ALLOW), (True, False)),
        ((OFF, ALLOW), (False, True)),
        ((ONLY, OFF), (False, False)),
    ],
)
async def test_the_stricter_mode_holds(
    keeper: Keeper,
    client: str,
    library: Callable[..., TrustedDocuments],
    modes: tuple[DocumentMode, DocumentMode],
    forms: tuple[bool, bool],
) -> None:
    installation, own = modes
    await keeper.set_mode(client, own)

    terms = await library(installation).terms(client)

    assert (terms.client, (terms.ids, terms.texts)) == (client, forms)


async def test_a_client_that_nobody_knows_is_the_default_one(
    library: Callable[..., TrustedDocuments],
) -> None:
    for name in (None, "", "nobody"):
        terms = await library(ONLY).terms(name)
        assert (terms.client, terms.ids, terms.texts) == ("default", True, False)


async def test_a_change_is_seen_after_a_second_and_until_then_what_was_known(
    keeper: Keeper,
    client: str,
    library: Callable[..., TrustedDocuments],
    time: dict[str, float],
) -> None:
    await keeper.upload(client, [ENTRY])
    documents = library()
    assert await found(documents, client, "viewer") == TEXT

    await keeper.remove(client)
    await keeper.set_mode(client, ONLY)
    time["now"] += 0.9
    assert await found(documents, client, "viewer") == TEXT
    time["now"] += 0.2

    assert await found(documents, client, "viewer") is None
    assert (await documents.terms(client)).texts is False


async def test_what_is_asked_for_stays_when_the_unused_is_removed(
    keeper: Keeper,
    client: str,
    library: Callable[..., TrustedDocuments],
    database: Database,
    database_urls: Any,
) -> None:
    (other,) = entries_of(b'{"other": "%s"}' % OTHER.encode())
    await keeper.upload(client, [ENTRY, other])
    documents = library()
    await found(documents, client, "viewer")
    await documents.note()
    await age(database_urls.owner, client)

    today = (await database.now()).date()
    assert await keeper.remove(client, unused_since=today) == 1
    assert await found(library(), client, "viewer") == TEXT
    assert await found(library(), client, "other") is None


async def age(owner_url: str, client: str) -> None:
    """Have the client's documents uploaded long ago: only the owner can."""
    connection = await asyncpg.connect(owner_url)
    await connection.execute(
        "UPDATE trusted_documents SET added_at = '2020-01-01' WHERE client = $1", client
    )
    await connection.close()


async def test_nothing_is_removed_of_a_client_that_is_not_there(keeper: Keeper) -> None:
    with pytest.raises(UnknownClient):
        await keeper.remove("nobody-at-all")


class Away:
    """A pool whose server is away."""

    async def fetch(self, *_: Any, **__: Any) -> Any:
        raise ConnectionRefusedError


async def test_while_the_database_is_away_the_last_that_was_known_holds(
    keeper: Keeper,
    client: str,
    library: Callable[..., TrustedDocuments],
    database: Database,
    time: dict[str, float],
) -> None:
    await keeper.set_mode(client, ONLY)
    documents, there = library(), database.platform
    known: ClientTerms = await documents.terms(client)
    database.platform = Away()  # type: ignore[assignment]  # as far as it is asked
    try:
        time["now"] += 60
        assert await documents.terms(client) == known
        with pytest.raises(Unavailable):
            await library().terms(client)
    finally:
        database.platform = there
