"""Signing in to a tenant, and what there is of sessions afterwards."""

from dataclasses import replace
from datetime import timedelta

from domain.audit import Cause
from domain.identity import Session, SessionLives, actor_of
from domain.identity.sessions import GRACE
from domain.ids import new_id
from infra.accounts import create_tenant
from infra.signing_keys import SigningKeys
from infra.tokens import AccessTokens
from tests.passwords import PASSWORD
from tests.world import NOON

LIVES = SessionLives(idle=timedelta(days=30), longest=timedelta(days=90))
TOKENS = AccessTokens(keys=SigningKeys.generate(), issuer="us", audience="api")
HOME = Cause(ip_address="192.0.2.7", user_agent="Firefox")
LATER = GRACE + timedelta(seconds=1)


async def found(database, passwords, slug=None, owner=None):
    slug = slug or f"t{new_id().hex[-16:]}"
    return await create_tenant(
        database,
        passwords,
        slug=slug,
        name="Acme",
        owner_email=owner or f"olive@{slug}.example",
        owner_name="Olive",
        password=PASSWORD,
        time_zone="UTC",
        currency="EUR",
    )


async def sign_in(accounts, tenant, password=PASSWORD, email=None):
    email = email or f"olive@{tenant.slug}.example"
    return await accounts.sign_in(email=email, password=password, tenant=tenant.slug)


async def sessions(accounts, tenant):
    async with accounts.database.work(tenant.id, read_only=True) as work:
        return await work.find(Session)


async def ends(accounts, tenant):
    return [session.ended_because for session in await sessions(accounts, tenant)]


def session_of(signed_in, now):
    return TOKENS.verify(signed_in.access_token, now=now).session_id


def actor_in(signed_in, now=NOON):
    actor = actor_of(signed_in.user, signed_in.tenant.id)
    return replace(actor, session_id=session_of(signed_in, now))
