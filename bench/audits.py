"""`audits`: how many of graphql-http's audits of GraphQL over HTTP are passed, beside the stock."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess

import strawberry
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL

from bench.load import Failed, a_server
from bench.place import ROOT, a_place
from bench.report import Section
from bench.tenants import a_database, a_tenant, environment

_FOLDER = ROOT / "tests" / "api" / "transport" / "node"
OURS, STOCK = "ours", "stock Strawberry"


async def run() -> Section:
    """Audit the served application with an API key, and a stock server without."""
    scores = {}
    async with a_place("audits") as place, a_database(place) as database:
        tenant = await a_tenant(database)
        key = tenant.headers["Authorization"].removeprefix("Bearer ")
        with a_server("api.app:from_environment", environment(place, tenant)) as (port, _):
            scores[OURS] = await asyncio.to_thread(_score, port, key)
    with a_server("bench.audits:stock", os.environ) as (port, _):
        scores[STOCK] = await asyncio.to_thread(_score, port)
    rows = [f"| {name} | {score} |" for name, score in scores.items()]
    return Section(
        "audits",
        "Audits of GraphQL over HTTP",
        "The server audits of the npm package `graphql-http`; ours with an API key.",
        "\n".join(["| server | passed |", "| --- | ---: |", *rows]),
    )


def stock() -> Starlette:
    """Return a server of the stock library with nothing but a greeting."""

    @strawberry.type
    class Query:
        hello: str = "world"

    return Starlette(routes=[Route("/graphql", GraphQL(strawberry.Schema(Query)))])


def _score(port: int, *token: str) -> str:
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise Failed("the audits need Node.js and npm")
    if not (_FOLDER / "node_modules").exists():
        install = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(install, cwd=_FOLDER, check=True, capture_output=True)
    command = [node, "audit.mjs", f"http://127.0.0.1:{port}/graphql", *token]
    audit = subprocess.run(command, cwd=_FOLDER, check=True, capture_output=True, text=True)
    return audit.stdout.splitlines()[-1]
