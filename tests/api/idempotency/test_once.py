"""Mutations that are sent again, over HTTP."""

from __future__ import annotations

from typing import Any

import asyncpg
import httpx
import pytest

from domain import lead_intake
from domain.identity import Role
from infra import invitations
from infra.database import Database
from infra.idempotency import LIFE
from tests.admission import an_invitation
from tests.api.idempotency.asking import (
    CREATE,
    UPDATE,
    Client,
    a_client,
    a_person,
    codes,
    emails,
    kept,
)
from tests.api.scene import fingerprint
from tests.api.sites import Site
from tests.passwords import PASSWORD
from tests.world import World, enter_directory, make_world

TWO = """mutation($first: LeadCreateInput!, $second: LeadCreateInput!) {
  one: leadCreate(input: $first) { lead { email } userErrors { code } }
  two: leadCreate(input: $second) { lead { email } userErrors { code } } }"""
BOARD = """mutation { boardLinkCreate(input: {name: "Wall"}) {
  issuedBoardLink { url } userErrors { code } } }"""
ACCEPT = """mutation($input: InvitationAcceptInput!) { invitationAccept(input: $input) {
  session { user { name } } userErrors { code } } }"""
GRAPHQL = "application/graphql-response+json"


# Once


async def test_the_same_request_gets_the_same_answer_and_has_one_effect(
    client: Client, today: World
) -> None:
    first = await client.create()
    done = await fingerprint(today.database, today.tenant.id)
    second = await client.create()

    assert first.json()["data"]["leadCreate"]["userErrors"] == []
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert await fingerprint(today.database, today.tenant.id) == done
    assert await emails(today) == ["ada@acme.example"]


async def test_without_a_key_every_request_is_a_new_one(client: Client) -> None:
    await client.create(key=None)
    again = await client.create(key=None)

    assert again.json()["data"]["leadCreate"]["userErrors"] == [{"code": "DUPLICATE_LEAD"}]


async def test_an_answer_comes_again_in_the_media_type_that_is_accepted(client: Client) -> None:
    first = await client.create()
    second = await client.create(accept=GRAPHQL)
    events = await client.create(accept="text/event-stream")

    assert second.content == first.content
    assert second.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"
    assert events.headers["idempotency-replayed"] == "true"
    assert first.text in events.text


async def test_what_is_shown_once_is_shown_to_the_retry(client: Client, today: World) -> None:
    first, second = await client.send(BOARD), await client.send(BOARD)

    assert "/board/smb_" in first.json()["data"]["boardLinkCreate"]["issuedBoardLink"]["url"]
    assert second.content == first.content


@pytest.mark.parametrize("accept", ["application/json", GRAPHQL])
async def test_a_key_is_good_for_one_request(client: Client, today: World, accept: str) -> None:
    await client.create()
    answers = [
        await client.create("bob@acme.example", accept=accept),
        await client.send(CREATE + " ", {"input": {"email": "ada@acme.example"}}, accept=accept),
        await client.send(BOARD, accept=accept),
    ]

    assert [answer.status_code for answer in answers] == [422] * 3
    assert [codes(answer) for answer in answers] == [["IDEMPOTENCY_KEY_REUSED"]] * 3
    assert await emails(today) == ["ada@acme.example"]


async def test_the_order_of_the_variables_is_of_no_account(client: Client) -> None:
    said = {"email": "ada@acme.example", "firstName": "Ada"}
    first = await client.send(CREATE, {"input": said})
    second = await client.send(CREATE, {"input": dict(reversed(said.items()))})

    assert second.content == first.content


async def test_every_client_has_keys_of_its_own(
    site: Site, client: Client, today: World, session_database: Database
) -> None:
    other_world = await make_world(session_database, {"now": today.now})
    async with a_client(site, today) as colleague, a_client(site, other_world) as stranger:
        first = await client.create()
        answers = [await colleague.create("bob@acme.example"), await stranger.create()]

    ids = {answer.json()["data"]["leadCreate"]["lead"]["id"] for answer in [first, *answers]}
    assert len(ids) == 3
    assert await emails(today) == ["ada@acme.example", "bob@acme.example"]
    assert await emails(other_world) == ["ada@acme.example"]


