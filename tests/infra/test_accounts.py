"""Accounts against real PostgreSQL: tenants are made, people let in, and half-made ones healed."""

import asyncio

import pytest
from argon2 import Parameters
from argon2.low_level import Type

from domain.errors import AlreadyExists, Invalid
from domain.events import SessionStarted, UserChanged
from domain.feed import LoggedEvent
from domain.identity import (
    BadCredentials,
    Role,
    SlugTaken,
    Tenant,
    TenantNeeded,
    UnknownCurrency,
    UnknownTimeZone,
    User,
    actor_of,
    update_user,
)
from domain.ids import new_id
from infra.accounts import Accounts, create_tenant, find_or_create, join
from infra.outbox import publish_all
from infra.passwords import Passwords, WeakPassword
from infra.signing_keys import SigningKeys
from infra.tokens import MAX_LIFE, AccessTokens
from tests.passwords import ANOTHER, PASSWORD
from tests.world import NOON

STRONGER = Parameters(
    type=Type.ID, version=19, salt_len=16, hash_len=32, time_cost=2, memory_cost=64, parallelism=1
)


@pytest.fixture
def tokens():
    return AccessTokens(keys=SigningKeys.generate(), issuer="us", audience="api")


@pytest.fixture
def accounts(database, passwords, tokens):
    return Accounts(database, passwords, tokens, "https://smarketing.example")


@pytest.fixture
def slug():
    return f"t{new_id().hex[-16:]}"


@pytest.fixture
def found(database, passwords, slug):
    """Make a tenant that differs in some way from the usual one."""

    async def make(**more):
        usual = {
            "slug": slug,
            "name": "Acme",
            "owner_email": f"olive@{slug}.example",
            "owner_name": "Olive",
            "password": PASSWORD,
            "time_zone": "Europe/Dublin",
            "currency": "EUR",
        }
        return await create_tenant(database, passwords, **{**usual, **more})

    return make


async def rows(database, statement, *values):
    return [tuple(row) for row in await database.platform.fetch(statement, *values)]


async def directory(database, slug):
    return await rows(database, "SELECT slug, tenant_id, name FROM directory WHERE slug = $1", slug)


async def account(database, email):
    return await rows(database, "SELECT id FROM accounts WHERE email = $1", email)


# Making a tenant


async def test_a_tenant_begins_with_an_owner_who_can_sign_in(found, accounts, database, slug):
    tenant, owner = await found(owner_email=f" Olive@{slug}.Example ")

    email = f"olive@{slug}.example"
    assert tenant == Tenant(
        id=tenant.id,
        slug=slug,
        name="Acme",
        time_zone="Europe/Dublin",
        currency="EUR",
        created_at=NOON,
    )
    assert owner == User(
        id=owner.id,
        account_id=owner.account_id,
        email=email,
        name="Olive",
        role=Role.OWNER,
        created_at=NOON,
    )
    assert await directory(database, slug) == [(slug, tenant.id, "Acme")]
    signed_in = await accounts.sign_in(email=email, password=PASSWORD)
    assert (signed_in.tenant, signed_in.user) == (tenant, owner)
    await publish_all(database, tenant.id)
    async with database.work(tenant.id) as work:
        kinds = [event.kind for event in await work.find(LoggedEvent)]
    assert kinds == [UserChanged.__name__, SessionStarted.__name__]


@pytest.mark.parametrize(
    ("wrong", "refusal", "path"),
    [
        ({"slug": "Not A Slug"}, Invalid, ("slug",)),
        ({"slug": "nul\x00"}, Invalid, ("slug",)),
        ({"name": ""}, Invalid, ("name",)),
        ({"owner_name": "\x00"}, Invalid, ("ownerName",)),
        ({"owner_email": "nobody"}, Invalid, ("ownerEmail",)),
        ({"owner_email": "no\x00body@acme.example"}, Invalid, ("ownerEmail",)),
        ({"password": "password1234"}, WeakPassword, ("password",)),
        ({"password": "short"}, WeakPassword, ("password",)),
        ({"time_zone": "Mars/Base"}, UnknownTimeZone, ("timeZone",)),
        ({"currency": "ZZZ"}, UnknownCurrency, ("currency",)),
    ],
)
async def test_a_refused_tenant_leaves_nothing_behind(wrong, refusal, path, found, database, slug):
    with pytest.raises(refusal) as refused:
        await found(**wrong)

    assert refused.value.path == path
    assert await directory(database, slug) == []
    assert await account(database, f"olive@{slug}.example") == []


