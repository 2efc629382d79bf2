"""For how long it is kept what buyers did, and what went of it when that was over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.errors import DomainError, Invalid
from domain.events import TenantChanged
from domain.identity import Actor, Permission, Tenant
from domain.ports import Work

# What a tenant may choose, in days.
SHORTEST, LONGEST = 30, 3650


class BadRetention(Invalid):
    """A time to keep touches that cannot be chosen."""

    code = "BAD_RETENTION"


class TouchTooOld(DomainError):
    """A touch from before the time for which touches are kept."""

    code = "TOUCH_TOO_OLD"

    def __init__(self, days: int) -> None:
        super().__init__(
            f"This was more than {days} days ago, and is kept no longer than that here.",
            path=("occurredAt",),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchRetentionRun:
    """One looking through of all touches and visitors, and what went.

    `visitors_after` is the last visitor by id that was looked at, None while touches go; it is not
    ended yet where `ended_at` is None.
    """

    id: UUID
    anonymous_days: int
    known_days: int
    started_at: datetime
    ended_at: datetime | None = None
    erased_touches: int = 0
    reduced_touches: int = 0
    erased_visitors: int = 0
    reached_at: datetime | None = None
    visitors_after: UUID | None = None
    version: int = 1

    @property
    def anonymous_before(self) -> datetime:
        return self.started_at - timedelta(days=self.anonymous_days)

    @property
    def known_before(self) -> datetime:
        return self.started_at - timedelta(days=self.known_days)


async def update_touch_retention(
    work: Work, actor: Actor, *, anonymous_days: int | None = None, known_days: int | None = None
) -> Tenant:
    """Change for how many days touches are kept; None leaves each as it is.

    Raises:
        BadRetention: if it is fewer than 30 days or more than 3650, or nobody's touches were to be
            kept longer than those of people we know.
    """
    actor.require(Permission.MANAGE_TENANT)
    tenant = await work.get(Tenant, work.tenant_id, lock=True)
    changed = replace(
        tenant,
        anonymous_touch_days=_days(anonymous_days, tenant.anonymous_touch_days, "anonymousDays"),
        known_touch_days=_days(known_days, tenant.known_touch_days, "knownDays"),
    )
    if changed.anonymous_touch_days > changed.known_touch_days:
        raise BadRetention(
            "What visitors do whom nobody knows is kept no longer than what people do.",
            path=("anonymousDays",),
        )
    if changed == tenant:
        return tenant
    saved = await work.save(changed)
    work.record(TenantChanged(tenant_id=tenant.id, at=work.now))
    return saved


def check_not_too_old(tenant: Tenant, at: datetime, *, known: bool, now: datetime) -> None:
    """Refuse a touch at an instant that would go at once; `known` if we know whose it is.

    Raises:
        TouchTooOld: if it was before the time for which this tenant keeps such touches.
    """
    days = tenant.known_touch_days if known else tenant.anonymous_touch_days
    if at < now - timedelta(days=days):
        raise TouchTooOld(days)


def _days(said: int | None, kept: int, field: str) -> int:
    if said is None:
        return kept
    if not SHORTEST <= said <= LONGEST:
        raise BadRetention(f"Touches are kept from {SHORTEST} to {LONGEST} days.", path=(field,))
    return said
