"""Credentials in, sessions out, and sessions that end as soon as their bearer does."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.routing import Route

from api.auth import Authenticator, jwks
from api.engine import Engine
from api.schema import kinds, schema
from api.transport import HttpEndpoint
from api.transport.sessions import Unauthenticated, session_over
from domain.errors import Unavailable
from domain.identity import (
    ROLE_PERMISSIONS,
    Actor,
    Permission,
    Role,
    revoke_api_key,
    revoke_board,
    update_user,
)
from domain.ids import new_id
from infra.accounts import Accounts
from infra.outbox import publish_all
from infra.signing_keys import SigningKeys
from infra.tokens import AccessTokens
from tests.sessions import begun, token_of


@pytest.fixture(autouse=True)
def _hasty(monkeypatch):
    """Look at open sessions more often than one would outside tests."""
    monkeypatch.setattr("api.auth.PAUSE_SECONDS", 0.01)


@pytest.fixture
def tokens():
    return AccessTokens(keys=SigningKeys.generate(), issuer="us", audience="api")


@pytest.fixture
def door(world, passwords, tokens):
    """The world with its authenticator, and ways to come in."""
    world.services.tokens = tokens
    world.services.accounts = Accounts(world.database, passwords, tokens, "https://us.example")
    return SimpleNamespace(
        world=world, auth=Authenticator(world.services), accounts=world.services.accounts
    )


def connection(**headers):
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "headers": raw})


async def enter(door, secret):
    return await door.auth.authenticate(connection(authorization=f"Bearer {secret}"), None)


async def change(world, use_case, *args, **more):
    """Commit a change, and let the relay tell everybody."""
    async with world.work() as work:
        await use_case(work, world.actor(), *args, **more)
    published = await publish_all(world.database, world.tenant.id)
    await world.services.hub.bus.send({world.tenant.id: published.last})


# Who is at the other end


async def test_nobody_claims_to_be_anybody(door):
    session = await door.auth.authenticate(connection(), None)

    context = session.context(connection(), "request-1")
    assert (session.expires_at, session.revoked) == (None, None)
    assert (context.signed_in, context.request_id) == (None, "request-1")


async def test_a_token_speaks_for_its_user_until_it_expires(door):
    begin = await begun(door.world, door.world.rep)

    session = await enter(door, await token_of(door.world, door.world.rep, begin))

    context = session.context(connection(), "request-1")
    assert context.actor == replace(door.world.actor(door.world.rep), session_id=begin.id)
    assert session.expires_at == door.world.now + timedelta(minutes=15)


async def test_a_key_speaks_for_a_machine_and_does_not_expire(door):
    issued = await door.accounts.issue_api_key(door.world.actor(), name="CRM", role=Role.MEMBER)

    session = await enter(door, issued.secret)

    assert session.actor == Actor(
        tenant_id=door.world.tenant.id,
        user_id=None,
        permissions=ROLE_PERMISSIONS[Role.MEMBER],
        name="CRM",
        role=Role.MEMBER,
        api_key_id=issued.api_key.id,
    )
    assert session.expires_at is None


async def test_a_board_sees_the_board_and_nothing_else(door):
    issued = await door.accounts.issue_board(door.world.actor(), name="Hall")
    token = issued.url.rpartition("/")[2]

    session = await door.auth.board(token)

    assert session.actor == Actor(
        tenant_id=door.world.tenant.id,
        user_id=None,
        permissions=frozenset({Permission.VIEW_BOARD}),
        name="Hall",
        board_id=issued.board_link.id,
    )


@pytest.mark.parametrize(
    "payload",
    [
        lambda token: {"authorization": f"Bearer {token}"},
        lambda token: {"Authorization": f"bearer  {token} "},
        lambda token: {"token": token},
        lambda token: {"token": token, "authorization": "Basic eA=="},
    ],
)
async def test_a_socket_brings_its_credentials_in_the_first_message(door, payload):
    token = await token_of(door.world, door.world.rep)

    session = await door.auth.authenticate(connection(), payload(token))

    assert session.actor.user_id == door.world.rep.id


async def test_a_socket_without_a_payload_is_known_by_its_header(door):
    header = connection(authorization=f"Bearer {await token_of(door.world, door.world.rep)}")

    session = await door.auth.authenticate(header, {})

    assert session.actor.user_id == door.world.rep.id


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": "Basic dXNlcjpwYXNz"},
        {"authorization": "Bearer not-a-token"},
        {"authorization": "Bearer a.b.c"},
        {"authorization": "Bearer smk_" + "0" * 49},
        {"authorization": "Bearer " + "x" * 100_000},
    ],
)
async def test_credentials_that_are_none_are_refused(door, headers):
    with pytest.raises(Unauthenticated):
        await door.auth.authenticate(connection(**headers), None)


@pytest.mark.parametrize("payload", [{"token": 7}, {"authorization": ["Bearer x"]}, {"token": ""}])
async def test_a_payload_that_is_no_text_is_refused(door, payload):
    with pytest.raises(Unauthenticated):
        await door.auth.authenticate(connection(), payload)


async def test_a_token_is_no_good_for_anybody_else(door, other_world):
    rep = door.world.rep
    others = AccessTokens(keys=SigningKeys.generate(), issuer="us", audience="api")
    forged = others.issue(
        user_id=rep.id,
        tenant_id=door.world.tenant.id,
        account_id=rep.account_id,
        session_id=(await begun(door.world, rep)).id,
        now=door.world.now,
    )
    wrong = [
        forged,
        await token_of(door.world, rep, tenant_id=other_world.tenant.id),
        await token_of(door.world, rep, user_id=new_id()),
        await token_of(door.world, rep, account_id=new_id()),
        await token_of(door.world, rep, session_id=new_id()),
        await token_of(door.world, rep, await begun(door.world, door.world.other_rep)),
        await token_of(door.world, rep, await begun(other_world, other_world.rep)),
        await token_of(door.world, rep, now=door.world.now - timedelta(hours=1)),
    ]

    for token in wrong:
        with pytest.raises(Unauthenticated):
            await enter(door, token)


async def test_a_boards_link_is_no_key_and_a_key_no_boards_link(door):
    key = await door.accounts.issue_api_key(door.world.actor(), name="CRM", role=Role.ADMIN)
    board = await door.accounts.issue_board(door.world.actor(), name="Hall")

    with pytest.raises(Unauthenticated):
        await enter(door, board.url.rpartition("/")[2])
    assert await door.auth.board(key.secret) is None
    assert await door.auth.board("nul\x00") is None


# Sessions that end


async def test_an_end_of_membership_ends_the_token_at_once(door):
    token = await token_of(door.world, door.world.rep)
    await enter(door, token)

    await change(door.world, update_user, door.world.rep.id, active=False)

    with pytest.raises(Unauthenticated):
        await enter(door, token)


async def test_another_role_counts_at_once(door):
    token = await token_of(door.world, door.world.rep)
    await enter(door, token)

    await change(door.world, update_user, door.world.rep.id, role=Role.ANALYST)

    session = await enter(door, token)
    assert session.actor.permissions == ROLE_PERMISSIONS[Role.ANALYST]


async def test_a_revoked_key_or_link_lets_nobody_in(door):
    key = await door.accounts.issue_api_key(door.world.actor(), name="CRM", role=Role.ADMIN)
    board = await door.accounts.issue_board(door.world.actor(), name="Hall")
    link = board.url.rpartition("/")[2]
    await enter(door, key.secret)
    await door.auth.board(link)

    await change(door.world, revoke_api_key, key.api_key.id)
    await change(door.world, revoke_board, board.board_link.id)

    with pytest.raises(Unauthenticated):
        await enter(door, key.secret)
    assert await door.auth.board(link) is None


async def open_sessions(door):
    """Return a session of each kind with the change that ends it."""
    world = door.world
    key = await door.accounts.issue_api_key(world.actor(), name="CRM", role=Role.ADMIN)
    board = await door.accounts.issue_board(world.actor(), name="Hall")
    for_years = {"expires_at": None}
    sam = replace(await enter(door, await token_of(world, world.rep)), **for_years)
    rita = replace(await enter(door, await token_of(world, world.other_rep)), **for_years)
    return [
        (sam, (update_user, world.rep.id), {"active": False}),
        (rita, (update_user, world.other_rep.id), {"role": Role.ANALYST}),
        (await enter(door, key.secret), (revoke_api_key, key.api_key.id), {}),
        (
            await door.auth.board(board.url.rpartition("/")[2]),
            (revoke_board, board.board_link.id),
            {},
        ),
    ]


async def test_open_streams_end_soon_after_their_bearer_does_and_no_others(door):
    sessions = await open_sessions(door)
    watching = [asyncio.create_task(session_over(session)) for session, _, _ in sessions]

    for ended, (_, use_case, more) in enumerate(sessions):
        await change(door.world, *use_case, **more)
        async with asyncio.timeout(60):
            await watching[ended]
        assert [task.done() for task in watching] == [n <= ended for n in range(len(watching))]

    assert door.world.services.hub.watches == 0


async def test_a_stream_opened_after_the_end_does_not_outlive_it(door):
    session = await enter(door, await token_of(door.world, door.world.rep))
    await change(door.world, update_user, door.world.rep.id, active=False)

    async with asyncio.timeout(60):
        await session_over(replace(session, expires_at=None))

    assert session.revoked is not None


async def test_a_new_name_throws_nobody_out(door):
    session = await enter(door, await token_of(door.world, door.world.rep))
    watching = asyncio.create_task(session_over(replace(session, expires_at=None)))
    await asyncio.sleep(0)

    await change(door.world, update_user, door.world.rep.id, name="Samuel")
    done, _ = await asyncio.wait([watching], timeout=0.3)

    assert done == set()
    watching.cancel()


async def test_a_database_that_is_away_throws_nobody_out(door, monkeypatch):
    session = await enter(door, await token_of(door.world, door.world.rep))

    def away(*_, **__):
        raise Unavailable

    monkeypatch.setattr(type(door.world.database), "work", away)
    watching = asyncio.create_task(session_over(replace(session, expires_at=None)))
    done, _ = await asyncio.wait([watching], timeout=0.2)

    assert done == set()
    watching.cancel()


# Over HTTP


@pytest.fixture
async def client(door) -> AsyncIterator[httpx.AsyncClient]:
    engine = Engine(schema()._schema, kinds=kinds())
    app = Starlette(
        routes=[
            Route("/graphql", HttpEndpoint(engine, door.auth.authenticate)),
            Route("/.well-known/jwks.json", jwks(door.world.services.tokens)),
        ]
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://us.example") as client:
        yield client
    await engine.aclose()


VIEWER = {"query": "{ viewer { name } }"}


async def test_a_good_token_is_answered_and_a_bad_one_is_refused(door, client):
    good = {"Authorization": f"Bearer {await token_of(door.world, door.world.rep)}"}
    bad = {"Authorization": "Bearer x"}

    answered = await client.post("/graphql", json=VIEWER, headers=good)
    refused = await client.post("/graphql", json=VIEWER, headers=bad)
    anonymous = await client.post("/graphql", json=VIEWER)

    assert answered.json()["data"] == {"viewer": {"name": "Sam"}}
    assert (refused.status_code, refused.headers["www-authenticate"]) == (
        401,
        'Bearer error="invalid_token"',
    )
    assert anonymous.status_code == 200
    codes = [error["extensions"]["code"] for error in anonymous.json()["errors"]]
    assert codes == ["UNAUTHENTICATED"]


async def test_the_keys_are_public_and_hold_no_private_part(door, client):
    answer = await client.get("/.well-known/jwks.json")

    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.json() == door.world.services.tokens.keys.jwks()
    assert {name for key in answer.json()["keys"] for name in key} == {
        *("kty", "crv", "x", "kid", "alg", "use")
    }
