"""A tenant that moves to another time zone: what is planned by its clocks moves with it."""

from __future__ import annotations

from dataclasses import replace

from domain import identity
from domain.digests import DigestSubscription, moved
from domain.identity import Actor, Permission, Tenant
from domain.ports import Work
from domain.prediction import PredictionSchedule
from domain.sla.agreement import start_of_day
from domain.sla.calendar import always_open


async def update_tenant(
    work: Work,
    actor: Actor,
    *,
    name: str | None = None,
    time_zone: str | None = None,
    currency: str | None = None,
) -> Tenant:
    """Change a tenant's name, zone or currency; None leaves each as it is."""
    actor.require(Permission.MANAGE_TENANT)
    was = await work.get(Tenant, work.tenant_id, lock=True)
    tenant = await identity.update_tenant(
        work, actor, name=name, time_zone=time_zone, currency=currency
    )
    if tenant.time_zone != was.time_zone:
        await _move(work, was.time_zone, tenant.time_zone)
    return tenant


async def _move(work: Work, was: str, zone: str) -> None:
    """Let what is planned for a day of the old clocks come on that day of the new ones."""
    digests = await work.find(DigestSubscription, lock=True)
    await work.save_all([moved(each, was, zone) for each in digests])
    for plan in await work.find(PredictionSchedule, lock=True):
        day = always_open(was).local_day(plan.next_at)
        await work.save(replace(plan, next_at=start_of_day(day, zone)))
