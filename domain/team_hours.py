"""A team's working hours, as they are now."""

from __future__ import annotations

from domain.identity import Team, Tenant
from domain.ports import Work
from domain.sla.agreeing import hours_of
from domain.sla.calendar import WorkingHours, always_open
from domain.sla.calendars import Calendar


async def hours_of_team(work: Work, team: Team | None) -> WorkingHours:
    """Return a team's hours; without a team or a calendar, every hour of the tenant's days."""
    if team is None or team.calendar_id is None:
        return always_open((await work.get(Tenant, work.tenant_id)).time_zone)
    calendar = await work.get(Calendar, team.calendar_id)
    return await hours_of(work, calendar.current_id)