async def test_after_a_day_a_key_is_free_again(client: Client, today: World) -> None:
    await client.create()
    async with today.work() as work:
        await work.connection.execute(
            "UPDATE idempotency_keys SET created_at = now() - $1::interval", LIFE
        )

    again = await client.create()

    assert again.json()["data"]["leadCreate"]["userErrors"] == [{"code": "DUPLICATE_LEAD"}]
    assert "idempotency-replayed" not in again.headers


# The header


async def test_a_key_may_be_in_quotes(client: Client) -> None:
    first = await client.create(key='a"\\b')
    second = await client.create(key='"a\\"\\\\b"')

    assert second.content == first.content


@pytest.mark.parametrize(
    "key", ["", '""', '"', '"a', "a b", '"a b"', "x" * 256, '"a";b=1', "a, b", "ä"]
)
async def test_what_is_no_key_is_refused(client: Client, today: World, key: str) -> None:
    answer = await client.create(key=key.encode("latin-1"))  # type: ignore[arg-type]  # httpx refuses other text

    assert answer.status_code == 400
    assert codes(answer) == ["BAD_USER_INPUT"]
    assert await emails(today) == []


async def test_the_longest_key_is_one(client: Client) -> None:
    assert (await client.create(key="~" * 255)).status_code == 200


async def test_a_query_has_no_key(client: Client, today: World) -> None:
    answer = await client.send("{ viewer { tenant { name } } }", key="not a key")

    assert answer.json()["data"] == {"viewer": {"tenant": {"name": "Acme"}}}
    assert await kept(today) == 0


async def test_nobody_has_no_keys(site: Site) -> None:
    async with a_client(site, None) as nobody:
        answers = [await nobody.create(), await nobody.create()]

    assert [codes(answer) for answer in answers] == [["UNAUTHENTICATED"]] * 2
    assert answers[0].headers["x-request-id"] != answers[1].headers["x-request-id"]
    assert all("idempotency-replayed" not in answer.headers for answer in answers)


# What is kept, and what is undone


async def test_a_refusal_is_an_answer_and_stays_one(client: Client, today: World) -> None:
    unknown = {"input": {"lead": {"email": "ada@acme.example"}, "firstName": "Ada"}}
    first = await client.send(UPDATE, unknown)
    await client.create(key=None)
    second = await client.send(UPDATE, unknown)
    under_a_new_key = await client.send(UPDATE, unknown, key="key-2")

    assert first.json()["data"]["leadUpdate"]["userErrors"] == [{"code": "NOT_FOUND"}]
    assert second.content == first.content
    assert under_a_new_key.json()["data"]["leadUpdate"]["userErrors"] == []


async def test_of_two_mutations_a_refused_one_leaves_the_other(
    client: Client, today: World
) -> None:
    said = {"first": {"email": "ada@acme.example"}, "second": {"email": "ada@acme.example"}}
    first, second = await client.send(TWO, said), await client.send(TWO, said)

    assert first.json()["data"] == {
        "one": {"lead": {"email": "ada@acme.example"}, "userErrors": []},
        "two": {"lead": None, "userErrors": [{"code": "DUPLICATE_LEAD"}]},
    }
    assert second.content == first.content
    async with today.work() as work:
        created = "SELECT count(*) FROM outbox WHERE kind = 'LeadCreated'"
        assert await work.connection.fetchval(created) == 1


async def test_what_was_done_beside_what_is_not_allowed_is_kept_with_its_answer(
    site: Site, today: World
) -> None:
    both = CREATE.replace("} } }", "} } " + BOARD.removeprefix("mutation {"))
    said = {"input": {"email": "ada@acme.example"}}
    async with a_client(site, today, Role.MEMBER) as client:
        first, second = await client.send(both, said), await client.send(both, said)

    assert codes(first) == ["FORBIDDEN"]
    assert first.json()["data"]["leadCreate"]["lead"]["email"] == "ada@acme.example"
    assert first.json()["data"]["boardLinkCreate"] is None
    assert second.content == first.content
    assert await emails(today) == ["ada@acme.example"]


