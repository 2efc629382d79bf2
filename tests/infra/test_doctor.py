from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from infra import doctor
from infra.doctor import (
    Finding,
    embedded_server,
    examine,
    free_port,
    free_space,
    python_version,
    reachable_database,
    venv_module,
    writable,
)

DOCTOR = Path(doctor.__file__)


@pytest.fixture
def busy_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield str(listener.getsockname()[1])


@pytest.mark.parametrize("version", [(3, 11), (3, 14)])
def test_a_python_that_the_locks_are_made_for_is_well(version):
    assert python_version(version).advice is None


@pytest.mark.parametrize("version", [(2, 7), (3, 10), (3, 15)])
def test_another_python_is_named_with_the_way_out(version):
    found = python_version(version)

    assert found.what == "Python {}.{}".format(*version)
    assert found.advice == (
        "Python 3.11 to 3.14 is needed.  Install one, or point at it: "
        "`make demo PYTHON=/path/to/python3.11`."
    )


def test_a_missing_venv_module_is_explained(monkeypatch):
    monkeypatch.setattr(doctor, "find_spec", lambda name: None if name == "ensurepip" else object())
    version = "{}.{}".format(*sys.version_info[:2])

    assert venv_module() == Finding(
        "venv and pip",
        "Python's module ensurepip is missing.  "
        f"On Debian and Ubuntu: `apt-get install python{version}-venv`.",
    )


def test_an_unwritable_folder_is_explained(tmp_path):
    (tmp_path / ".venv").touch()

    assert writable(tmp_path).advice == (
        f"Cannot write to {tmp_path}/.venv: Not a directory.  If it was made by another user "
        "(root?), give it back with `chown -R`, or clone into a folder of your own."
    )


def test_a_full_disk_is_explained(tmp_path):
    assert free_space(tmp_path, needed=0).advice is None
    assert free_space(tmp_path, needed=1 << 60).advice == (
        f"Make room on the disk of {tmp_path}: about 1 GiB is needed."
    )


def test_a_busy_port_is_explained(busy_port):
    assert free_port(port=busy_port) == Finding(
        f"port {busy_port} on 127.0.0.1",
        "Address already in use.  Stop what uses it, or choose another: `make demo PORT=8001`.",
    )


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1"])
def test_a_port_that_is_none_is_explained(port):
    assert free_port(port=port).advice == f"PORT must be a number from 1 to 65535, not {port!r}."


@pytest.mark.parametrize(
    ("system", "machine", "libc", "well"),
    [
        ("linux", "x86_64", "glibc", True),
        ("linux", "aarch64", "glibc", True),
        ("darwin", "arm64", "", True),
        ("linux", "x86_64", "", False),  # musl
        ("linux", "riscv64", "glibc", False),
        ("win32", "AMD64", "", False),
    ],
)
def test_a_machine_without_an_embedded_server_is_told_of_database_url(system, machine, libc, well):
    advice = embedded_server(system, machine, libc).advice

    assert (advice is None) is well
    assert well or "Set DATABASE_URL" in str(advice)


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("mysql://u@h/d", "DATABASE_URL must begin with postgresql://"),
        ("postgresql://u@h:x/d", "DATABASE_URL is not an address: postgresql://user:password"),
        ("postgresql://u@127.0.0.1:1/d", "No answer ([Errno 111] Connection refused).  Is the"),
        ("postgresql://u@/d?host=/nowhere", "No answer ([Errno 2] No such file or directory)."),
    ],
)
def test_an_address_where_no_database_answers_is_explained(url, advice):
    assert str(reachable_database(url).advice).startswith(advice)


def test_a_server_that_refuses_us_is_quoted(cluster):
    other = cluster.replace("postgresql://", "postgresql://no_such_role_", 1)

    assert "The server refuses us" in str(reachable_database(other).advice)


def test_a_server_that_is_well_says_its_version(cluster):
    found = reachable_database(cluster)

    assert found.advice is None
    assert found.what.startswith("PostgreSQL 1")


def test_a_server_that_is_too_old_is_refused(cluster, monkeypatch):
    monkeypatch.setattr(doctor, "OLDEST_POSTGRES", 99)

    assert reachable_database(cluster).advice == (
        "It is too old: PostgreSQL 99 or later is needed."
    )


def test_the_port_matters_only_to_who_serves(tmp_path, busy_port):
    environ = {"PORT": busy_port}

    assert [f for f in examine(environ, root=tmp_path, serving=False) if f.advice] == []
    assert [f.what for f in examine(environ, root=tmp_path) if f.advice] == [
        f"port {busy_port} on 127.0.0.1"
    ]


def test_it_runs_as_a_plain_file_before_anything_is_installed(busy_port):
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-I", "-S", DOCTOR, *arguments],
            env={"PORT": busy_port},
            capture_output=True,
            text=True,
            check=False,
        )

    well, ill = run("--quiet", "--not-serving"), run("--quiet")

    assert (well.returncode, well.stdout, well.stderr) == (0, "", "")
    assert (ill.returncode, ill.stdout) == (1, "")
    assert ill.stderr == (
        f"✗ port {busy_port} on 127.0.0.1\n"
        "  Address already in use.  Stop what uses it, or choose another: `make demo PORT=8001`.\n"
    )
