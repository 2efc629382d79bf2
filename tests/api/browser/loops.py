"""Pictures of the closed loop for tests: the plain values of the GraphQL field `closedLoop`."""

from __future__ import annotations

from typing import Any

Plain = dict[str, Any]

_REACHED = {
    "LEAD": 400,
    "MQL": 180,
    "SAL": 120,
    "SQL": 60,
    "OPPORTUNITY": 30,
    "CUSTOMER": 10,
}


def euros(amount: int) -> Plain:
    return {"amount": f"{amount}.00", "currency": "EUR"}


def a_loop(**changes: Any) -> Plain:
    """Return ninety days up to 10 March 2026."""
    return {
        "asOf": "2026-03-10T12:00:00Z",
        "tenantName": "Northwind Analytics",
        "timeZone": "Europe/Dublin",
        "window": "LAST_90_DAYS",
        "startsOn": "2025-12-11",
        "lastOn": "2026-03-10",
        "leads": 520,
        "open": 240,
        "stages": _stages(_REACHED),
        "efforts": [
            an_effort("paid_search", "spring-pricing", 18_000),
            an_effort("All others", None, 8_000),
        ],
        "campaigns": {
            "model": "LINEAR",
            "lines": [a_campaign("Spring pricing", 4_000, 12_000), a_campaign(None, 0, 0)],
            "others": None,
            "without": a_campaign(None, 0, 6_000),
            "total": {**a_campaign(None, 4_000, 18_000), "roiRate": "2.0000"},
            "missing": None,
        },
        "spans": [
            a_span("2026-02-23", "2026-03-01", 8_000, 0),
            a_span("2026-03-02", "2026-03-08", 16_000, 2_000),
            a_span("2026-03-09", "2026-03-10", 0, 0),
        ],
        "revenue": euros(26_000),
        "won": 10,
        "foreign": 0,
        **changes,
    }


def nothing_came() -> Plain:
    """Return the first day of a company that has no lead yet."""
    return a_loop(
        leads=0,
        open=0,
        won=0,
        stages=_stages(dict.fromkeys(_REACHED, 0)),
        efforts=[],
        campaigns=no_campaigns(),
        spans=[a_span("2026-03-09", "2026-03-10", 0, 0)],
        revenue=euros(0),
    )


def no_campaigns(**changes: Any) -> Plain:
    """Return the table of a company that has nothing to add up."""
    table = {"model": "LINEAR", "lines": [], "others": None, "without": None, "total": None}
    return {**table, "missing": None, **changes}


def a_campaign(name: str | None, cost: int, won: int) -> Plain:
    return {
        "name": name,
        "cost": euros(cost),
        "touches": 640,
        "leads": 90,
        "mqls": 40,
        "accepted": 32,
        "sqls": 20,
        "pipeline": euros(7_500),
        "won": euros(won),
        "wonDeals": "2.5",
        "cac": euros(cost * 2 // 5),
        "roiRate": f"{(won - cost) / cost:.4f}" if cost else None,
    }


def a_span(first: str, last: str, new: int, again: int) -> Plain:
    return {
        "startsOn": first,
        "lastOn": last,
        "new": euros(new),
        "again": euros(again),
        "lost": euros(0),
    }


def an_effort(source: str, campaign: str | None, revenue: int) -> Plain:
    return {
        "source": source,
        "campaign": campaign,
        "leads": 200,
        "mqls": 90,
        "sqls": 30,
        "opportunities": 15,
        "won": 5,
        "revenue": euros(revenue),
    }


def _stages(reached: dict[str, int]) -> list[Plain]:
    names, counts = list(reached), list(reached.values())
    return [
        {
            "stage": name,
            "reached": count,
            "fromPrevious": _share(count, counts[place - 1]) if place else None,
            "fromFirst": _share(count, counts[0]),
            "time": {"leads": 10, "p50": "P14DT7H"} if count and place < len(names) - 1 else None,
        }
        for place, (name, count) in enumerate(zip(names, counts, strict=True))
    ]


def _share(part: int, whole: int) -> Plain:
    if not whole:
        return {"of": 0, "rate": None, "low": "0", "high": "1"}
    rate = part / whole
    return {
        "of": whole,
        "rate": f"{rate:.6f}",
        "low": f"{max(0.0, rate - 0.05):.6f}",
        "high": f"{min(1.0, rate + 0.05):.6f}",
    }