async def test_a_bug_undoes_everything_and_frees_the_key(
    client: Client, today: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"first": {"email": "ada@acme.example"}, "second": {"email": "bob@acme.example"}}
    whole = lead_intake.create_lead

    async def broken(work: Any, actor: Any, details: Any) -> Any:
        lead = await whole(work, actor, details)
        if lead.email == "bob@acme.example":
            raise RuntimeError("secret database password")
        return lead

    monkeypatch.setattr(lead_intake, "create_lead", broken)
    first = await client.send(TWO, said)
    undone = await emails(today), await kept(today)
    monkeypatch.undo()
    second = await client.send(TWO, said)

    assert (first.status_code, first.json()["data"]) == (200, None)
    assert codes(first) == ["INTERNAL_SERVER_ERROR"]
    assert undone == ([], 0)
    assert "errors" not in second.json()
    assert await emails(today) == ["ada@acme.example", "bob@acme.example"]


async def test_a_read_that_the_database_refuses_is_a_refusal_and_keeps_nothing(
    client: Client, today: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreadable(work: Any, *_: Any, **__: Any) -> None:
        await work.connection.fetchval("SELECT 1 / 0")

    invitation, token = an_invitation(today)
    async with today.work() as work:
        await work.add(invitation)
    said = {"token": token, "name": "Ann", "password": PASSWORD}
    monkeypatch.setattr(invitations, "_acceptable", unreadable)
    refused = await client.send(ACCEPT, {"input": said})
    nothing = await kept(today)
    monkeypatch.undo()
    await enter_directory(today)
    done = await client.send(ACCEPT, {"input": said})

    assert refused.json()["data"]["invitationAccept"] == {
        "session": None,
        "userErrors": [{"code": "INVALID"}],
    }
    assert nothing == 0
    assert done.json()["data"]["invitationAccept"] == {
        "session": {"user": {"name": "Ann"}},
        "userErrors": [],
    }


async def test_who_only_gave_way_to_somebody_else_may_try_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deadlocked(work: Any, actor: Any, details: Any) -> Any:
        raise asyncpg.DeadlockDetectedError

    monkeypatch.setattr(lead_intake, "create_lead", deadlocked)
    first = await client.create()
    monkeypatch.undo()
    second = await client.create()

    assert first.json()["data"]["leadCreate"]["userErrors"] == [{"code": "STALE"}]
    assert second.json()["data"]["leadCreate"]["userErrors"] == []


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        (CREATE, {"input": {"email": 1}}, "BAD_USER_INPUT"),
        (CREATE, {}, "BAD_USER_INPUT"),
        ("mutation { nothing }", {}, "GRAPHQL_VALIDATION_FAILED"),
        (BOARD, {}, "FORBIDDEN"),
    ],
    ids=["wrong variable", "no variable", "wrong document", "not allowed"],
)
async def test_where_nothing_was_done_the_key_stays_free(
    site: Site, today: World, query: str, variables: dict[str, Any], code: str
) -> None:
    async with a_client(site, today, Role.MEMBER) as client:
        refused = await client.send(query, variables)
        done = await client.create()

    assert codes(refused) == [code]
    assert done.json()["data"]["leadCreate"]["userErrors"] == []


# Whose answer it is


async def test_who_may_do_less_by_now_gets_no_answer_of_before(site: Site, today: World) -> None:
    boss = await a_person(site, today, Role.ADMIN)
    async with httpx.AsyncClient(base_url=site.url, timeout=60) as http:
        client = Client(http, (await boss.sign_in()).access_token)
        first, second = await client.send(BOARD), await client.send(BOARD)
        await boss.become(Role.MEMBER)
        demoted = Client(http, (await boss.sign_in()).access_token)
        third, created = await demoted.send(BOARD), await demoted.create(key="key-2")

    assert second.content == first.content
    assert (third.status_code, codes(third)) == (403, ["FORBIDDEN"])
    assert "idempotency-replayed" not in third.headers
    assert created.json()["data"]["leadCreate"]["userErrors"] == []
