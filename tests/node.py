"""Other people's JavaScript, run by Node.js.  CI must have it; elsewhere such tests are skipped."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

_CI = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]


def installed(folder: Path) -> Path:
    """Return a folder with the packages of its lock, installed by hash unless they are there."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs Node.js and npm, or nothing tries the clients of others")
        pytest.skip("Node.js and npm are not installed")
    lock, done = folder / "package-lock.json", folder / "node_modules" / ".package-lock.json"
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # test processes side by side must not install at once
        if not done.exists() or done.stat().st_mtime < lock.stat().st_mtime:
            subprocess.run(_CI, cwd=folder, check=True, capture_output=True, timeout=600)
            done.touch()
    return folder


async def node(folder: Path, *command: str, **environment: str) -> str:
    """Run a program to its end and return what it printed; it must not fail."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**_inherited(), **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, f"{output.decode()}\n{errors.decode()}"
    return output.decode()


def _inherited() -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR")}
