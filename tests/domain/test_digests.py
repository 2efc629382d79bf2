"""When digests come."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain.digests import DigestFrequency, next_digest_at

D, W = DigestFrequency.DAILY, DigestFrequency.WEEKLY


def at(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("frequency", "zone", "after", "due"),
    [
        (D, "UTC", at(10, 7), at(10, 8)),  # still this morning
        (D, "UTC", at(10, 8), at(11, 8)),  # exactly at eight: tomorrow
        (D, "Europe/Berlin", at(10, 6, 59), at(10, 7)),
        (D, "Europe/Berlin", at(28, 12), at(29, 6)),  # the clocks go forward over night
        (D, "Europe/Berlin", at(24, 12, month=10), at(25, 7, month=10)),  # and back
        (D, "Pacific/Auckland", at(10, 18, 59), at(10, 19)),  # the day after, over there
        (W, "UTC", at(10, 9), at(16, 8)),  # a Tuesday: next Monday
        (W, "UTC", at(16, 7, 59), at(16, 8)),
        (W, "UTC", at(16, 8), at(23, 8)),
        (W, "America/New_York", at(16, 11), at(16, 12)),
    ],
)
def test_digests_come_at_eight_by_the_tenants_clocks(
    frequency: DigestFrequency, zone: str, after: datetime, due: datetime
) -> None:
    assert next_digest_at(frequency, zone, after) == due
