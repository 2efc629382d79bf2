"""The front end's guide: its files compile strictly, and its programs print what it says."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from graphql import parse

from api.engine.masking import ErrorCode
from api.operations import FOLDER, documented_operations
from infra.database import Database
from infra.passwords import Passwords
from tests.api.front_end.guide import GUIDE, File, Program, parts
from tests.api.offices import Office, open_office
from tests.api.sites import Site, a_site
from tests.conftest import ROOT, DatabaseUrls
from tests.node import installed
from tests.passwords import QUICK

_HERE = Path(__file__).parent
_SECONDS = 300

pytestmark = pytest.mark.node


async def run(*command: str, cwd: Path, **environment: str) -> str:
    """Return what a command prints; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = b""
    try:
        async with asyncio.timeout(_SECONDS):
            async for line in process.stdout or ():
                output += line
    except TimeoutError:
        process.kill()
        output += b"and then nothing more"
    assert await process.wait() == 0, output.decode()
    return output.decode()


@pytest.fixture(scope="module")
def packages() -> Path:
    """What a front end installs, by npm and its lock."""
    return installed(_HERE) / "node_modules"


@pytest.fixture
async def site(database_urls: DatabaseUrls) -> AsyncIterator[Site]:
    async with a_site(database_urls) as site:
        yield site


@pytest.fixture
async def office(database_urls: DatabaseUrls) -> AsyncIterator[Office]:
    database = await Database.connect(
        database_urls.app, database_urls.platform, size=2, wait_seconds=60
    )
    passwords = Passwords(QUICK)
    yield await open_office(database, passwords)
    passwords.close()
    await database.close()


@pytest.fixture
def folder(packages: Path, tmp_path: Path) -> Path:
    """The reader's folder: our schema and operations, and what the guide says to write."""
    folder = tmp_path / "front-end"
    (folder / "src").mkdir(parents=True)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(packages)
    shutil.copy(ROOT / "api" / "schema.graphql", folder)
    shutil.copytree(FOLDER, folder / "operations", ignore=shutil.ignore_patterns("*.py", "__*"))
    for part in parts():
        name = part.name if isinstance(part, File) else f"src/{part.name}.{part.language}"
        (folder / name).write_text(part.text, encoding="utf-8")
    return folder


@pytest.fixture
async def operator(database_urls: DatabaseUrls, tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """Whoever runs the service: its command and its database, for the guide's client alone."""
    programs = tmp_path / "bin"
    programs.mkdir()
    command = programs / "smarketing"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m infra.cli "$@"\n')
    command.chmod(0o755)
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": database_urls.owner,
        "APP_DATABASE_URL": database_urls.app,
        "PLATFORM_DATABASE_URL": database_urls.platform,
    }
    yield environment
    for what in (("mode", "allow"), ("remove",)):
        await run(str(command), "documents", *what, "--client", "web", cwd=tmp_path, **environment)


async def test_the_guide_does_what_it_says(
    folder: Path, site: Site, office: Office, operator: dict[str, str]
) -> None:
    environment = {
        **operator,
        "PATH": f"{folder / 'node_modules' / '.bin'}:{operator['PATH']}",
        "SMARKETING_URL": site.url,
        "SMARKETING_EMAIL": office.email,
        "SMARKETING_PASSWORD": office.password,
    }
    for program in (part for part in parts() if isinstance(part, Program)):
        output = await execute(program, folder, environment)
        # Documents that a command changed are known within two seconds, which nobody waits here.
        site.app.state.process.edge.documents._read_at = float("-inf")
        assert program.printed(output), f"{GUIDE.name}:{program.line} prints:\n{output}"
    known(json.loads((folder / "src" / "gql" / "persisted-documents.json").read_text()))
    assert await site.settled()


async def execute(program: Program, folder: Path, environment: dict[str, str]) -> str:
    if program.language == "sh":
        return await run("sh", "-e", f"src/{program.name}.sh", cwd=folder, **environment)
    bundle = f"built/{program.name}.mjs"
    await run(
        "esbuild", f"src/{program.name}.ts", "--bundle", "--platform=node", "--format=esm",
        f"--outfile={bundle}", "--log-level=warning", cwd=folder, **environment,
    )  # fmt: skip
    preload = str(_HERE / "websocket.mjs")
    return await run("node", "--import", preload, bundle, cwd=folder, **environment)


def known(manifest: dict[str, str]) -> None:
    """Check that the manifest has every documented operation, under its right hash."""
    names = {
        definition.name.value  # type: ignore[attr-defined]  # operations and fragments have names
        for text in manifest.values()
        for definition in parse(text).definitions
    }
    documented = {
        definition.name.value  # type: ignore[attr-defined]  # as above
        for operation in documented_operations()
        for definition in parse(operation.document).definitions
    }
    assert names == {*documented, "MyOpenHandoffs"}
    for key, text in manifest.items():
        assert key == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def test_every_code_of_an_error_is_explained() -> None:
    rows = re.findall(r"^\| (`[^|]*`) \|", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    explained = {code for row in rows for code in re.findall(r"`([A-Z_]+)`", row)}
    assert explained == set(ErrorCode)
