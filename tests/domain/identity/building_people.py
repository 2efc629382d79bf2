"""People, teams, keys and boards, and whoever acts on them."""

from datetime import UTC, datetime, timedelta

from domain.identity import ROLE_PERMISSIONS, Actor, ApiKey, Board, Role, Team, User
from domain.ids import new_id
from domain.stages import Side

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
YESTERDAY = NOON - timedelta(days=1)
TENANT = new_id()


def a_user(name="Ann", role=Role.MEMBER, **more):
    return User(
        id=new_id(),
        account_id=new_id(),
        email=f"{name.lower()}@acme.example",
        name=name,
        role=role,
        created_at=YESTERDAY,
        **more,
    )


def a_team(side=Side.SALES, **more):
    return Team(id=new_id(), name=side.capitalize(), side=side, created_at=YESTERDAY, **more)


def acting(role, **more):
    return Actor(
        **{
            "tenant_id": TENANT,
            "user_id": new_id(),
            "permissions": ROLE_PERMISSIONS[role],
            "role": role,
            **more,
        }
    )


OWNER, ADMIN, MANAGER = (acting(role) for role in (Role.OWNER, Role.ADMIN, Role.MANAGER))
KEY = acting(Role.ADMIN, user_id=None, api_key_id=new_id())


def an_api_key(**more):
    return ApiKey(
        **{
            "id": new_id(),
            "name": "CRM",
            "role": Role.MEMBER,
            "digest": "d1",
            "created_by": None,
            "created_at": YESTERDAY,
            **more,
        }
    )


def a_board(**more):
    return Board(
        **{
            "id": new_id(),
            "name": "Hall",
            "digest": "d2",
            "created_by": None,
            "created_at": YESTERDAY,
            **more,
        }
    )
