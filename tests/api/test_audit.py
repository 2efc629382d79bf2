"""The audit log as an owner reads it, and what requests leave in it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect

from api.context import Context
from api.engine import GraphQLRequest
from domain.audit import AuditActorKind, AuditEntry, Cause
from domain.ids import public
from infra.accounts import Accounts
from infra.audit.verifying import verify
from infra.database import Database
from infra.passwords import Passwords
from tests.api.identity.asking import SIGN_IN
from tests.api.scene import make_scene
from tests.api.sites import a_site, key_of
from tests.passwords import PASSWORD, QUICK
from tests.world import ENGINE, World, make_world

LOG = """query(
  $filter: AuditEntryFilter, $first: Int, $after: String, $orderBy: [AuditEntryOrder!]
) {
  auditLog(filter: $filter, first: $first, after: $after, orderBy: $orderBy) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes {
      action effect actorKind actorName ipAddress userAgent requestId at hash
      user { email } apiKey { name }
      subject { kind id node { __typename id } }
      changes { field before after }
    }
  }
}"""
SHORT = """query($filter: AuditEntryFilter) { auditLog(filter: $filter) {
  nodes { action subject { kind } changes { field before after } } } }"""
RENAME = """mutation($team: ID!, $name: String!) {
  teamUpdate(input: {team: $team, name: $name}) { team { name } userErrors { code } } }"""
CREATE = """mutation($name: String!) {
  teamCreate(input: {name: $name, side: SALES}) { team { id } userErrors { code } } }"""
PLACE = Cause.over(request_id="r1", ip_address="192.0.2.7", user_agent="curl/8")


async def ask(world: World, document: str, **variables: Any) -> dict[str, Any]:
    """Ask as the owner, from a place."""
    context = Context(world.services, world.actor(), "r1", PLACE)
    request = GraphQLRequest(query=document, variables=variables)
    answer: dict[str, Any] = orjson.loads((await ENGINE().execute(request, context)).body)
    assert "errors" not in answer, answer
    found: dict[str, Any] = answer["data"]
    return found


async def rename(world: World, name: str) -> None:
    team = public("Team", world.sales.id)
    answer = await ask(world, RENAME, team=team, name=name)
    assert answer["teamUpdate"]["userErrors"] == []


async def log(world: World, **filter: Any) -> list[dict[str, Any]]:
    """Return what the owner reads, the newest first; without what founding the world left."""
    filter = filter or {"action": {"ne": "system"}}
    nodes: list[dict[str, Any]] = (await ask(world, SHORT, filter=filter))["auditLog"]["nodes"]
    return nodes


async def test_an_entry_shows_who_did_what_from_where_and_how_it_was_before(world: World) -> None:
    await rename(world, "West")

    page = (await ask(world, LOG, first=1))["auditLog"]
    (entry,) = page["nodes"]
    team = public("Team", world.sales.id)
    assert re.fullmatch("[0-9a-f]{64}", entry.pop("hash"))
    assert page["pageInfo"]["hasNextPage"]
    assert entry == {
        "action": "teamUpdate",
        "effect": "CHANGED",
        "actorKind": "USER",
        "actorName": "Olive",
        "ipAddress": "192.0.2.7",
        "userAgent": "curl/8",
        "requestId": "r1",
        "at": "2026-03-10T12:00:00Z",
        "user": {"email": world.owner.email},
        "apiKey": None,
        "subject": {"kind": "Team", "id": team, "node": {"__typename": "Team", "id": team}},
        "changes": [{"field": "name", "before": "Sales", "after": "West"}],
    }


async def test_a_refusal_leaves_nothing_in_the_log(world: World) -> None:
    taken = {"team": public("Team", world.sales.id), "name": "Marketing"}
    answer = await ask(world, RENAME, **taken)

    assert [error["code"] for error in answer["teamUpdate"]["userErrors"]] == ["ALREADY_EXISTS"]
    assert await log(world) == []


async def test_each_mutation_of_one_request_is_told_by_its_own_name(world: World) -> None:
    both = """mutation($team: ID!) {
      teamUpdate(input: {team: $team, name: "West"}) { userErrors { code } }
      tenantUpdate(input: {name: "Initech"}) { userErrors { code } }
    }"""
    world.services.accounts = make_accounts(world)
    await ask(world, both, team=public("Team", world.sales.id))

    assert await log(world) == [
        {
            "action": "tenantUpdate",
            "subject": {"kind": "Tenant"},
            "changes": [{"field": "name", "before": "Acme", "after": "Initech"}],
        },
        {
            "action": "teamUpdate",
            "subject": {"kind": "Team"},
            "changes": [{"field": "name", "before": "Sales", "after": "West"}],
        },
    ]


def make_accounts(world: World) -> Any:
    return Accounts(world.database, None, None, "https://smarketing.example")  # type: ignore[arg-type]  # not asked


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ({"action": {"eq": "teamUpdate"}}, 2),
        ({"actorKind": {"eq": "USER"}}, 3),
        ({"actorKind": {"eq": "API_KEY"}}, 0),
        ({"actorId": {"eq": "owner"}}, 3),
        ({"actorId": {"eq": "rep"}}, 0),
        ({"subjectId": {"eq": "sales"}}, 3),
        ({"subjectId": {"in": ["sales", "rep"]}, "effect": {"eq": "CHANGED"}}, 2),
        ({"subjectKind": {"eq": "Tenant"}}, 1),
        ({"ipAddress": {"eq": "192.0.2.7"}}, 3),
        ({"ipAddress": {"startsWith": "198."}}, 0),
        ({"requestId": {"eq": "r1"}}, 3),
        ({"at": {"gte": "2026-03-10T13:00:00Z"}}, 1),
        ({"at": {"lt": "2026-03-10T13:00:00Z"}, "actorKind": {"eq": "USER"}}, 2),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else str(value),
)
async def test_the_log_is_filtered_like_every_list(
    world: World, filter: dict[str, Any], found: int
) -> None:
    await rename(world, "West")
    await rename(world, "East")
    world.wait(hours=1)
    await ask(world, CREATE, name="North")
    ids = {
        "owner": public("User", world.owner.id),
        "rep": public("User", world.rep.id),
        "sales": public("Team", world.sales.id),
    }

    meant = {
        field: {
            op: [ids[each] for each in value] if op == "in" else ids.get(value, value)
            for op, value in comparison.items()
        }
        for field, comparison in filter.items()
    }
    assert len(await log(world, **meant)) == found


async def test_the_log_is_paged_by_its_numbers_both_ways_round(world: World) -> None:
    for name in ("West", "East", "North"):
        await rename(world, name)
    wanted = {"action": {"eq": "teamUpdate"}}

    first = (await ask(world, LOG, filter=wanted, first=2))["auditLog"]
    cursor = first["pageInfo"]["endCursor"]
    second = (await ask(world, LOG, filter=wanted, first=2, after=cursor))["auditLog"]
    order = [{"field": "NUMBER", "direction": "ASC"}]
    oldest = (await ask(world, LOG, filter=wanted, orderBy=order))["auditLog"]

    newest = [node["changes"][0]["after"] for page in (first, second) for node in page["nodes"]]
    assert newest == ["North", "East", "West"]
    assert first["totalCount"] == 3
    assert [node["changes"][0]["after"] for node in oldest["nodes"]] == newest[::-1]


async def test_what_is_gone_keeps_its_id_in_the_log(world: World) -> None:
    member = """query($user: ID!) { node(id: $user) { ... on User {
      memberships { nodes { id } } } } }"""
    user = public("User", world.other_rep.id)
    (place,) = (await ask(world, member, user=user))["node"]["memberships"]["nodes"]
    remove = """mutation($member: ID!) {
      teamMemberRemove(input: {teamMember: $member}) { userErrors { code } } }"""
    await ask(world, remove, member=place["id"])

    (entry,) = (await ask(world, LOG, filter={"effect": {"eq": "REMOVED"}}))["auditLog"]["nodes"]
    assert entry["subject"] == {"kind": "TeamMember", "id": place["id"], "node": None}
    assert {"field": "userId", "before": user, "after": None} in entry["changes"]


async def test_nobody_below_an_admin_sees_it(world: World) -> None:
    await rename(world, "West")
    async with world.database.work(world.tenant.id, read_only=True) as work:
        entry = (await work.find(AuditEntry))[0]
    node = "query($id: ID!) { node(id: $id) { id } }"
    id = public("AuditEntry", entry.id)

    refused = await world.ask("{ auditLog { nodes { action } } }", as_=world.rep)
    hidden = await world.ask(node, {"id": id}, as_=world.rep)

    assert [error["extensions"]["code"] for error in refused["errors"]] == ["FORBIDDEN"]
    assert hidden == {"data": {"node": None}}
    assert await world.ask(node, {"id": id}) == {"data": {"node": {"id": id}}}


async def test_another_tenants_entries_do_not_exist(world: World, other_world: World) -> None:
    await rename(other_world, "West")
    async with other_world.database.work(other_world.tenant.id, read_only=True) as work:
        entry = (await work.find(AuditEntry))[0]
    node = "query($id: ID!) { node(id: $id) { id } }"

    theirs = await log(world, subjectId={"eq": public("Team", other_world.sales.id)})
    assert theirs == await log(world) == []
    answer = await world.ask(node, {"id": public("AuditEntry", entry.id)})
    assert answer == {"data": {"node": None}}


# Signing in, and real requests


async def test_a_sign_in_is_noted_with_its_session(
    database: Database, clock: dict[str, datetime]
) -> None:
    passwords = Passwords(QUICK)
    scene = await make_scene(database, clock, passwords)
    variables = {"email": scene.names["account"], "password": PASSWORD, "tenant": None}
    context = Context(scene.world.services, None, "r1", PLACE)
    await ENGINE().execute(GraphQLRequest(query=SIGN_IN, variables=variables), context)
    wrong = {**variables, "password": "tulips 4 no one"}
    await ENGINE().execute(GraphQLRequest(query=SIGN_IN, variables=wrong), context)
    passwords.close()

    async with database.work(scene.world.tenant.id, read_only=True) as work:
        (entry,) = await work.find(AuditEntry, action="signIn")
    assert (entry.actor_kind, entry.actor_name) == (AuditActorKind.USER, "Guest")
    assert (entry.actor_id, entry.ip_address) == (entry.subject_id, "192.0.2.7")
    assert entry.session_id is not None
    assert entry.changes == ()
    assert PASSWORD not in repr(entry)


@pytest.mark.parametrize("by", ["http", "websocket"])
async def test_the_log_knows_the_key_the_address_and_the_program(
    database_urls: Any, session_database: Database, by: str
) -> None:
    """The secret of the key, which the request carries too, is nowhere in it."""
    clock = {"now": datetime.now(UTC)}
    world = await make_world(Database(session_database.app, session_database.platform), clock)
    variables = {"team": public("Team", world.sales.id), "name": "West"}
    asked = {"query": RENAME, "variables": variables}
    async with a_site(database_urls, WORKER="0") as site:
        secret = await key_of(site, world)
        send = over_http if by == "http" else over_websocket
        answer = await send(site.url, secret, asked)

    assert answer["data"]["teamUpdate"]["userErrors"] == []
    async with world.database.work(world.tenant.id, read_only=True) as work:
        (entry,) = await work.find(AuditEntry, action="teamUpdate")
    assert entry.actor_kind is AuditActorKind.API_KEY
    assert entry.api_key_id == entry.actor_id
    assert (entry.actor_name, entry.ip_address) == ("tests", "127.0.0.1")
    assert (entry.user_agent, entry.request_id) == ("smarketing-test/1", "request-7")
    assert secret not in repr(entry)
    assert (await verify(world.database, world.tenant.id)).bad is None


PROGRAM = {"User-Agent": "smarketing-test/1", "X-Request-Id": "request-7"}


async def over_http(url: str, secret: str, asked: dict[str, Any]) -> Any:
    headers = {**PROGRAM, "Authorization": f"Bearer {secret}"}
    async with httpx.AsyncClient(timeout=60) as client:
        return (await client.post(f"{url}/graphql", headers=headers, json=asked)).json()


async def over_websocket(url: str, secret: str, asked: dict[str, Any]) -> Any:
    """Sends the key with `connection_init`, as a browser has to."""
    address = f"{url.replace('http', 'ws', 1)}/graphql"
    program = {"user_agent_header": PROGRAM["User-Agent"]}
    headers = {"X-Request-Id": PROGRAM["X-Request-Id"]}
    async with connect(
        address,
        subprotocols=["graphql-transport-ws"],  # type: ignore[list-item]  # a NewType
        additional_headers=headers,
        **program,
    ) as socket:
        await socket.send(
            orjson.dumps({"type": "connection_init", "payload": {"token": secret}}).decode()
        )
        await socket.recv()
        await socket.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": asked}).decode())
        return orjson.loads(await socket.recv())["payload"]
