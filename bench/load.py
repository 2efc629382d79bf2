"""Load on an HTTP server: by `wrk` where there is one, else by a small client of our own."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from itertools import cycle
from typing import Any
from uuid import uuid4

import orjson
import psutil

from bench.place import ROOT

CONNECTIONS = 6


class Failed(Exception):
    """A server did not answer as it should, so its figures mean nothing."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def a_server(factory: str, environ: Mapping[str, str]) -> Iterator[tuple[int, psutil.Process]]:
    """Start an application in a process of its own; give its port and process."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", factory, "--factory", "--port", str(port)]
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    command += ["--log-level", "warning", "--ws-per-message-deflate", "false"]
    command += ["--ws-ping-interval", "3600"]  # pings are the GraphQL protocol's own
    with subprocess.Popen(command, cwd=ROOT, env=dict(environ) | {"PORT": str(port)}) as process:
        try:
            _wait_for(port, process)
            yield port, psutil.Process(process.pid)
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Failed("the server stopped while it started")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise Failed("the server did not start")


async def requests(
    port: int, body: bytes, headers: Mapping[str, str], *, seconds: int, path: str = "/graphql"
) -> int:
    """Send one request again and again for some seconds; return how many were answered."""
    if shutil.which("wrk"):
        return await asyncio.to_thread(_wrk, port, body, headers, seconds, path)
    ends = asyncio.get_running_loop().time() + seconds
    bodies = cycle([body])
    return await _by_ourselves(port, bodies, headers, path=path, ends=ends)


async def each(
    port: int, bodies: Iterator[bytes], headers: Mapping[str, str], *, keyed: bool = False
) -> int:
    """Send every request once, each under a key of its own or none; return how many."""
    return await _by_ourselves(port, bodies, headers, path="/graphql", ends=None, keyed=keyed)


def _wrk(port: int, body: bytes, headers: Mapping[str, str], seconds: int, path: str) -> int:
    # Long brackets keep Lua from reading anything in the text.
    lines = ['wrk.method = "POST"', f"wrk.body = [==[{body.decode()}]==]"]
    lines += [f"wrk.headers[ [==[{name}]==] ] = [==[{value}]==]" for name, value in headers.items()]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write("\n".join(lines))
        script.flush()
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", script.name]
        url = f"http://127.0.0.1:{port}{path}"
        done = subprocess.run(
            [*command, url], capture_output=True, text=True, check=True
        )  # found by the caller
    answered = re.search(r"(\d+) requests in", done.stdout)
    if answered is None or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise Failed(done.stdout)
    return int(answered[1])


async def _by_ourselves(
    port: int,
    bodies: Iterator[bytes],
    headers: Mapping[str, str],
    *,
    path: str,
    ends: float | None,
    keyed: bool = False,
) -> int:
    async def send() -> int:
        answered = 0
        async with a_connection(port, headers, path) as ask:
            for body in bodies:
                await ask(body, f"Idempotency-Key: {uuid4()}\r\n" if keyed else "")
                answered += 1
                if ends is not None and asyncio.get_running_loop().time() > ends:
                    break
        return answered

    return sum(await asyncio.gather(*(send() for _ in range(CONNECTIONS))))


class Asking:
    """One kept-alive connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        head: bytes,
        *,
        picky: bool,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._head = head
        self._picky = picky

    async def __call__(self, body: bytes, more: str = "") -> bytes:
        """Send a request, with more lines of the head, and return the body of the answer."""
        self._writer.write(self._head % len(body) + more.encode() + b"\r\n" + body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        wrong = self._picky and not head.startswith(b"HTTP/1.1 200")
        if wrong or length is None:
            raise Failed(head.decode())
        return await self._reader.readexactly(int(length[1]))


@asynccontextmanager
async def a_connection(
    port: int, headers: Mapping[str, str], path: str = "/graphql", *, picky: bool = True
) -> AsyncIterator[Asking]:
    """Open a connection to send requests on; unless `picky`, whatever is answered will do."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Length: %d"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    try:
        yield Asking(reader, writer, ("\r\n".join(lines) + "\r\n").encode(), picky=picky)
    finally:
        writer.close()


async def answer(port: int, body: bytes, headers: Mapping[str, str]) -> Any:
    """Send one request and return what was answered."""
    async with a_connection(port, headers) as ask:
        return orjson.loads(await ask(body))
