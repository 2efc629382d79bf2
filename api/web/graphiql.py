"""GraphiQL's files: whose they are, where they lie, and how they are served.

They are other people's work and so not kept in our source.  `smarketing explorer fetch` brings
them; what is not byte for byte what `graphiql.json` says is never served.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path, PurePosixPath

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FOLDER = Path(__file__).parent / "graphiql"
"""Ignored by git; part of the image."""
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


class Package(msgspec.Struct, frozen=True):
    """A package that GraphiQL is made of."""

    archive: str
    """The archive's hash, as npm writes it: `sha512-` and Base64."""
    files: dict[str, str]
    """What we take out of it, with its SHA-256 in hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A file, as it is and compressed: the largest has a megabyte."""

    content: bytes
    zipped: bytes


@cache
def packages() -> Mapping[str, Package]:
    """Return the packages by name and version, as npm names them."""
    pins = Path(__file__).with_name("graphiql.json").read_bytes()
    return msgspec.json.decode(pins, type=dict[str, Package])


def hashes() -> Mapping[str, str]:
    """Return the names of the files we serve and their SHA-256."""
    return {
        PurePosixPath(path).name: digest
        for package in packages().values()
        for path, digest in package.files.items()
    }


def graphiql_asset(name: str) -> str:
    """Return the address of one of the files."""
    return f"/static/graphiql/{hashes()[name][:16]}/{name}"


class GraphiqlFiles:
    """The files of one folder, read when first asked for: they may come while we run."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or FOLDER
        self._files: Mapping[str, Packed] | None = None
        self.route = Route("/static/graphiql/{digest}/{name}", self._serve, methods=["GET"])

    async def are_here(self) -> bool:
        """Tell whether all of them are here, and are what they should be."""
        if self._files is None and self._folder.is_dir():
            self._files = await asyncio.to_thread(_read, self._folder)
        return self._files is not None

    async def _serve(self, request: Request) -> Response:
        name, digest = request.path_params["name"], request.path_params["digest"]
        if not await self.are_here() or self._files is None or name not in self._files:
            raise HTTPException(404)
        current = hashes()[name].startswith(digest)
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable" if current else "no-cache",
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
        }
        file, zips = self._files[name], "gzip" in request.headers.get("accept-encoding", "")
        if zips:
            headers["Content-Encoding"] = "gzip"
        content = file.zipped if zips else file.content
        return Response(content, media_type=_TYPES[Path(name).suffix], headers=headers)


def _read(folder: Path) -> Mapping[str, Packed] | None:
    files = {}
    for name, digest in hashes().items():
        path = folder / name
        content = path.read_bytes() if path.is_file() else b""
        if sha256(content).hexdigest() != digest:
            return None
        files[name] = Packed(content, gzip.compress(content, mtime=0))
    return files
