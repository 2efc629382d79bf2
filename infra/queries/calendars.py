"""Reads about calendars."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from domain.errors import NotFound
from domain.sla.agreeing import CalendarVersionAt
from domain.sla.calendars import CalendarVersion, HolidaysOf
from infra.database import PostgresWork, rows_of
from infra.holidays import public_holidays
from infra.queries import answers
from infra.rows import table_of

versions = table_of(CalendarVersion)


@answers(HolidaysOf)
async def holidays_of(work: PostgresWork, question: HolidaysOf) -> Mapping[date, str]:
    """Return a place's holidays by day, from the library's lists and not from the database."""
    return public_holidays(
        question.country,
        question.subdivision,
        first_year=question.first_year,
        last_year=question.last_year,
    )


@answers(CalendarVersionAt)
async def calendar_version_at(work: PostgresWork, question: CalendarVersionAt) -> CalendarVersion:
    """Return the newest version made at or before an instant, or the first, by the unique index
    calendar_versions_number.
    """
    found = await work.fetch(
        CalendarVersion,
        rows_of(CalendarVersion)
        .where(versions.c.calendar_id == question.calendar_id)
        .order_by((versions.c.created_at <= question.at).desc(), versions.c.number.desc())
        .limit(1),
    )
    if not found:
        raise NotFound("calendar")
    if found[0].created_at <= question.at:
        return found[0]
    return (await work.find(CalendarVersion, calendar_id=question.calendar_id, number=1))[0]
