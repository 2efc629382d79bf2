"""Web sites whose pages tell us what visitors do there, and the public keys they do it with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.errors import DomainError, Invalid, NotFound
from domain.events import TrackingSiteChanged
from domain.identity import Actor, Permission
from domain.identity.policy import SITE_PERMISSIONS
from domain.ids import new_id
from domain.ports import Work
from domain.values import require_text
from domain.web_addresses import origin_of

MOST_ORIGINS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingSite:
    """A web site.  Its key is no secret, as every page shows it: it can only say, never read.

    What keeps others from using it on pages of their own is the origin that browsers name.
    """

    id: UUID
    name: str
    key: str
    origins: tuple[str, ...]
    created_by: UUID | None
    created_at: datetime
    revoked_at: datetime | None = None
    version: int = 1


class SiteRevoked(DomainError):
    """A site whose key was ended for good."""

    code = "SITE_REVOKED"

    def __init__(self) -> None:
        super().__init__("The key of this site is revoked; make another.", path=("site",))


def actor_of_site(site: TrackingSite, tenant_id: UUID) -> Actor | None:
    """Return a site as the one who tells; nobody, once its key is revoked."""
    if site.revoked_at is not None:
        return None
    return Actor(tenant_id=tenant_id, user_id=None, permissions=SITE_PERMISSIONS, name=site.name)


def checked_origins(origins: Sequence[str]) -> tuple[str, ...]:
    """Return origins as browsers write them, each once.

    Raises:
        Invalid: if there is none, there are more than 20, or one is not an origin.
    """
    if not 1 <= len(origins) <= MOST_ORIGINS:
        raise Invalid(f"A site has 1 to {MOST_ORIGINS} origins.", path=("origins",))
    kept = (origin_of(text, path=("origins", place)) for place, text in enumerate(origins))
    return tuple(dict.fromkeys(kept))


async def create_site(
    work: Work, actor: Actor, *, name: str, origins: Sequence[str], key: str
) -> TrackingSite:
    """Keep a new site with its key."""
    actor.require(Permission.MANAGE_SITES)
    site = await work.add(
        TrackingSite(
            id=new_id(),
            name=require_text(name, name="The name", path=("name",)),
            key=key,
            origins=checked_origins(origins),
            created_by=actor.user_id,
            created_at=work.now,
        )
    )
    _tell(work, site)
    return site


async def update_site(
    work: Work,
    actor: Actor,
    site_id: UUID,
    *,
    name: str | None = None,
    origins: Sequence[str] | None = None,
) -> TrackingSite:
    """Change what a site is called, or which origins its pages have.

    Raises:
        SiteRevoked: if its key was revoked.
    """
    actor.require(Permission.MANAGE_SITES)
    site = await _locked(work, site_id)
    if site.revoked_at is not None:
        raise SiteRevoked
    told = replace(
        site,
        name=site.name if name is None else require_text(name, name="The name", path=("name",)),
        origins=site.origins if origins is None else checked_origins(origins),
    )
    if told == site:
        return site
    _tell(work, site)
    return await work.save(told)


async def revoke_site(work: Work, actor: Actor, site_id: UUID) -> TrackingSite:
    """End a site's key for good.  To revoke it again changes nothing."""
    actor.require(Permission.MANAGE_SITES)
    site = await _locked(work, site_id)
    if site.revoked_at is not None:
        return site
    _tell(work, site)
    return await work.save(replace(site, revoked_at=work.now))


async def _locked(work: Work, site_id: UUID) -> TrackingSite:
    try:
        return await work.get(TrackingSite, site_id, lock=True)
    except NotFound:
        raise NotFound("site", path=("site",)) from None


def _tell(work: Work, site: TrackingSite) -> None:
    work.record(TrackingSiteChanged(at=work.now, tracking_site_id=site.id))
