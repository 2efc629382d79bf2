"""Ports to listen on that nobody else takes meanwhile.

Between asking the system for a free port and listening on it, another program may be given the
same one, for its own connection to somewhere.  So these are of a range from which the system gives
none, and each is claimed, for as long as the test process lives, by a lock on a file.
"""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from pathlib import Path
from typing import IO

# Below what Linux (32768) and macOS (49152) give to connections.
_PORTS = range(20_000, 32_000)
_CLAIMS = Path(tempfile.gettempdir()) / f"smarketing-test-ports-{os.geteuid()}"
_claimed: dict[int, IO[bytes]] = {}


def free_port() -> int:
    """Return a port that nobody listens on, and that no other test process will be told."""
    _CLAIMS.mkdir(exist_ok=True)
    # Each process begins elsewhere, so that it seldom meets what others have claimed.
    first = os.getpid() * 101 % len(_PORTS)
    for port in (*_PORTS[first:], *_PORTS[:first]):
        if port not in _claimed and _claim(port):
            return port
    raise AssertionError("no port is free")


def _claim(port: int) -> bool:
    file = (_CLAIMS / str(port)).open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        file.close()
        return False
    _claimed[port] = file
    return True
