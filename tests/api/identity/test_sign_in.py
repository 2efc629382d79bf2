"""Signing in, and who is here then."""

import pytest

from domain.ids import public
from tests.api.identity.asking import SIGN_IN, UPDATE, let_in, user_id
from tests.passwords import PASSWORD

# Signing in


async def test_an_added_user_can_sign_in(company):
    bo = await let_in(company)
    answer = await company.data(
        SIGN_IN, {"email": bo.email.upper(), "password": PASSWORD, "tenant": None}
    )

    session = answer["signIn"]["session"]
    claims = company.services.tokens.verify(session.pop("accessToken"), now=company.now)
    assert claims.user_id == bo.id
    assert answer["signIn"] == {
        "session": {
            "expiresAt": "2026-03-10T12:15:00Z",
            "user": {"id": user_id(bo), "email": bo.email},
            "tenant": {"slug": company.tenant.slug},
        },
        "userErrors": [],
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nobody@nowhere.example"},
        {"password": "tulips 4 no one"},
        {"tenant": "nowhere"},
        {"tenant": "nul\x00"},
    ],
)
async def test_a_wrong_sign_in_learns_nothing(company, wrong):
    await let_in(company)
    right = {"email": f"bo@{company.tenant.slug}.example", "password": PASSWORD}

    answer = await company.data(SIGN_IN, {**right, **wrong})

    assert answer["signIn"] == {
        "session": None,
        "userErrors": [
            {
                "__typename": "InputError",
                "code": "BAD_CREDENTIALS",
                "message": "The e-mail address or the password is not right.",
                "path": [],
            }
        ],
    }


async def test_an_inactive_user_is_refused_like_a_wrong_password(company):
    bo = await let_in(company)
    await company.data(UPDATE, {"input": {"user": user_id(bo), "active": False}})

    answer = await company.data(
        SIGN_IN, {"email": f"bo@{company.tenant.slug}.example", "password": PASSWORD}
    )

    assert [error["code"] for error in answer["signIn"]["userErrors"]] == ["BAD_CREDENTIALS"]


# Who is here


async def test_the_viewer_sees_who_it_is_and_what_it_may_do(world):
    document = """{ viewer { name role user { id email } apiKey { id } tenant { id slug name }
      permissions teams { name side } } }"""

    answer = await world.data(document, as_=world.analyst)
    owner = await world.data("{ viewer { permissions teams { name } } }")

    assert answer["viewer"] == {
        "name": "Ana",
        "role": "ANALYST",
        "user": {"id": user_id(world.analyst), "email": world.analyst.email},
        "apiKey": None,
        "tenant": {
            "id": public("Tenant", world.tenant.id),
            "slug": world.tenant.slug,
            "name": "Acme",
        },
        "permissions": ["VIEW", "VIEW_BOARD", "ACKNOWLEDGE_PERSONAS"],
        "teams": [],
    }
    assert owner["viewer"]["teams"] == [{"name": "Marketing"}]
    assert "MANAGE_TENANT" in owner["viewer"]["permissions"]


async def test_people_and_teams_are_listed_with_each_other(world):
    document = """{
      users(first: 2, filter: {role: {in: [MANAGER, MEMBER]}}) {
        totalCount nodes { name teams { name } } pageInfo { hasNextPage } }
      teams(filter: {side: {eq: SALES}}) {
        nodes { name side calendar { name } members { nodes { user { name } available capacity } } }
      } }"""

    answer = await world.data(document, as_=world.analyst)

    assert answer == {
        "users": {
            "totalCount": 3,
            "nodes": [
                {"name": "Mia", "teams": [{"name": "Marketing"}]},
                {"name": "Rita", "teams": [{"name": "Sales"}]},
            ],
            "pageInfo": {"hasNextPage": True},
        },
        "teams": {
            "nodes": [
                {
                    "name": "Sales",
                    "side": "SALES",
                    "calendar": {"name": "Office"},
                    "members": {
                        "nodes": [
                            {"user": {"name": name}, "available": True, "capacity": 50}
                            for name in ("Sam", "Rita")
                        ]
                    },
                }
            ]
        },
    }


async def test_another_tenants_people_are_not_listed(world, other_world):
    found = await world.data("{ users { nodes { id } } teams { nodes { id } } }")

    shown = {node["id"] for page in found.values() for node in page["nodes"]}
    theirs = {user_id(other_world.owner), public("Team", other_world.sales.id)}
    assert len(shown) == 7
    assert not shown & theirs


@pytest.mark.parametrize("field", ["apiKeys", "boardLinks"])
async def test_who_may_not_make_keys_does_not_see_them(world, field):
    answer = await world.ask(f"{{ {field} {{ nodes {{ id }} }} }}", as_=world.analyst)

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
    assert await world.data(f"{{ {field} {{ nodes {{ id }} }} }}") == {field: {"nodes": []}}