async def test_a_taken_slug_is_refused_and_its_tenant_stays_as_it_was(found, database, slug):
    tenant, _ = await found()

    with pytest.raises(SlugTaken):
        await found(name="Impostor", owner_email=f"eve@{slug}.example")

    assert await directory(database, slug) == [(slug, tenant.id, "Acme")]
    assert await account(database, f"eve@{slug}.example") == []


async def test_of_two_who_want_a_slug_at_once_one_gets_it(found, accounts, slug):
    names = ("ann", "bob")

    outcomes = await asyncio.gather(
        *(found(owner_email=f"{name}@{slug}.example") for name in names), return_exceptions=True
    )

    assert sorted(type(outcome) for outcome in outcomes if isinstance(outcome, Exception)) == [
        SlugTaken
    ]
    let_in = []
    for name in names:
        try:
            await accounts.sign_in(email=f"{name}@{slug}.example", password=PASSWORD)
            let_in.append(name)
        except BadCredentials:
            pass
    assert len(let_in) == 1


@pytest.mark.parametrize("steps", [1, 2, 3])
async def test_an_attempt_that_broke_off_anywhere_is_harmless_and_can_be_repeated(
    steps, found, accounts, database, passwords, slug
):
    email, half = f"olive@{slug}.example", new_id()
    account_id = await find_or_create(database, passwords, email, PASSWORD)
    if steps > 1:
        await database.platform.execute(
            "INSERT INTO directory VALUES ($1, $2, 'Half', 'default')", slug, half
        )
    if steps > 2:
        await join(database, account_id, half)
    with pytest.raises(BadCredentials):
        await accounts.sign_in(email=email, password=PASSWORD)

    tenant, owner = await found()

    assert (tenant.id == half) is (steps > 1)
    assert owner.account_id == account_id
    signed_in = await accounts.sign_in(email=email, password=PASSWORD)
    assert (signed_in.tenant, signed_in.user) == (tenant, owner)


# Signing in


async def test_a_token_says_who_signed_in_and_for_how_long(found, accounts, tokens):
    tenant, owner = await found()

    signed_in = await accounts.sign_in(email=owner.email, password=PASSWORD, tenant=tenant.slug)

    claims = tokens.verify(signed_in.access_token, now=NOON)
    assert (claims.user_id, claims.tenant_id, claims.account_id) == (
        owner.id,
        tenant.id,
        owner.account_id,
    )
    assert claims.expires_at == signed_in.expires_at == NOON + MAX_LIFE


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nobody@nowhere.example"},
        {"password": ANOTHER},
        {"password": ""},
        {"password": "p" * 100_000},
        {"password": PASSWORD + "\x00"},
        {"password": "\ud800" * 12},
        {"tenant": "another"},
        {"tenant": "nul\x00"},
        {"tenant": ""},
    ],
)
async def test_whatever_is_wrong_the_refusal_is_the_same(wrong, found, accounts):
    _, owner = await found()

    with pytest.raises(BadCredentials) as refused:
        await accounts.sign_in(**{"email": owner.email, "password": PASSWORD, **wrong})

    assert refused.value.message == "The e-mail address or the password is not right."


async def test_an_account_of_several_tenants_says_which(found, accounts, slug):
    email = f"olive@{slug}.example"
    first, _ = await found()
    second, _ = await found(slug=f"{slug}-2", password=ANOTHER)

    with pytest.raises(TenantNeeded) as refused:
        await accounts.sign_in(email=email, password=PASSWORD)
    chosen = await accounts.sign_in(email=email, password=PASSWORD, tenant=second.slug)

    assert refused.value.message == f"Say which tenant you mean: {slug}, {slug}-2."
    assert chosen.tenant == second
    assert chosen.tenant != first


async def test_a_wrong_password_does_not_learn_which_tenants_there_are(found, accounts, slug):
    await found()
    await found(slug=f"{slug}-2")

    with pytest.raises(BadCredentials):
        await accounts.sign_in(email=f"olive@{slug}.example", password=ANOTHER)


