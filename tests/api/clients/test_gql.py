"""The Python client `gql`, over HTTP and WebSocket, against the served application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from gql import Client, GraphQLRequest, gql
from gql.transport.exceptions import TransportConnectionFailed, TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport
from graphql import parse
from websockets.exceptions import ConnectionClosed

from infra.database import Database
from tests.api.clients.stage import PASSWORD, SHORT, Stage, a_stage, operation
from tests.conftest import DatabaseUrls
from tests.midnight import enough_of_today
from tests.world import make_world


@pytest.fixture
async def stage(database_urls: DatabaseUrls, session_database: Database) -> AsyncIterator[Stage]:
    clock = {"now": await enough_of_today()}
    world = await make_world(Database(session_database.app, session_database.platform), clock)
    async with a_stage(database_urls, world) as stage:
        yield stage


async def ask(stage: Stage, name: str, token: str | None = None, **variables: Any) -> Any:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    async with Client(transport=HTTPXAsyncTransport(stage.url, headers=headers)) as session:
        asked = GraphQLRequest(operation(name), variable_values=variables)
        return await session.execute(asked)


async def sign_in(stage: Stage) -> str:
    told = await ask(stage, "sign-in", email=stage.email, password=PASSWORD)
    token: str = told["signIn"]["session"]["accessToken"]
    return token


def a_socket(stage: Stage, token: str) -> Client:
    transport = WebsocketsTransport(
        stage.url.replace("http", "ws"), init_payload={"authorization": f"Bearer {token}"}
    )
    return Client(transport=transport)


async def test_pages_a_refusal_and_a_change_over_http(stage: Stage) -> None:
    token = await sign_in(stage)
    first = await ask(stage, "leads-page", token, first=2)
    after = first["leads"]["pageInfo"]["endCursor"]
    second = await ask(stage, "leads-page", token, first=2, after=after)
    rows = [edge["node"] for page in (first, second) for edge in page["leads"]["edges"]]
    assert [row["email"] for row in rows] == [stage.lead(number) for number in range(1, 5)]

    refused = await ask(stage, "lead-create", token, input={"email": rows[0]["email"]})
    assert refused["leadCreate"] == {
        "lead": None,
        "userErrors": [
            {
                "__typename": "DuplicateLeadError",
                "code": "DUPLICATE_LEAD",
                "path": ["email"],
                "existing": {"id": rows[0]["id"], "email": rows[0]["email"]},
            }
        ],
    }
    change = {"lead": {"id": rows[0]["id"]}, "jobTitle": "Head of Tulips"}
    changed = await ask(stage, "lead-update", token, input=change)
    assert changed["leadUpdate"] == {
        "lead": {**rows[0], "jobTitle": "Head of Tulips"},
        "userErrors": [],
    }


async def test_what_is_wrong_with_a_request_is_told_with_its_code(stage: Stage) -> None:
    with pytest.raises(TransportQueryError) as wrong:
        async with Client(transport=HTTPXAsyncTransport(stage.url)) as session:
            await session.execute(gql("{ nothing }"))

    assert wrong.value.errors
    assert [error["extensions"]["code"] for error in wrong.value.errors] == [
        "GRAPHQL_VALIDATION_FAILED"
    ]


async def test_a_subscription_lives_beside_an_error_and_comes_back_after_a_restart(
    stage: Stage,
) -> None:
    token, live = await sign_in(stage), asyncio.Queue[str]()
    target = GraphQLRequest(operation("goal-target"), variable_values={"goal": stage.goal})
    update = GraphQLRequest(
        operation("goal-update"), variable_values={"goal": stage.goal, "target": "20"}
    )

    async def listen(session: Any) -> None:
        async for told in session.subscribe(target):
            live.put_nowait(told["goalProgress"]["target"])

    async def listen_always() -> None:
        while True:
            with suppress(TransportConnectionFailed, OSError):
                async with a_socket(stage, token) as session:
                    await listen(session)
            await asyncio.sleep(0.05)

    async with a_socket(stage, token) as session:
        listening = asyncio.create_task(listen(session))
        assert await heard(live) == "10"
        with pytest.raises(TransportQueryError, match="nothing"):
            await session.execute(GraphQLRequest(parse("{ nothing }")))
        assert (await session.execute(update))["goalUpdate"]["userErrors"] == []
        assert await heard(live) == "20"
        listening.cancel()

    listening = asyncio.create_task(listen_always())
    assert await heard(live) == "20"
    await stage.restart("30")
    assert await heard(live) == "30"
    listening.cancel()


async def test_a_socket_is_closed_when_its_token_ends_and_opens_with_the_next(
    stage: Stage,
) -> None:
    token = await sign_in(stage)
    target = GraphQLRequest(operation("goal-target"), variable_values={"goal": stage.goal})
    told: list[str] = []

    async def listen(token: str) -> None:
        async with a_socket(stage, token) as session:
            async for answer in session.subscribe(target):
                told.append(answer["goalProgress"]["target"])
                if len(told) == 2:
                    return

    # A busy machine may not have subscribed by the time that the first token ends.
    for life in (SHORT, 4 * SHORT, 16 * SHORT):
        with pytest.raises(TransportConnectionFailed) as closed:
            await listen(stage.token(token, life))
        if told:
            break
    reason = closed.value.__cause__
    assert isinstance(reason, ConnectionClosed)
    assert reason.rcvd
    assert (told, reason.rcvd.code, reason.rcvd.reason) == (["10"], 4403, "Forbidden")

    await listen(token)
    assert told == ["10", "10"]


async def heard(live: asyncio.Queue[str]) -> str:
    async with asyncio.timeout(60):
        return await live.get()
