"""Clients that keep writing, and remember what they were told of each write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from time import monotonic
from typing import Any

import httpx

from domain.feed import LoggedEvent
from domain.leads import Lead
from infra.outbox import publish_all
from tests.world import World

CREATE = """mutation($email: EmailAddress!) { leadCreate(input: {email: $email}) {
  lead { id } userErrors { code } } }"""

BUSY = 10
"""How many times longer things may take on a machine that is busy with others."""


@dataclass
class Ledger:
    """What became of every write, by the lead's address, and when the good ones were told."""

    acknowledged: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    told_at: list[float] = field(default_factory=list)
    calm: float = 0
    """The longest gap before anything was broken."""
    answers: list[str] = field(default_factory=list)
    """Everything told that was no success."""

    def gap(self, *, since: float = 0) -> float:
        """Return the longest time without an acknowledged write."""
        at = [moment for moment in self.told_at if moment >= since]
        at = [since, *at] if since else at
        return max((b - a for a, b in pairwise(at)), default=float("inf"))

    def bound(self, seconds: float) -> float:
        """Return a bound for a gap that takes so long where nothing else runs.

        It is wide, because a busy machine is no fault of ours, and below what anybody would wait
        who did not notice; `bench.faults` tells how long it takes.
        """
        return max(BUSY * seconds, 4 * self.calm)

    async def more(self, count: int = 1, *, within: float = 60) -> None:
        """Wait until so many more writes are acknowledged."""
        wanted = len(self.told_at) + count
        async with asyncio.timeout(within):
            while len(self.told_at) < wanted:  # noqa: ASYNC110  # nobody announces it
                await asyncio.sleep(0.005)


@asynccontextmanager
async def writing(url: str, key: str, *, clients: int = 4) -> AsyncIterator[Ledger]:
    """Write all the time, from several clients, until the block ends."""
    ledger = Ledger()
    stop = asyncio.Event()
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        client.headers["authorization"] = f"Bearer {key}"
        writers = [
            asyncio.create_task(_write(client, ledger, stop, number)) for number in range(clients)
        ]
        try:
            await ledger.more(clients * 5)
            ledger.calm = ledger.gap()
            yield ledger
        finally:
            stop.set()
            await asyncio.gather(*writers)


async def _write(
    client: httpx.AsyncClient, ledger: Ledger, stop: asyncio.Event, number: int
) -> None:
    count = 0
    while not stop.is_set():
        count += 1
        email = f"lead{number}.{count}@example.com"
        # Noted beforehand: whatever is not told otherwise may have happened.
        ledger.unknown.add(email)
        try:
            body = {"query": CREATE, "variables": {"email": email}}
            _note(ledger, email, await client.post("/graphql", json=body))
        except httpx.TransportError as error:
            ledger.answers.append(repr(error))
            await asyncio.sleep(0.02)


def _note(ledger: Ledger, email: str, answer: httpx.Response) -> None:
    told: dict[str, Any] = answer.json()
    if "errors" not in told:
        assert told["data"]["leadCreate"]["userErrors"] == [], told
        ledger.unknown.discard(email)
        ledger.acknowledged.add(email)
        ledger.told_at.append(monotonic())
        return
    extensions = told["errors"][0]["extensions"]
    ledger.answers.append(f"{answer.status_code} {extensions['code']} {extensions['outcome']}")
    if extensions["outcome"] == "FAILED":
        ledger.unknown.discard(email)
        ledger.failed.add(email)


async def account_for(world: World, ledger: Ledger) -> None:
    """Check what is stored against what was told, and that each event was numbered once."""
    stored, log = await _kept(world)
    async with asyncio.timeout(60):
        # What nobody waited for any more may only just be committed.
        while len(stored) != len([event for event in log if event.kind == "LeadCreated"]):
            stored, log = await _kept(world)
    assert len(stored) == len(set(stored))
    assert ledger.acknowledged - set(stored) == set(), "lost"
    assert ledger.failed & set(stored) == set(), "written, though it was said to have failed"
    assert set(stored) <= ledger.acknowledged | ledger.unknown
    assert sorted(event.number for event in log) == list(range(1, len(log) + 1))
    made = [event.payload["lead_id"] for event in log if event.kind == "LeadCreated"]
    assert len(made) == len(set(made)) == len(stored)


async def _kept(world: World) -> tuple[list[str], Sequence[LoggedEvent]]:
    """Return the addresses of all leads, and the whole log."""
    await publish_all(world.database, world.tenant.id)
    async with world.work() as work:
        return [str(lead.email) for lead in await work.find(Lead)], await work.find(LoggedEvent)