async def test_a_tenant_that_one_has_left_is_not_among_them(found, accounts, database, slug):
    first, owner = await found()
    second, _ = await found(slug=f"{slug}-2")
    async with database.work(first.id) as work:
        heir = User(
            id=new_id(),
            account_id=new_id(),
            email="heir@acme.example",
            name="Heir",
            role=Role.OWNER,
            created_at=NOON,
        )
        await work.add(heir)
        await update_user(work, actor_of(heir, first.id), owner.id, active=False)

    signed_in = await accounts.sign_in(email=owner.email, password=PASSWORD)

    assert signed_in.tenant == second
    with pytest.raises(BadCredentials):
        await accounts.sign_in(email=owner.email, password=PASSWORD, tenant=first.slug)


async def test_an_outdated_hash_is_made_anew_by_the_next_sign_in(found, database, tokens, slug):
    _, owner = await found()
    stronger = Passwords(STRONGER)
    hashes = "SELECT password_hash FROM accounts WHERE id = $1"
    before = await rows(database, hashes, owner.account_id)

    accounts = Accounts(database, stronger, tokens, "https://smarketing.example")
    await accounts.sign_in(email=owner.email, password=PASSWORD)
    after = await rows(database, hashes, owner.account_id)
    await accounts.sign_in(email=owner.email, password=PASSWORD)
    stronger.close()

    assert ("t=1," in before[0][0], "t=2," in after[0][0]) == (True, True)
    assert await rows(database, hashes, owner.account_id) == after


# Letting people in


async def test_an_added_user_signs_in_with_the_first_password(found, accounts, slug):
    tenant, owner = await found()

    user = await accounts.add_user(
        actor_of(owner, tenant.id),
        email=f"bo@{slug}.example",
        name="Bo",
        role=Role.MEMBER,
        password=ANOTHER,
    )

    signed_in = await accounts.sign_in(email=user.email, password=ANOTHER)
    assert (signed_in.tenant, signed_in.user) == (tenant, user)


async def test_an_account_that_exists_elsewhere_keeps_its_password(found, accounts, slug):
    _, owner = await found()
    second, other = await found(slug=f"{slug}-2", owner_email=f"otto@{slug}.example")

    added = await accounts.add_user(
        actor_of(other, second.id),
        email=owner.email,
        name="Olive",
        role=Role.ANALYST,
        password=ANOTHER,
    )

    assert added.account_id == owner.account_id
    with pytest.raises(BadCredentials):
        await accounts.sign_in(email=owner.email, password=ANOTHER, tenant=second.slug)
    signed_in = await accounts.sign_in(email=owner.email, password=PASSWORD, tenant=second.slug)
    assert signed_in.user == added
    assert (await accounts.sign_in(email=owner.email, password=PASSWORD, tenant=slug)).user == owner


async def test_a_weak_password_lets_nobody_in_and_makes_no_account(found, accounts, database, slug):
    tenant, owner = await found()
    email = f"bo@{slug}.example"

    with pytest.raises(WeakPassword):
        await accounts.add_user(
            actor_of(owner, tenant.id),
            email=email,
            name="Bo",
            role=Role.MEMBER,
            password="password1234",
        )

    assert await account(database, email) == []


async def test_an_addition_that_broke_off_can_be_repeated(
    found, accounts, database, passwords, slug
):
    tenant, owner = await found()
    email = f"bo@{slug}.example"
    account_id = await find_or_create(database, passwords, email, PASSWORD)
    user_id = await join(database, account_id, tenant.id)
    with pytest.raises(BadCredentials):
        await accounts.sign_in(email=email, password=PASSWORD)
    adding = {"email": email, "name": "Bo", "role": Role.MEMBER, "password": PASSWORD}

    user = await accounts.add_user(actor_of(owner, tenant.id), **adding)
    with pytest.raises(AlreadyExists):
        await accounts.add_user(actor_of(owner, tenant.id), **adding)

    assert (user.id, user.account_id) == (user_id, account_id)
    assert (await accounts.sign_in(email=email, password=PASSWORD)).user == user


async def test_a_renamed_tenant_is_renamed_in_the_directory_too(found, accounts, database, slug):
    tenant, owner = await found()

    renamed = await accounts.update_tenant(actor_of(owner, tenant.id), name="Acme & Daughters")

    assert await directory(database, slug) == [(slug, tenant.id, renamed.name)]
