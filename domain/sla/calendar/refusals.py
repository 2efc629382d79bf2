"""Why a calendar, or a question to it, is refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.errors import DomainError

FIRST_YEAR, LAST_YEAR = 1900, 2199

# A deadline further away than this is a slip of the pen, and searching for it costs memory.
HORIZON_YEARS = 50


class UnknownTimeZone(DomainError):
    code = "UNKNOWN_TIME_ZONE"

    def __init__(self, time_zone: str, *, path: Sequence[str | int] = ()) -> None:
        shown = ascii(time_zone if len(time_zone) <= 60 else time_zone[:60] + "…")
        super().__init__(f"There is no time zone {shown} in the IANA database.", path=path)


class CalendarNeverOpens(DomainError):
    code = "CALENDAR_NEVER_OPENS"

    def __init__(self, when: str = "on any weekday", *, path: Sequence[str | int] = ()) -> None:
        super().__init__(
            f"The calendar does not open {when}, so no deadline can be kept.", path=path
        )


class DeadlineTooFar(DomainError):
    code = "DEADLINE_TOO_FAR"

    def __init__(self) -> None:
        super().__init__(f"The deadline lies more than {HORIZON_YEARS} years ahead.")


class InstantOutOfRange(DomainError):
    code = "INSTANT_OUT_OF_RANGE"

    def __init__(self, at: datetime) -> None:
        super().__init__(
            f"Working time is counted from {FIRST_YEAR} to {LAST_YEAR}; {at.year} is outside."
        )
