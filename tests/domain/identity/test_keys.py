"""Keys of programs and links of wall boards."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.errors import Invalid, NotFound, PermissionDenied
from domain.events import ApiKeyCreated, ApiKeyRevoked, ApiKeyRotated, BoardCreated, BoardRevoked
from domain.identity import (
    OVERLAP,
    ApiKey,
    Board,
    KeyRevoked,
    Role,
    create_api_key,
    create_board,
    honours,
    revoke_api_key,
    revoke_board,
    rotate_api_key,
)
from domain.ids import new_id
from domain.stages import Side
from tests.domain.identity.building_people import (
    ADMIN,
    KEY,
    MANAGER,
    NOON,
    OWNER,
    a_board,
    a_team,
    an_api_key,
)
from tests.fakes import FakeWork


async def test_a_key_is_kept_by_its_digest_alone():
    work = FakeWork(NOON)

    key = await create_api_key(work, ADMIN, name="CRM", role=Role.MEMBER, digest="d1")

    assert key == an_api_key(id=key.id, created_by=ADMIN.user_id, created_at=NOON)
    assert work.events == [ApiKeyCreated(api_key_id=key.id, at=NOON)]


@pytest.mark.parametrize(
    ("actor", "role", "refusal"),
    [
        (MANAGER, Role.MEMBER, PermissionDenied),
        (KEY, Role.MEMBER, PermissionDenied),  # or it would outlive its own revocation
        (OWNER, Role.OWNER, Invalid),
    ],
)
async def test_a_refused_key_is_not_kept(actor, role, refusal):
    work = FakeWork(NOON)

    with pytest.raises(refusal):
        await create_api_key(work, actor, name="CRM", role=role, digest="d1")

    assert await work.find(ApiKey) == []
    assert work.events == []


async def test_a_rotated_key_has_another_secret_and_the_one_before_for_a_while():
    key = an_api_key(digest="d1")
    work = FakeWork(NOON, key)

    rotated = await rotate_api_key(work, ADMIN, key.id, digest="d2", overlap=timedelta(hours=1))

    assert rotated == replace(
        key,
        digest="d2",
        rotated_at=NOON,
        previous_digest="d1",
        previous_expires_at=NOON + timedelta(hours=1),
        version=2,
    )
    assert work.events == [ApiKeyRotated(api_key_id=key.id, at=NOON)]
    just_before = NOON + timedelta(minutes=59, seconds=59)
    assert [
        honours(rotated, digest, at=at)
        for at in (NOON, just_before, NOON + timedelta(hours=1))
        for digest in ("d1", "d2", "d3")
    ] == [True, True, False, True, True, False, False, True, False]


async def test_a_key_that_was_never_rotated_has_one_secret():
    assert honours(an_api_key(digest="d1"), "d1", at=NOON)
    assert not honours(an_api_key(digest="d1"), "None", at=NOON)


async def test_a_second_rotation_ends_the_secret_before_the_first():
    key = an_api_key(digest="d1")
    work = FakeWork(NOON, key)
    for digest in ("d2", "d3"):
        rotated = await rotate_api_key(work, ADMIN, key.id, digest=digest, overlap=OVERLAP)

    assert [honours(rotated, digest, at=NOON) for digest in ("d1", "d2", "d3")] == [
        False,
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("actor", "more", "overlap", "refusal"),
    [
        (MANAGER, {}, OVERLAP, PermissionDenied),
        (KEY, {}, OVERLAP, PermissionDenied),  # or a thief could keep it from its owner
        (ADMIN, {}, timedelta(minutes=-1), Invalid),
        (ADMIN, {}, timedelta(days=7, minutes=1), Invalid),
        (ADMIN, {"revoked_at": NOON}, OVERLAP, KeyRevoked),
    ],
)
async def test_a_refused_rotation_changes_nothing(actor, more, overlap, refusal):
    key = an_api_key(**more)
    work = FakeWork(NOON, key)

    with pytest.raises(refusal):
        await rotate_api_key(work, actor, key.id, digest="d2", overlap=overlap)

    assert await work.find(ApiKey) == [key]
    assert work.events == []


async def test_revoking_twice_changes_nothing_more():
    key, board = an_api_key(), a_board()
    work = FakeWork(NOON, key, board)

    for _ in range(2):
        revoked_key = await revoke_api_key(work, ADMIN, key.id)
        revoked_board = await revoke_board(work, MANAGER, board.id)

    assert revoked_key == replace(key, revoked_at=NOON, version=2)
    assert revoked_board == replace(board, revoked_at=NOON, version=2)
    assert work.events == [
        ApiKeyRevoked(api_key_id=key.id, at=NOON),
        BoardRevoked(board_id=board.id, at=NOON),
    ]


async def test_a_board_shows_one_sales_team_or_all():
    sales = a_team()
    work = FakeWork(NOON, sales)

    one = await create_board(work, MANAGER, name="Hall", digest="d2", sales_team_id=sales.id)
    everybody = await create_board(work, MANAGER, name="Hall", digest="d3")

    made = {"created_by": MANAGER.user_id, "created_at": NOON}
    assert one == a_board(id=one.id, sales_team_id=sales.id, **made)
    assert everybody == a_board(id=everybody.id, digest="d3", **made)
    assert work.events == [BoardCreated(board_id=board.id, at=NOON) for board in (one, everybody)]


@pytest.mark.parametrize(("team", "refusal"), [(a_team(Side.MARKETING), Invalid), (None, NotFound)])
async def test_a_board_of_no_sales_team_is_not_made(team, refusal):
    work = FakeWork(NOON, *[team] if team else [])

    with pytest.raises(refusal) as refused:
        await create_board(
            work,
            MANAGER,
            name="Hall",
            digest="d2",
            sales_team_id=team.id if team else new_id(),
        )

    assert refused.value.path == ("salesTeam",)
    assert await work.find(Board) == []
