"""Fetching GraphiQL: npm brings it, and every byte of it is checked."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.web import graphiql
from api.web.graphiql import Package
from infra.cli import app
from infra.cli.explorer import install
from infra.cli.faults import CommandFailed

FILES = {"dist/one.js": b"one", "two.css": b"two"}


def packed(files: dict[str, bytes]) -> bytes:
    """Return an archive as npm packs it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One package, packed, and pinned in place of GraphiQL's."""
    folder = tmp_path / "archives"
    folder.mkdir()
    content = packed({**FILES, "never/taken.js": b"?"})
    (folder / "words-1.0.0.tgz").write_bytes(content)
    digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
    files = {name: hashlib.sha256(text).hexdigest() for name, text in FILES.items()}
    pins = {"words@1.0.0": Package(archive=f"sha512-{digest}", files=files)}
    monkeypatch.setattr(graphiql, "packages", lambda: pins)
    monkeypatch.setattr(graphiql, "FOLDER", tmp_path / "served")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def test_what_was_pinned_is_taken_and_nothing_else(archives: Path) -> None:
    (archives.parent / "served").mkdir()
    (archives.parent / "served" / "old.js").write_text("of another version")

    outcome = CliRunner().invoke(app, ["explorer", "fetch", "--from", str(archives)])

    assert (outcome.exit_code, outcome.output) == (0, f"GraphiQL is in {graphiql.FOLDER}\n")
    assert contents(graphiql.FOLDER) == {"one.js": b"one", "two.css": b"two"}
    assert sorted(path.name for path in archives.parent.iterdir()) == ["archives", "served"]


def test_what_is_here_is_not_fetched_again(archives: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(archives, graphiql.FOLDER)
    monkeypatch.setenv("PATH", "")
    outcome = CliRunner().invoke(app, ["explorer", "fetch"])
    assert (outcome.exit_code, outcome.output) == (0, "")


@pytest.mark.parametrize("content", [packed(FILES), b"", None], ids=["other", "empty", "missing"])
def test_an_archive_that_is_not_the_one_we_know_is_not_even_opened(
    archives: Path, content: bytes | None
) -> None:
    (archives / "words-1.0.0.tgz").unlink()
    if content is not None:
        (archives / "words-1.0.0.tgz").write_bytes(content)
    with pytest.raises(CommandFailed, match=r"words-1\.0\.0\.tgz is not the package we know"):
        install(archives, graphiql.FOLDER)
    assert contents(graphiql.FOLDER) == {}


@pytest.mark.usefixtures("archives")
def test_without_npm_it_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    reason = "npm is not installed, so the explorer at /graphql stays the small one."

    outcome = CliRunner().invoke(app, ["explorer", "fetch", "--lenient"])
    assert (outcome.exit_code, outcome.output) == (0, f"  without GraphiQL: {reason}\n")

    outcome = CliRunner().invoke(app, ["explorer", "fetch"])
    assert outcome.exit_code == 1
    assert str(outcome.exception) == reason


@pytest.mark.usefixtures("archives")
def test_an_npm_that_fails_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "npm").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = CliRunner().invoke(app, ["explorer", "fetch", "--lenient"])
    reason = "npm could not fetch it, so the explorer at /graphql stays the small one."
    assert (outcome.exit_code, outcome.output) == (0, f"  without GraphiQL: {reason}\n")
