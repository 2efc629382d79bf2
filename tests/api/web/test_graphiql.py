"""Serving GraphiQL's files: what is pinned, and nothing else."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from api.web import graphiql
from api.web.explorer import Explorer
from api.web.graphiql import GraphiqlFiles, Package, graphiql_asset

FILES = {
    "graphiql.min.css": b"body {}",
    "graphiql.min.js": b"let graphiql",
    "react.production.min.js": b"let react",
    "react-dom.production.min.js": b"let dom",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Small files under the real names, pinned."""
    hashes = {f"umd/{name}": hashlib.sha256(text).hexdigest() for name, text in FILES.items()}
    pins = {"all@1.0.0": Package(archive="sha512-", files=hashes)}
    monkeypatch.setattr(graphiql, "packages", lambda: pins)
    return tmp_path / "graphiql"


def fetched(folder: Path) -> None:
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)


@pytest.fixture
async def client(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    explorer = Explorer(GraphiqlFiles(folder))
    app = Starlette(routes=[Route("/graphql", explorer.show), explorer.route])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://site.test") as client:
        yield client


async def test_the_small_page_is_shown_until_the_files_come(
    client: httpx.AsyncClient, folder: Path
) -> None:
    assert "This is the small explorer." in (await client.get("/graphql")).text
    assert (await client.get(graphiql_asset("graphiql.min.js"))).status_code == 404

    fetched(folder)

    assert "Loading GraphiQL" in (await client.get("/graphql")).text


async def test_a_file_that_is_not_what_was_pinned_is_never_served(
    client: httpx.AsyncClient, folder: Path
) -> None:
    fetched(folder)
    (folder / "graphiql.min.js").write_bytes(b"let evil")

    assert "This is the small explorer." in (await client.get("/graphql")).text
    assert (await client.get(graphiql_asset("graphiql.min.js"))).status_code == 404


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_a_file_is_kept_for_ever_under_its_own_address(
    client: httpx.AsyncClient, folder: Path, encoding: str
) -> None:
    fetched(folder)
    answer = await client.get(
        graphiql_asset("graphiql.min.js"), headers={"accept-encoding": encoding}
    )
    assert answer.content == b"let graphiql"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["vary"] == "Accept-Encoding"
    zipped = len(gzip.compress(b"let graphiql")) if encoding == "gzip" else len(b"let graphiql")
    assert answer.headers["content-length"] == str(zipped)

    old = await client.get("/static/graphiql/0123456789abcdef/graphiql.min.js")
    assert (old.content, old.headers["cache-control"]) == (b"let graphiql", "no-cache")
    for name in ("nothing.js", "..%2Fgraphiql.json"):
        assert (await client.get(f"/static/graphiql/0123/{name}")).status_code == 404


async def test_each_page_allows_a_style_of_its_own_and_no_inline_script(
    client: httpx.AsyncClient, folder: Path
) -> None:
    fetched(folder)
    policies = [(await client.get("/graphql")).headers["content-security-policy"] for _ in range(2)]
    nonces = [policy.partition("'nonce-")[2].partition("'")[0] for policy in policies]
    assert nonces[0] != nonces[1]
    assert policies[0] == (
        "default-src 'none'; script-src 'self'; "
        f"style-src 'self' 'nonce-{nonces[0]}'; img-src 'self' data:; font-src data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
