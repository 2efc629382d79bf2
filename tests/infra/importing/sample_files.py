"""The real files: where they are, and how they are imported in tests."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from domain.identity import system
from domain.import_jobs import open_import
from domain.uploads import ImportJob, JobStatus
from infra.importing import chunks_of
from infra.importing.jobs import Importer
from tests.world import World

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("SMARKETING_DATA") or ROOT.parent / "shared" / "data")
MAPPINGS = ROOT / "docs" / "mappings"
ZONE = ZoneInfo("America/Sao_Paulo")

NEEDS_SAMPLE_DATA = [
    pytest.mark.sample_data,
    pytest.mark.skipif(
        not (DATA / "olist_mqls.csv").exists() or not (DATA / "olist_closed_deals.csv").exists(),
        reason="the sample files are not here; set SMARKETING_DATA to the folder that holds them",
    ),
]


def rows_of(name: str) -> list[dict[str, str]]:
    with (DATA / f"olist_{name}.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def first_contacts() -> dict[str, datetime]:
    rows = rows_of("mqls")
    return {row["mql_id"]: _local(row["first_contact_date"], "%m/%d/%Y") for row in rows}


def wins() -> dict[str, datetime]:
    rows = rows_of("closed_deals")
    return {row["mql_id"]: _local(row["won_date"], "%m/%d/%Y %H:%M") for row in rows}


def _local(text: str, style: str) -> datetime:
    return datetime.strptime(text, style).replace(tzinfo=ZONE)


async def imported(world: World, name: str, *, by: str | None = None) -> ImportJob:
    """Import one of the files, by the mapping of its own name unless another is named."""
    path = DATA / f"olist_{name}.csv"
    content = path.read_bytes()
    async with world.work() as work:
        job = await open_import(
            work,
            system(world.tenant.id),
            file_name=path.name,
            fingerprint=hashlib.sha256(content).hexdigest(),
            mapping=(MAPPINGS / f"olist_{by or name}.toml").read_text(),
            dry_run=False,
            total_bytes=len(content),
        )

    async def chunks() -> AsyncIterator[bytes]:
        for chunk in chunks_of(path):
            yield chunk

    return await Importer(world.database, world.tenant.id, job).run(chunks())


def counts(job: ImportJob) -> tuple[JobStatus, int, int, int, int, int]:
    return job.status, job.rows, job.created, job.updated, job.unchanged, job.failed
