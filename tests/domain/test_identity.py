"""Who may do what, and who says so."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from domain.errors import AlreadyExists, Invalid, NotFound, PermissionDenied
from domain.events import (
    ApiKeyCreated,
    ApiKeyRevoked,
    ApiKeyRotated,
    BoardCreated,
    BoardRevoked,
    TeamChanged,
    TenantChanged,
    UserChanged,
)
from domain.identity import (
    OVERLAP,
    ROLE_PERMISSIONS,
    Actor,
    ApiKey,
    Board,
    InactiveUser,
    KeyRevoked,
    LastOwner,
    OwnersOnly,
    Permission,
    Role,
    Team,
    TeamMember,
    Tenant,
    UnknownCurrency,
    UnknownTimeZone,
    User,
    actor_of,
    actor_of_board,
    actor_of_key,
    add_team_member,
    add_user,
    create_api_key,
    create_board,
    create_team,
    honours,
    new_tenant,
    remove_team_member,
    revoke_api_key,
    revoke_board,
    rotate_api_key,
    update_team,
    update_team_member,
    update_tenant,
    update_user,
)
from domain.ids import new_id
from domain.sla.calendars import Calendar
from domain.stages import Side
from tests.fakes import FakeWork

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


# The policy


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


# Tenants


def a_tenant(**more):
    return Tenant(
        **{
            "id": TENANT,
            "slug": "acme",
            "name": "Acme",
            "time_zone": "Europe/Dublin",
            "currency": "EUR",
            "created_at": YESTERDAY,
            **more,
        }
    )


def test_a_new_tenant_is_called_what_it_was_told_without_space_around():
    made = new_tenant(
        id=TENANT,
        slug="acme",
        name=" Acme ",
        time_zone="Europe/Dublin",
        currency="EUR",
        at=YESTERDAY,
    )

    assert made == a_tenant()


@pytest.mark.parametrize("slug", ["ab", "a" * 40, "acme-2", "a-b-c", "42"])
def test_slugs_of_small_letters_digits_and_single_hyphens_are_good(slug):
    made = new_tenant(
        id=TENANT, slug=slug, name="Acme", time_zone="UTC", currency="EUR", at=YESTERDAY
    )

    assert made.slug == slug


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        *(
            ({"slug": slug}, ("slug",))
            for slug in (
                "",
                "a",
                "a" * 41,
                "Acme",
                "-acme",
                "acme-",
                "a--b",
                "a_b",
                "a\n",
                "a\x00b",
            )
        ),
        ({"name": "  "}, ("name",)),
        ({"name": "x" * 201}, ("name",)),
        ({"name": "a\x00b"}, ("name",)),
    ],
)
def test_a_tenant_that_cannot_be_is_refused(wrong, path):
    right = {"slug": "acme", "name": "Acme", "time_zone": "UTC", "currency": "EUR"}

    with pytest.raises(Invalid) as refusal:
        new_tenant(id=TENANT, at=NOON, **{**right, **wrong})

    assert refusal.value.path == path


@pytest.mark.parametrize("zone", ["", "Mars/Base", "europe/dublin", "../etc/passwd", "a\x00"])
def test_a_time_zone_that_does_not_exist_is_refused(zone):
    with pytest.raises(UnknownTimeZone):
        new_tenant(id=TENANT, slug="acme", name="Acme", time_zone=zone, currency="EUR", at=NOON)


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "ZZZ", "XAU", "XTS"])
def test_a_currency_that_nobody_is_paid_in_is_refused(currency):
    with pytest.raises(UnknownCurrency):
        new_tenant(id=TENANT, slug="acme", name="Acme", time_zone="UTC", currency=currency, at=NOON)


async def test_a_tenant_changes_only_what_is_named():
    work = FakeWork(NOON, a_tenant())
    work.tenant_id = TENANT

    saved = await update_tenant(work, ADMIN, time_zone="Asia/Tokyo")

    assert saved == a_tenant(time_zone="Asia/Tokyo", version=2)
    assert work.events == [TenantChanged(tenant_id=TENANT, at=NOON)]


# Users


async def test_an_added_user_is_active_from_the_start():
    work, user_id, account_id = FakeWork(NOON), new_id(), new_id()

    user = await add_user(
        work,
        ADMIN,
        user_id=user_id,
        account_id=account_id,
        email="bo@acme.example",
        name=" Bo ",
        role=Role.MEMBER,
    )

    assert user == User(
        id=user_id,
        account_id=account_id,
        email="bo@acme.example",
        name="Bo",
        role=Role.MEMBER,
        created_at=NOON,
    )
    assert await work.find(User) == [user]
    assert work.events == [UserChanged(user_id=user_id, at=NOON)]


@pytest.mark.parametrize(
    ("actor", "more", "refusal"),
    [
        (MANAGER, {}, PermissionDenied),
        (ADMIN, {"role": Role.OWNER}, OwnersOnly),
        (KEY, {"role": Role.OWNER}, OwnersOnly),
        (ADMIN, {"email": "ann@acme.example"}, AlreadyExists),
        (ADMIN, {"name": " "}, Invalid),
        (ADMIN, {"name": "n" * 201}, Invalid),
        (ADMIN, {"name": "n\x00"}, Invalid),
    ],
)
async def test_a_refused_addition_adds_nobody(actor, more, refusal):
    work = FakeWork(NOON, ann := a_user())
    wanted = {"email": "bo@acme.example", "name": "Bo", "role": Role.MEMBER, **more}

    with pytest.raises(refusal):
        await add_user(work, actor, user_id=new_id(), account_id=new_id(), **wanted)

    assert await work.find(User) == [ann]
    assert work.events == []


async def test_an_owner_makes_owners():
    ann = a_user()
    work = FakeWork(NOON, ann)

    saved = await update_user(work, OWNER, ann.id, role=Role.OWNER)

    assert saved == replace(ann, role=Role.OWNER, version=2)
    assert work.events == [UserChanged(user_id=ann.id, at=NOON)]


@pytest.mark.parametrize(
    ("before", "change"),
    [
        ({"role": Role.MEMBER}, {"role": Role.OWNER}),
        ({"role": Role.OWNER}, {"role": Role.ADMIN}),
        ({"role": Role.OWNER}, {"active": False}),
        ({"role": Role.OWNER, "active": False}, {"active": True}),
    ],
)
@pytest.mark.parametrize("actor", [ADMIN, KEY])
async def test_nobody_but_an_owner_makes_or_unmakes_owners(actor, before, change):
    ann, other = a_user(**before), a_user("Olive", Role.OWNER)
    work = FakeWork(NOON, ann, other)

    with pytest.raises(OwnersOnly):
        await update_user(work, actor, ann.id, **change)

    assert await work.find(User) == [ann, other]
    assert work.events == []


async def test_an_admin_may_correct_an_owners_name():
    ann = a_user(role=Role.OWNER)

    saved = await update_user(FakeWork(NOON, ann), ADMIN, ann.id, name="Anne")

    assert saved == replace(ann, name="Anne", version=2)


@pytest.mark.parametrize("change", [{"role": Role.ADMIN}, {"active": False}])
async def test_the_last_active_owner_stays(change):
    ann = a_user(role=Role.OWNER)
    gone = a_user("Olive", Role.OWNER, active=False)
    work = FakeWork(NOON, ann, gone)

    with pytest.raises(LastOwner):
        await update_user(work, OWNER, ann.id, **change)

    assert await work.find(User) == [ann, gone]
    assert work.events == []


async def test_an_owner_may_go_when_another_stays():
    ann, olive = a_user(role=Role.OWNER), a_user("Olive", Role.OWNER)

    saved = await update_user(FakeWork(NOON, ann, olive), OWNER, ann.id, active=False)

    assert saved == replace(ann, active=False, left_at=NOON, version=2)


async def test_changing_nothing_tells_nobody():
    ann = a_user()
    work = FakeWork(NOON, ann)

    assert await update_user(work, ADMIN, ann.id, role=ann.role) == ann
    assert work.events == []


# Teams


async def test_a_team_is_set_up_on_a_calendar():
    calendar = Calendar(id=new_id(), name="Office", current_id=new_id(), created_at=NOON)
    work = FakeWork(NOON, calendar)

    team = await create_team(
        work, ADMIN, name=" Inbound ", side=Side.MARKETING, calendar_id=calendar.id
    )

    assert team == Team(
        id=team.id,
        name="Inbound",
        side=Side.MARKETING,
        created_at=NOON,
        calendar_id=calendar.id,
    )
    assert work.events == [TeamChanged(team_id=team.id, at=NOON)]


@pytest.mark.parametrize(
    ("actor", "more", "refusal", "path"),
    [
        (MANAGER, {}, PermissionDenied, ()),
        (ADMIN, {"name": ""}, Invalid, ("name",)),
        (ADMIN, {"calendar_id": new_id()}, NotFound, ("calendar",)),
    ],
)
async def test_a_refused_team_is_not_set_up(actor, more, refusal, path):
    work = FakeWork(NOON)

    with pytest.raises(refusal) as refused:
        await create_team(work, actor, **{"name": "A", "side": Side.SALES, **more})

    assert refused.value.path == path
    assert await work.find(Team) == []
    assert work.events == []


async def test_a_team_without_a_calendar_works_around_the_clock():
    team = a_team(calendar_id=new_id())

    renamed = await update_team(FakeWork(NOON, team), ADMIN, team.id, name="Closers")
    freed = await update_team(FakeWork(NOON, team), ADMIN, team.id, calendar_id=None)

    assert renamed == replace(team, name="Closers", version=2)
    assert freed == replace(team, calendar_id=None, version=2)


async def test_a_user_joins_and_leaves_a_team():
    team, ann = a_team(), a_user()
    work = FakeWork(NOON, team, ann)

    member = await add_team_member(work, ADMIN, team_id=team.id, user_id=ann.id, capacity=3)
    saved = await update_team_member(work, ADMIN, member.id, available=False)
    gone = await remove_team_member(work, ADMIN, member.id)

    assert member == TeamMember(
        id=member.id, team_id=team.id, user_id=ann.id, created_at=NOON, capacity=3
    )
    assert saved == gone == replace(member, available=False, version=2)
    assert await work.find(TeamMember) == []
    assert work.events == [TeamChanged(team_id=team.id, at=NOON)] * 3


@pytest.mark.parametrize("capacity", [-1, 10_001, 2**31])
async def test_nobody_holds_less_than_nothing_or_more_than_can_be(capacity):
    team, ann = a_team(), a_user()
    member = TeamMember(id=new_id(), team_id=team.id, user_id=ann.id, created_at=NOON)
    work = FakeWork(NOON, team, ann, member)

    with pytest.raises(Invalid):
        await update_team_member(work, ADMIN, member.id, capacity=capacity)
    with pytest.raises(Invalid):
        await add_team_member(work, ADMIN, team_id=team.id, user_id=ann.id, capacity=capacity)

    assert await work.find(TeamMember) == [member]


async def test_somebody_who_has_left_joins_no_team():
    team, ann = a_team(), a_user(active=False)
    work = FakeWork(NOON, team, ann)

    with pytest.raises(InactiveUser):
        await add_team_member(work, ADMIN, team_id=team.id, user_id=ann.id)

    assert await work.find(TeamMember) == []


# Keys and boards


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
