"""A front end that runs the documented operations by name."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import httpx

from api.operations import documented_operations
from infra.mail.sending import mailbox_of
from tests.api.sites import Site

OPERATIONS = {operation.name: operation for operation in documented_operations()}


class FrontEnd:
    """Runs documented operations by name, and remembers which."""

    def __init__(self, url: str) -> None:
        self.client = httpx.AsyncClient(base_url=url, timeout=60)
        self.ran: set[str] = set()
        self.refresh_token = ""

    async def run(self, name: str, /, **variables: Any) -> Any:
        """Return the data of an operation, or what its root field answers if it has only one."""
        self.ran.add(name)
        body = {"query": OPERATIONS[name].document, "variables": variables}
        answer = (await self.client.post("/graphql", json=body)).json()
        assert "errors" not in answer, answer
        (data,) = answer["data"].values()
        return data

    async def change(self, name: str, /, **input: Any) -> Any:
        """Return what a mutation made, which must not be refused."""
        payload = await self.run(name, input=input)
        assert payload.pop("userErrors") == []
        (made,) = payload.values()
        return made

    async def sign_in(self, email: str, password: str) -> Any:
        """Sign in and return the session."""
        return self.go_on(await self.change("sign-in", email=email, password=password))

    def go_on(self, session: Any) -> Any:
        """Go on with the tokens of a session, and return it."""
        self.client.headers["authorization"] = f"Bearer {session['accessToken']}"
        self.refresh_token = session["refreshToken"]
        return session

    async def follow(self, name: str, /, **variables: Any) -> AsyncGenerator[Any, None]:
        """Yield what a subscription tells."""
        self.ran.add(name)
        body = {"query": OPERATIONS[name].document, "variables": variables}
        headers = {"accept": "text/event-stream"}
        async with self.client.stream("POST", "/graphql", json=body, headers=headers) as response:
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    answer = json.loads(line[6:])
                    assert "errors" not in answer, answer
                    (data,) = answer["data"].values()
                    yield data


async def first(events: AsyncGenerator[Any, None], **wanted: Any) -> Any:
    """Return the first event with these values."""
    async with asyncio.timeout(60), aclosing(events):
        async for event in events:
            if wanted.items() <= event.items():
                return event
    raise AssertionError("the stream ended")


async def first_list(events: AsyncGenerator[Any, None]) -> Any:
    async with asyncio.timeout(60), aclosing(events):
        return await anext(events)


async def team(front_end: FrontEnd) -> str:
    id: str = (await front_end.run("viewer"))["teams"][0]["id"]
    return id


async def mailed(site: Site, address: str, place: str) -> str:
    """Return the token of the link to a place that was mailed to an address, once it was."""
    mailbox = mailbox_of(site.settings)
    assert mailbox is not None
    link = re.compile(rf"/{place}#token=(\S+)")
    async with asyncio.timeout(60):
        while True:
            for message in await mailbox.messages():
                found = link.search(message.text)
                if message.to == address and found:
                    return found[1]
            await asyncio.sleep(0.02)
