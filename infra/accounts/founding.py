"""Making accounts, and tenants with their first owner."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import asyncpg
from email_validator import EmailNotValidError, validate_email

from domain import identity
from domain.audit import SYSTEM, Cause
from domain.errors import AlreadyExists, Invalid
from domain.events import UserChanged
from domain.identity import Role, SlugTaken, Tenant, User
from domain.ids import new_id
from domain.opportunities import default_pipeline
from domain.values import require_text
from infra.database import Database
from infra.passwords import Passwords, check_password

_ACCOUNT_ID = "SELECT id FROM accounts WHERE email = $1"
_NEW_ACCOUNT = """
INSERT INTO accounts (id, email, password_hash, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (email) DO NOTHING
"""
# A membership that is there keeps its user: it may be of an attempt that did not get further.
_JOIN = """
INSERT INTO memberships (account_id, tenant_id, user_id) VALUES ($1, $2, $3)
ON CONFLICT (account_id, tenant_id) DO UPDATE SET user_id = memberships.user_id
RETURNING user_id
"""
_ENTER_DIRECTORY = """
INSERT INTO directory (slug, tenant_id, name, placement) VALUES ($1, $2, $3, $4)
ON CONFLICT (slug) DO UPDATE SET slug = directory.slug
RETURNING tenant_id
"""


async def create_tenant(
    database: Database,
    passwords: Passwords,
    *,
    slug: str,
    name: str,
    owner_email: str,
    owner_name: str,
    password: str,
    time_zone: str,
    currency: str,
    cause: Cause = SYSTEM,
) -> tuple[Tenant, User]:
    """Make a tenant with one owner.  An account that exists keeps its password.

    Raises:
        Invalid: for a slug, name, e-mail address, zone or currency that cannot be.
        WeakPassword: for a password that would be guessed.
        SlugTaken: if there is such a tenant.
    """
    email = _address(owner_email)
    owner_name = require_text(owner_name, name="The owner's name", path=("ownerName",))
    tenant = identity.new_tenant(
        id=new_id(),
        slug=slug,
        name=name,
        time_zone=time_zone,
        currency=currency,
        at=await database.now(),
    )
    check_password(password, email=email)
    if await _is_founded(database, slug):
        raise SlugTaken(slug)
    account_id = await find_or_create(database, passwords, email, password)
    tenant_id = await database.platform.fetchval(
        _ENTER_DIRECTORY, slug, tenant.id, tenant.name, tenant.placement
    )
    tenant = replace(tenant, id=tenant_id)
    owner = User(
        id=await join(database, account_id, tenant_id),
        account_id=account_id,
        email=email,
        name=owner_name,
        role=Role.OWNER,
        created_at=tenant.created_at,
    )
    try:
        async with database.work(tenant_id, cause=cause) as work:
            await work.add_all([tenant, owner, *default_pipeline(work.now)])
            work.record(UserChanged(user_id=owner.id, at=work.now))
    except AlreadyExists as error:  # somebody founded it in the meantime
        raise SlugTaken(slug) from error
    return tenant, owner


async def find_or_create(
    database: Database, passwords: Passwords, email: str, password: str
) -> UUID:
    """Return the account of an e-mail address; a new one gets the password, which was checked."""
    # Hashed in any case: the time taken must not tell who has an account already.
    hashed, now = await passwords.hash(password), await database.now()
    async with database.platform.acquire() as connection:
        await connection.execute(_NEW_ACCOUNT, new_id(), email, hashed, now)
        account_id: UUID = await connection.fetchval(_ACCOUNT_ID, email)
    return account_id


async def join(database: Database, account_id: UUID, tenant_id: UUID) -> UUID:
    """Return the id that an account's user in a tenant has, or is to have."""
    user_id: UUID = await database.platform.fetchval(_JOIN, account_id, tenant_id, new_id())
    return user_id


async def _is_founded(database: Database, slug: str) -> bool:
    """Say whether a tenant is there, and not only its entry in the directory."""
    entry: asyncpg.Record | None = await database.platform.fetchrow(
        "SELECT tenant_id FROM directory WHERE slug = $1", slug
    )
    if entry is None:
        return False
    async with database.work(entry["tenant_id"], read_only=True) as work:
        return bool(await work.find(Tenant, id=entry["tenant_id"]))


def _address(text: str) -> str:
    """Return an e-mail address in the one spelling that accounts are found by."""
    try:
        found = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise Invalid(f"{text[:80]!r} is not an e-mail address.", path=("ownerEmail",)) from error
    return found.normalized.lower()
