"""Whatever ends a session closes its streams, over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from domain.identity import Role, SignedIn, User
from domain.ids import new_id, public
from infra.accounts import Accounts
from infra.passwords import Passwords
from tests.api.sites import Site, Started, a_process, a_site, accounts_of
from tests.passwords import ANOTHER, PASSWORD, QUICK
from tests.world import World, enter_directory

SUBSCRIPTION = "subscription { board { tenantName } }"
END = "mutation { signOut { userErrors { code } } }"
EVERYWHERE = "mutation { signOutEverywhere { userErrors { code } } }"
END_OF = 'mutation { userSessionsEnd(input: {user: "%s"}) { userErrors { code } } }'
CHANGE = """mutation { passwordChange(input: {currentPassword: "%s", newPassword: "%s"}) {
  userErrors { code } } }"""
UPDATE = 'mutation { userUpdate(input: {user: "%s", %s}) { userErrors { code } } }'
REFRESH = """mutation { sessionRefresh(input: {refreshToken: "%s"}) {
  session { accessToken refreshToken } userErrors { code } } }"""
ROTATE = """mutation { apiKeyRotate(input: {apiKey: "%s", overlap: "%s"}) {
  issuedApiKey { secret } userErrors { code } } }"""
# It takes half a second; this ends what would hang.
WITHIN = 60.0
# How long a stream that must go on is looked at.
LOOKED_AT = 1.0
PASSWORDS = Passwords(QUICK)


@pytest.fixture(scope="module")
async def site(database_urls: Any) -> AsyncIterator[Site]:
    async with a_site(database_urls) as site:
        yield site


@pytest.fixture
async def today(today: World) -> World:
    """The tenant that lives now, in the directory."""
    await enter_directory(today)
    return today


@dataclass
class People:
    """Somebody with an account, and the door he or she comes in by."""

    site: Site | Started
    world: World
    accounts: Accounts
    user: User

    async def sign_in(self) -> SignedIn:
        return await self.accounts.sign_in(email=self.user.email, password=PASSWORD)

    async def ask(self, secret: str | None, document: str) -> Any:
        """Ask the service and return what the one mutation answers."""
        headers = {} if secret is None else {"authorization": f"Bearer {secret}"}
        async with httpx.AsyncClient(timeout=60) as client:
            answer = await client.post(
                f"{self.site.url}/graphql", json={"query": document}, headers=headers
            )
        assert answer.status_code == 200, answer.text
        [payload] = answer.json()["data"].values()
        return payload


@pytest.fixture
async def people(site: Site, today: World) -> People:
    return await people_at(site, today)


async def people_at(site: Site | Started, world: World) -> People:
    accounts = replace(accounts_of(site.settings, world), passwords=PASSWORDS)
    user = await accounts.add_user(
        world.actor(),
        email=f"bo-{new_id().hex}@acme.example",
        name="Bo",
        role=Role.MANAGER,
        password=PASSWORD,
    )
    return People(site, world, accounts, user)


# Streams


@asynccontextmanager
async def socket(site: Site | Started, secret: str) -> AsyncIterator[Callable[[], Awaitable[Any]]]:
    """Subscribe over WebSocket; gives what waits for the end and says how it came."""
    address = f"{site.url.replace('http', 'ws')}/graphql"
    async with connect(address, subprotocols=["graphql-transport-ws"]) as connection:  # type: ignore[list-item]  # a NewType
        init = {"type": "connection_init", "payload": {"authorization": f"Bearer {secret}"}}
        await connection.send(json.dumps(init))
        assert json.loads(await connection.recv())["type"] == "connection_ack"
        subscribe = {"type": "subscribe", "id": "1", "payload": {"query": SUBSCRIPTION}}
        await connection.send(json.dumps(subscribe))
        assert json.loads(await connection.recv())["type"] == "next"
        yield lambda: closed(connection)


async def closed(connection: ClientConnection) -> Any:
    with suppress(ConnectionClosed):
        while True:
            await connection.recv()
    return connection.close_code


@asynccontextmanager
async def events(site: Site | Started, secret: str) -> AsyncIterator[Callable[[], Awaitable[Any]]]:
    """Subscribe over server-sent events; gives what waits for the end of the stream."""
    headers = {"authorization": f"Bearer {secret}", "accept": "text/event-stream"}
    async with (
        httpx.AsyncClient(timeout=60) as client,
        client.stream(
            "POST", f"{site.url}/graphql", json={"query": SUBSCRIPTION}, headers=headers
        ) as response,
    ):
        lines = response.aiter_lines()
        async for line in lines:
            if line == "event: next":
                break
        yield lambda: rest_of(lines)


async def rest_of(lines: AsyncIterator[str]) -> Any:
    return "complete" if "event: complete" in [line async for line in lines] else "ended"


@asynccontextmanager
async def streams(people: People, secret: str) -> AsyncIterator[dict[str, asyncio.Task[Any]]]:
    """Subscribe in both ways; gives a task for each that ends when the stream does."""
    async with socket(people.site, secret) as first, events(people.site, secret) as second:
        waiting = {
            "socket": asyncio.ensure_future(first()),
            "events": asyncio.ensure_future(second()),
        }
        try:
            yield waiting
        finally:
            for task in waiting.values():
                task.cancel()
            await asyncio.gather(*waiting.values(), return_exceptions=True)


ENDED = {"socket": 4403, "events": "ended"}
OPEN = {"socket": "open", "events": "open"}


async def ends_of(waiting: dict[str, asyncio.Task[Any]], within: float = WITHIN) -> dict[str, Any]:
    """Return how streams have ended, once they have or were looked at for long enough."""
    await asyncio.wait(waiting.values(), timeout=within)
    return {name: task.result() if task.done() else "open" for name, task in waiting.items()}


# What ends a session


async def sign_out(people: People, session: SignedIn, other: SignedIn) -> None:
    await people.ask(session.access_token, END)


async def sign_out_everywhere(people: People, session: SignedIn, other: SignedIn) -> None:
    await people.ask(other.access_token, EVERYWHERE)


async def sign_out_by_admin(people: People, session: SignedIn, other: SignedIn) -> None:
    await people.ask(await admins(people), END_OF % public("User", people.user.id))


async def leave(people: People, session: SignedIn, other: SignedIn) -> None:
    user = public("User", people.user.id)
    await people.ask(await admins(people), UPDATE % (user, "active: false"))


async def become_analyst(people: People, session: SignedIn, other: SignedIn) -> None:
    user = public("User", people.user.id)
    await people.ask(await admins(people), UPDATE % (user, "role: ANALYST"))


async def change_password(people: People, session: SignedIn, other: SignedIn) -> None:
    await people.ask(other.access_token, CHANGE % (PASSWORD, ANOTHER))


async def copied(people: People, session: SignedIn, other: SignedIn) -> None:
    second = await people.ask(None, REFRESH % session.refresh_token)
    third = await people.ask(None, REFRESH % second["session"]["refreshToken"])
    assert third["userErrors"] == []
    thief = await people.ask(None, REFRESH % session.refresh_token)
    assert thief["userErrors"] == [{"code": "REFRESH_TOKEN_REUSED"}]


async def admins(people: People) -> str:
    issued = await people.accounts.issue_api_key(
        people.world.actor(), name="tests", role=Role.ADMIN
    )
    return issued.secret


@pytest.mark.parametrize(
    "end",
    [
        sign_out,
        sign_out_everywhere,
        sign_out_by_admin,
        leave,
        become_analyst,
        change_password,
        copied,
    ],
)
async def test_open_streams_of_a_session_end_with_it(
    people: People, end: Callable[[People, SignedIn, SignedIn], Awaitable[None]]
) -> None:
    session, other = await people.sign_in(), await people.sign_in()
    async with streams(people, session.access_token) as waiting:
        await end(people, session, other)

        assert await ends_of(waiting) == ENDED


@pytest.mark.parametrize("end", [sign_out, copied, change_password])
async def test_open_streams_of_ones_other_session_go_on(
    people: People, end: Callable[[People, SignedIn, SignedIn], Awaitable[None]]
) -> None:
    session, other = await people.sign_in(), await people.sign_in()
    async with streams(people, other.access_token) as waiting:
        await end(people, session, other)

        assert await ends_of(waiting, LOOKED_AT) == OPEN


async def test_a_refresh_disturbs_no_stream(people: People) -> None:
    session = await people.sign_in()
    async with streams(people, session.access_token) as waiting:
        refreshed = await people.ask(None, REFRESH % session.refresh_token)

        assert refreshed["userErrors"] == []
        assert await ends_of(waiting, LOOKED_AT) == OPEN


@pytest.mark.parametrize("end", [sign_out, sign_out_everywhere, leave, change_password])
async def test_a_token_of_a_session_that_was_ended_here_is_refused_from_then_on(
    people: People, end: Callable[[People, SignedIn, SignedIn], Awaitable[None]]
) -> None:
    session, other = await people.sign_in(), await people.sign_in()
    assert await status(people.site, session.access_token) == 200
    await end(people, session, other)

    assert await status(people.site, session.access_token) == 401


async def test_a_refresh_token_gives_no_access(people: People) -> None:
    session = await people.sign_in()

    assert await status(people.site, session.refresh_token) == 401


async def status(site: Site | Started, secret: str) -> int:
    """Return the HTTP status of a query."""
    headers = {"authorization": f"Bearer {secret}"}
    async with httpx.AsyncClient(timeout=60) as client:
        query = {"query": "{ viewer { name } }"}
        return (await client.post(f"{site.url}/graphql", json=query, headers=headers)).status_code


# Keys


@pytest.mark.parametrize(("overlap", "end"), [("PT0M", ENDED), ("PT1H", OPEN)])
async def test_streams_of_a_keys_old_secret_end_when_the_overlap_does(
    people: People, overlap: str, end: dict[str, Any]
) -> None:
    issued = await people.accounts.issue_api_key(people.world.actor(), name="CRM", role=Role.MEMBER)
    session = await people.sign_in()
    key = public("ApiKey", issued.api_key.id)
    async with streams(people, issued.secret) as waiting:
        await make_admin(people)
        rotated = await people.ask(session.access_token, ROTATE % (key, overlap))

        secret = rotated["issuedApiKey"]["secret"]
        assert await ends_of(waiting, WITHIN if end == ENDED else LOOKED_AT) == end
    async with streams(people, secret) as waiting:
        assert await ends_of(waiting, LOOKED_AT) == OPEN


async def test_a_stream_of_before_the_rotation_ends_with_the_overlap_though_nothing_happens_then(
    people: People,
) -> None:
    issued = await people.accounts.issue_api_key(people.world.actor(), name="CRM", role=Role.MEMBER)
    async with streams(people, issued.secret) as waiting:
        at = monotonic()
        await people.accounts.rotate_api_key(
            people.world.actor(), issued.api_key.id, overlap=timedelta(seconds=1)
        )

        assert await ends_of(waiting) == ENDED
        # The two clocks may be a little apart.
        assert monotonic() - at > 0.8


async def make_admin(people: People) -> None:
    user = public("User", people.user.id)
    answer = await people.ask(await admins(people), UPDATE % (user, "role: ADMIN"))
    assert answer["userErrors"] == []


# Processes of their own


async def test_two_processes_give_one_token_and_find_one_thief(
    database_urls: Any, tmp_path: Path, today: World
) -> None:
    with (
        a_process(database_urls, tmp_path) as one,
        a_process(database_urls, tmp_path, PUBLIC_URL="http://127.0.0.1:1") as two,
    ):
        here, there = await people_at(one, today), await people_at(two, today)
        session = await here.sign_in()
        answers = await asyncio.gather(
            *((here, there)[n % 2].ask(None, REFRESH % session.refresh_token) for n in range(10))
        )
        tokens = {answer["session"]["refreshToken"] for answer in answers}
        assert len(tokens) == 1
        [token] = tokens
        assert (await there.ask(None, REFRESH % token))["userErrors"] == []
        access = answers[0]["session"]["accessToken"]
        async with socket(one, (await here.sign_in()).access_token) as other_end:
            async with socket(one, session.access_token) as end:
                thief = await there.ask(None, REFRESH % session.refresh_token)

                assert thief["userErrors"] == [{"code": "REFRESH_TOKEN_REUSED"}]
                async with asyncio.timeout(WITHIN):
                    assert await end() == 4403
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await other_end()
        assert await status(one, access) == 401
