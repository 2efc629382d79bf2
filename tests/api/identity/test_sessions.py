"""Going on, being seen, and signing out: what front ends do with sessions."""

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from api.context import Context
from api.engine import GraphQLRequest
from domain.audit import SYSTEM, Cause
from domain.identity import Session, SessionEnd
from domain.identity.sessions import GRACE
from domain.ids import new_id, public
from infra.outbox import publish_all
from tests.api.identity.asking import SIGN_IN, UPDATE, let_in, refused, stored, user_id
from tests.passwords import PASSWORD
from tests.sessions import begun
from tests.world import ENGINE

REFRESH = """mutation($token: String!) { sessionRefresh(input: {refreshToken: $token}) {
  session { accessToken expiresAt refreshToken refreshExpiresAt user { id } tenant { slug } }
  userErrors { code path } } }"""
SESSIONS = """{ viewer { sessions { totalCount nodes {
  id createdAt lastUsedAt expiresAt endedAt ipAddress userAgent current } } } }"""
END = """mutation($session: ID!) { sessionEnd(input: {session: $session}) {
  session { id endedAt } userErrors { code path } } }"""
SIGN_OUT = "mutation { signOut { session { id endedAt current } userErrors { code } } }"
EVERYWHERE = "mutation { signOutEverywhere { user { id } userErrors { code } } }"
END_ALL = """mutation($user: ID!) { userSessionsEnd(input: {user: $user}) {
  user { id } userErrors { code path } } }"""
CHANGE = """mutation($current: String!, $new: String!) {
  passwordChange(input: {currentPassword: $current, newPassword: $new}) {
  user { id } userErrors { code path } } }"""


@pytest.fixture(autouse=True)
async def _nobody_has_failed(database):
    """The tallies are the installation's: what other tests left would count here."""
    await database.platform.execute("DELETE FROM sign_in_failures")


@pytest.fixture
async def email(company):
    """The address of somebody who can sign in."""
    return (await let_in(company)).email


async def as_(world, actor, document, variables=None, cause=SYSTEM):
    """Ask as anybody, from anywhere."""
    context = Context(world.services, actor, "test", cause)
    request = GraphQLRequest(query=document, variables=variables or {})
    answer = orjson.loads((await ENGINE().execute(request, context)).body)
    assert "errors" not in answer, answer
    return answer["data"]


async def sign_in(world, email, cause=SYSTEM):
    variables = {"email": email, "password": PASSWORD}
    document = SIGN_IN.replace("expiresAt", "expiresAt refreshToken refreshExpiresAt")
    return (await as_(world, None, document, variables, cause))["signIn"]["session"]


async def refresh(world, token):
    return (await as_(world, None, REFRESH, {"token": token}))["sessionRefresh"]


def actor_in(world, user, session):
    return replace(world.actor(user), session_id=session.id)


# Going on


async def test_a_session_goes_on_without_the_password(company, email):
    first = await sign_in(company, email)
    company.wait(minutes=20)

    answer = await refresh(company, first["refreshToken"])

    tokens = [answer["session"].pop(name) for name in ("accessToken", "refreshToken")]
    assert answer == {
        "session": {
            "expiresAt": "2026-03-10T12:35:00Z",
            "refreshExpiresAt": "2026-04-09T12:20:00Z",
            "user": first["user"] and {"id": first["user"]["id"]},
            "tenant": {"slug": company.tenant.slug},
        },
        "userErrors": [],
    }
    assert company.services.tokens.verify(tokens[0], now=company.now)
    assert (await refresh(company, tokens[1]))["userErrors"] == []


async def test_a_copied_token_ends_the_session_and_says_so(company, email):
    first = await sign_in(company, email)
    second = (await refresh(company, first["refreshToken"]))["session"]
    company.wait(seconds=GRACE.total_seconds() + 1)

    reused = await refresh(company, first["refreshToken"])
    afterwards = await refresh(company, second["refreshToken"])

    assert reused == {
        "session": None,
        "userErrors": refused("REFRESH_TOKEN_REUSED", "refreshToken"),
    }
    assert afterwards == {"session": None, "userErrors": refused("SESSION_ENDED", "refreshToken")}
    (session,) = await stored(company, Session)
    assert session.ended_because is SessionEnd.TOKEN_REUSED


async def test_no_other_token_refreshes(company, email):
    first = await sign_in(company, email)
    made = await company.data(
        'mutation { apiKeyCreate(input: {name: "CRM", role: MEMBER}) { issuedApiKey { secret } } }'
    )
    secret = made["apiKeyCreate"]["issuedApiKey"]["secret"]

    for token in (first["accessToken"], secret, "", "smr_", "\x00", "x" * 10_000):
        assert await refresh(company, token) == {
            "session": None,
            "userErrors": refused("BAD_REFRESH_TOKEN", "refreshToken"),
        }


# Being seen


