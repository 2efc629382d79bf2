"""The disk of the database is full: writes are refused, reads go on, nothing told is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from infra.embedded import EmbeddedPostgres
from infra.migrate import upgrade
from tests.api.sites import a_site, key_of
from tests.conftest import DatabaseUrls
from tests.faults.places import OwnPostgres, a_tenant, until
from tests.faults.writers import account_for, writing

TEAMS = {"query": "{ teams { nodes { name } } }"}
# In MiB.  The log has a segment of its own already; so what first wants for room is a table.
ROOM = 300


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system that is soon full, where the server's own user may go too."""
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or not mount or not unmount:
        pytest.skip("only root may mount a small disk")
    place = tempfile.mkdtemp(prefix="smarketing-disk-", dir="/var/tmp")  # ours alone
    options = ["-t", "tmpfs", "-o", f"size={ROOM}m,mode=755", "tmpfs", place]
    if subprocess.run([mount, *options], capture_output=True, check=False).returncode:
        pytest.skip("nothing may be mounted here")
    yield Path(place)
    subprocess.run([unmount, "-l", place], check=True)
    Path(place).rmdir()


@pytest.fixture
async def postgres_on_it(small_disk: Path) -> AsyncIterator[OwnPostgres]:
    """A server whose data is on the small disk."""
    with EmbeddedPostgres(small_disk / "postgres") as server:
        await upgrade(server.url())
        assert server._data.is_relative_to(small_disk)
        yield OwnPostgres(server, DatabaseUrls.of(server.url()))


async def test_writes_are_refused_reads_go_on_and_nothing_told_is_lost(
    postgres_on_it: OwnPostgres, small_disk: Path
) -> None:
    filler = small_disk / "filler"
    async with (
        a_tenant(postgres_on_it.urls) as tenant,
        a_site(postgres_on_it.urls) as site,
    ):
        key = await key_of(site, tenant)
        headers = {"authorization": f"Bearer {key}"}
        async with (
            writing(site.url, key, clients=2) as ledger,
            httpx.AsyncClient(base_url=site.url, timeout=60, headers=headers) as client,
        ):
            disk = os.statvfs(small_disk)
            with filler.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, disk.f_bavail * disk.f_frsize)
            await until(lambda: _refuses(ledger.answers), within=60)
            read = await client.post("/graphql", json=TEAMS)
            filler.unlink()
            await ledger.more(4, within=60)
        await account_for(tenant, ledger)

    assert read.status_code == 200
    assert ledger.failed


async def _refuses(answers: list[str]) -> bool:
    return "503 SERVICE_UNAVAILABLE FAILED" in answers
