"""What each role may do."""

from dataclasses import replace
from itertools import pairwise

from domain.identity import (
    ROLE_PERMISSIONS,
    Actor,
    Permission,
    Role,
    actor_of,
    actor_of_board,
    actor_of_key,
)
from tests.domain.identity.building_people import NOON, TENANT, a_board, a_user, an_api_key


def test_each_role_can_do_what_those_below_it_can():
    rising = (Role.ANALYST, Role.MEMBER, Role.MANAGER, Role.ADMIN, Role.OWNER)

    for lower, higher in pairwise(rising):
        assert ROLE_PERMISSIONS[lower] <= ROLE_PERMISSIONS[higher]
    assert ROLE_PERMISSIONS[Role.OWNER] == frozenset(Permission)


def test_a_bearer_asks_with_the_permissions_of_its_role_until_it_ends():
    user = a_user(role=Role.ANALYST)
    key = an_api_key(role=Role.MEMBER)
    board = a_board()

    assert actor_of(user, TENANT) == Actor(
        tenant_id=TENANT,
        user_id=user.id,
        permissions=ROLE_PERMISSIONS[Role.ANALYST],
        name="Ann",
        role=Role.ANALYST,
    )
    assert actor_of_key(key, TENANT) == Actor(
        tenant_id=TENANT,
        user_id=None,
        permissions=ROLE_PERMISSIONS[Role.MEMBER],
        name="CRM",
        role=Role.MEMBER,
        api_key_id=key.id,
    )
    assert actor_of_board(board, TENANT) == Actor(
        tenant_id=TENANT,
        user_id=None,
        permissions=frozenset({Permission.VIEW_BOARD}),
        name="Hall",
        board_id=board.id,
    )
    assert actor_of(replace(user, active=False), TENANT) is None
    assert actor_of_key(replace(key, revoked_at=NOON), TENANT) is None
    assert actor_of_board(replace(board, revoked_at=NOON), TENANT) is None