async def test_one_sees_where_one_is_signed_in(company):
    home = {"ip_address": "192.0.2.7", "user_agent": "Firefox"}
    here = await begun(company, company.rep)
    company.wait(hours=1)
    there = await begun(company, company.rep, **home)
    await begun(company, company.rep, expires_at=company.now)
    await begun(company, company.rep, ended_at=company.now, ended_because=SessionEnd.SIGNED_OUT)
    await begun(company, company.owner)

    seen = await as_(company, actor_in(company, company.rep, here), SESSIONS)

    assert seen["viewer"]["sessions"] == {
        "totalCount": 2,
        "nodes": [
            {
                "id": public("Session", there.id),
                "createdAt": "2026-03-10T13:00:00Z",
                "lastUsedAt": "2026-03-10T13:00:00Z",
                "expiresAt": "2026-04-09T13:00:00Z",
                "endedAt": None,
                "ipAddress": "192.0.2.7",
                "userAgent": "Firefox",
                "current": False,
            },
            {
                "id": public("Session", here.id),
                "createdAt": "2026-03-10T12:00:00Z",
                "lastUsedAt": "2026-03-10T12:00:00Z",
                "expiresAt": "2026-04-09T12:00:00Z",
                "endedAt": None,
                "ipAddress": None,
                "userAgent": None,
                "current": True,
            },
        ],
    }


async def test_sessions_come_in_pages(company):
    for _ in range(3):
        await begun(company, company.rep)
        company.wait(minutes=1)
    document = """query($after: String) { viewer { sessions(first: 2, after: $after) {
      nodes { createdAt } pageInfo { hasNextPage endCursor } } } }"""

    first = await company.data(document, as_=company.rep)
    page = first["viewer"]["sessions"]["pageInfo"]
    second = await company.data(document, {"after": page["endCursor"]}, as_=company.rep)

    shown = [
        node["createdAt"]
        for each in (first, second)
        for node in each["viewer"]["sessions"]["nodes"]
    ]
    assert shown == [f"2026-03-10T12:0{minute}:00Z" for minute in (2, 1, 0)]
    assert [page["hasNextPage"], second["viewer"]["sessions"]["pageInfo"]["hasNextPage"]] == [
        True,
        False,
    ]


async def test_a_key_is_signed_in_nowhere(company):
    await begun(company, company.rep)
    key = replace(company.actor(), user_id=None, api_key_id=new_id())

    seen = await as_(company, key, "{ viewer { sessions { totalCount nodes { id } } } }")

    assert seen == {"viewer": {"sessions": {"totalCount": 0, "nodes": []}}}


async def test_where_from_is_taken_from_the_request(company, email):
    origin = Cause(ip_address="2001:db8::1", user_agent="curl/8")
    await sign_in(company, email, origin)

    (session,) = await stored(company, Session)

    assert (session.ip_address, session.user_agent) == ("2001:db8::1", "curl/8")


async def test_a_session_is_a_node_for_its_own_user_only(company):
    session = await begun(company, company.rep)
    document = "query($id: ID!) { node(id: $id) { __typename id } }"
    variables = {"id": public("Session", session.id)}

    own = await company.data(document, variables, as_=company.rep)
    owners = await company.data(document, variables)

    assert own == {"node": {"__typename": "Session", **variables}}
    assert owners == {"node": None}


# Ends


async def test_one_device_is_signed_out_from_another(company):
    here, there = await begun(company, company.rep), await begun(company, company.rep)

    ended = await as_(
        company,
        actor_in(company, company.rep, here),
        END,
        {"session": public("Session", there.id)},
    )

    assert ended["sessionEnd"] == {
        "session": {"id": public("Session", there.id), "endedAt": "2026-03-10T12:00:00Z"},
        "userErrors": [],
    }
    assert [each.id for each in await stored(company, Session, ended_at=None)] == [here.id]


async def test_nobody_elses_session_exists(company):
    foreign = await begun(company, company.owner)

    answer = await company.data(END, {"session": public("Session", foreign.id)}, as_=company.rep)

    assert answer["sessionEnd"] == {
        "session": None,
        "userErrors": refused("NOT_FOUND", "session"),
    }
    assert await stored(company, Session) == [foreign]


async def test_whoever_signs_out_is_out_here_and_nowhere_else(company):
    here, there = await begun(company, company.rep), await begun(company, company.rep)

    answer = await as_(company, actor_in(company, company.rep, here), SIGN_OUT)

    assert answer["signOut"] == {
        "session": {
            "id": public("Session", here.id),
            "endedAt": "2026-03-10T12:00:00Z",
            "current": True,
        },
        "userErrors": [],
    }
    assert [each.id for each in await stored(company, Session, ended_at=None)] == [there.id]


@pytest.mark.parametrize("document", [SIGN_OUT, EVERYWHERE])
async def test_a_key_does_not_sign_out(company, document):
    key = replace(company.actor(), user_id=None, api_key_id=new_id())
    context = Context(company.services, key, "test")

    answer = await ENGINE().execute(GraphQLRequest(query=document), context)

    assert [error["extensions"]["code"] for error in answer.errors] == ["FORBIDDEN"]


