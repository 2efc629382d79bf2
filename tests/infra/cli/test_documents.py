"""`smarketing documents` and `smarketing limits`, run as commands."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.infra.test_cli import Run, one_line, run

__all__ = ["run"]

GOOD = "query Viewer { viewer { permissions } }"


@pytest.fixture
def client() -> str:
    return f"web-{uuid4().hex[:12]}"


def a_manifest(folder: Path, *texts: str) -> str:
    path = folder / "persisted-documents.json"
    hashes = [hashlib.sha1(t.encode(), usedforsecurity=False).hexdigest() for t in texts]
    path.write_text(json.dumps(dict(zip(hashes, texts, strict=True))))
    return str(path)


def test_a_manifest_is_uploaded_listed_and_removed(run: Run, client: str, tmp_path: Path) -> None:
    manifest, sha256 = a_manifest(tmp_path, GOOD), hashlib.sha256(GOOD.encode()).hexdigest()
    sha1 = hashlib.sha1(GOOD.encode(), usedforsecurity=False).hexdigest()

    first = run("documents", "upload", "--client", client, manifest)
    again = run("documents", "upload", "--client", client, manifest)
    mode = run("documents", "mode", "--client", client, "only")
    listed = run("documents", "list")
    removed = run("documents", "remove", "--client", client)

    mapped = f"  {sha1} is sha256:{sha256}\n"
    assert first.stdout == f"{client}: 1 added, 0 there already.\n{mapped}"
    assert again.stdout == f"{client}: 0 added, 1 there already.\n{mapped}"
    assert mode.stdout == f"{client}: only, within two seconds everywhere.\n"
    (line,) = [line for line in listed.stdout.splitlines() if client in line]
    assert line.split()[:3] == [client, "only", "1"]
    assert removed.stdout == f"{client}: 1 removed.\n"


def test_one_document_that_cannot_run_keeps_all_out(run: Run, client: str, tmp_path: Path) -> None:
    bad = "query Bad {\n  viewer { shoeSize }\n}"
    manifest = a_manifest(tmp_path, GOOD, bad)

    done = run("documents", "upload", "--client", client, manifest)

    assert done.returncode == 1
    first, second = done.stderr.strip().splitlines()
    assert first == "Nothing was uploaded."
    named = hashlib.sha1(bad.encode(), usedforsecurity=False).hexdigest()
    assert second.startswith(f"{named} line 2, column 12: Cannot query field 'shoeSize'")
    assert client not in run("documents", "list").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("remove", "--client", "nobody"), "There is no client 'nobody'"),
        (("mode", "--client", " ", "only"), "A client's name has 1 to 80 characters."),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    run: Run, arguments: tuple[str, ...], said: str
) -> None:
    done = run("documents", *arguments)

    assert done.returncode == 1
    assert one_line(done).startswith(said)


def test_bounds_are_shown_as_they_are_in_force(run: Run) -> None:
    shown = run("limits", "show", MAX_DOCUMENT_DEPTH="9").stdout.splitlines()

    assert ["MAX_DOCUMENT_DEPTH", "9", "(usually", "15)"] in [line.split() for line in shown]
    assert ["MAX_DOCUMENT_ALIASES", "100"] in [line.split() for line in shown]


def test_a_tenant_that_is_not_there_has_no_limit(run: Run) -> None:
    done = run("limits", "set", "--tenant", "nobody", "--cost", "5")

    assert (done.returncode, one_line(done)) == (1, "There is no tenant 'nobody'.")


def test_a_tenant_can_have_a_bucket_of_its_own(run: Run, database_urls: Any) -> None:
    slug = f"own-{uuid4().hex[:8]}"
    made = run(
        *("tenant", "create", slug, "--name", "Own", "--owner-name", "Olive"),
        *("--owner-email", f"{slug}@example.com"),
        SMARKETING_PASSWORD="winter-oaks-17-lanterns",
    )
    assert made.returncode == 0, made.stderr

    assert run("limits", "set", "--tenant", slug, "--cost", "5000").stdout == (
        f"{slug}: 5,000 a minute.\n"
    )
    assert f"COST_PER_TENANT of {slug}" in run("limits", "show").stdout
    assert (
        run("limits", "set", "--tenant", slug, "--cost", "0").stdout == f"{slug}: as everybody.\n"
    )
    assert slug not in run("limits", "show").stdout