async def test_an_admin_signs_a_user_out_and_a_manager_does_not(company):
    session, variables = await begun(company, company.rep), {"user": user_id(company.rep)}

    refusal = await company.ask(END_ALL, variables, as_=company.marketer)
    assert await stored(company, Session, ended_at=None) == [session]
    done = await company.data(END_ALL, variables)

    assert [error["extensions"]["code"] for error in refusal["errors"]] == ["FORBIDDEN"]
    assert done["userSessionsEnd"] == {"user": {"id": user_id(company.rep)}, "userErrors": []}
    assert await stored(company, Session, ended_at=None) == []


async def test_sign_out_everywhere_leaves_no_session(company, email):
    first, second = await sign_in(company, email), await sign_in(company, email)
    claims = company.services.tokens.verify(first["accessToken"], now=company.now)
    guest = replace(
        company.actor(company.rep), user_id=claims.user_id, session_id=claims.session_id
    )

    answer = await as_(company, guest, EVERYWHERE)

    assert answer["signOutEverywhere"] == {"user": {"id": first["user"]["id"]}, "userErrors": []}
    for token in (first["refreshToken"], second["refreshToken"]):
        assert (await refresh(company, token))["userErrors"] == refused(
            "SESSION_ENDED", "refreshToken"
        )


async def test_a_password_is_changed_by_who_knows_it(company, email):
    here, there = await sign_in(company, email), await sign_in(company, email)
    claims = company.services.tokens.verify(here["accessToken"], now=company.now)
    guest = replace(
        company.actor(company.rep), user_id=claims.user_id, session_id=claims.session_id
    )
    new = "narcissi 4 nobody"

    wrong = await as_(company, guest, CHANGE, {"current": new, "new": PASSWORD})
    weak = await as_(company, guest, CHANGE, {"current": PASSWORD, "new": "password1234"})
    done = await as_(company, guest, CHANGE, {"current": PASSWORD, "new": new})

    assert wrong["passwordChange"] == {
        "user": None,
        "userErrors": refused("WRONG_PASSWORD", "currentPassword"),
    }
    assert weak["passwordChange"] == {
        "user": None,
        "userErrors": refused("WEAK_PASSWORD", "newPassword"),
    }
    assert done["passwordChange"] == {"user": {"id": here["user"]["id"]}, "userErrors": []}
    assert (await refresh(company, here["refreshToken"]))["userErrors"] == []
    assert (await refresh(company, there["refreshToken"]))["userErrors"] == refused(
        "SESSION_ENDED", "refreshToken"
    )


async def test_an_end_of_membership_is_an_end_of_its_sessions(company, email):
    signed_in = await sign_in(company, email)
    await company.data(UPDATE, {"input": {"user": signed_in["user"]["id"], "active": False}})
    await company.data(UPDATE, {"input": {"user": signed_in["user"]["id"], "active": True}})

    answer = await refresh(company, signed_in["refreshToken"])

    assert answer["userErrors"] == refused("SESSION_ENDED", "refreshToken")


# Trying passwords


async def test_too_many_wrong_passwords_are_told_to_wait(company, email):
    origin = Cause(ip_address="192.0.2.7")
    document = SIGN_IN.replace(
        "__typename code", "__typename ... on TooManyAttemptsError { retryAfter } code"
    )
    wrong = {"email": email, "password": "wrong password"}
    for _ in range(10):
        answer = await as_(company, None, document, wrong, origin)
        assert [e["code"] for e in answer["signIn"]["userErrors"]] == ["BAD_CREDENTIALS"]

    right = {"email": email, "password": PASSWORD}
    refusals = [await as_(company, None, document, each, origin) for each in (wrong, right)]
    elsewhere = await as_(company, None, document, right, Cause(ip_address="198.51.100.1"))
    company.wait(seconds=1)
    in_time = await as_(company, None, document, right, origin)

    assert [refusal["signIn"] for refusal in refusals] == [
        {
            "session": None,
            "userErrors": [
                {
                    "__typename": "TooManyAttemptsError",
                    "code": "TOO_MANY_ATTEMPTS",
                    "retryAfter": 1,
                    "message": "Too many attempts; try again in a second.",
                    "path": [],
                }
            ],
        }
    ] * 2
    assert elsewhere["signIn"]["userErrors"] == []
    assert in_time["signIn"]["userErrors"] == []


async def test_what_happens_to_sessions_is_told_without_personal_data(company, email):
    await sign_in(company, email, Cause(ip_address="192.0.2.7", user_agent="Firefox"))
    await publish_all(company.database, company.tenant.id)

    async with company.work() as work:
        rows = await work.connection.fetch(
            "SELECT payload FROM event_log WHERE kind = 'SessionStarted'"
        )

    (session,) = await stored(company, Session)
    assert [sorted(row["payload"]) for row in rows] == [["at", "by", "session_id", "user_id"]]
    assert session.expires_at - session.created_at == timedelta(days=30)
