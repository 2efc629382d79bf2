"""Boards to hang on the wall in tests: the plain values of the GraphQL field `board`."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

Plain = dict[str, Any]

NOON = datetime(2026, 3, 11, 16, 0, tzinfo=UTC)

_MARCH = [date(2026, 3, day) for day in range(1, 32)]
_OPEN = [day for day in _MARCH if day.weekday() < 5]
_TODAY = date(2026, 3, 11)


def z(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def a_board(*, as_of: datetime = NOON, **changes: Any) -> Plain:
    """Return March 2026: marketing behind as in the reference vector, sales ahead."""
    return {
        "asOf": z(as_of),
        "tenantName": "Northwind Analytics",
        "sla": {
            "name": "March agreement",
            "startsOn": "2026-03-01",
            "lastOn": "2026-03-31",
            "number": 2,
            "timeZone": "Europe/Dublin",
            "workingDays": 22,
            "workingDaysElapsed": 8,
        },
        "sides": [
            a_side("MARKETING", "Demand generation", "BEHIND", a_delivery()),
            a_side("SALES", "Field sales EMEA", "AHEAD", *sales_promises()),
        ],
        "countdowns": countdowns(as_of),
        "breaches": breaches(as_of),
        "goals": goals(),
        **changes,
    }


def a_side(side: str, team: str, verdict: str, *commitments: Plain) -> Plain:
    return {"side": side, "teamName": team, "status": verdict, "commitments": list(commitments)}


def a_delivery(**changes: Any) -> Plain:
    return {
        "id": "commitment_1",
        "kind": "DELIVERY",
        "label": "Qualified leads handed off",
        "unit": "COUNT",
        "currency": None,
        "status": "BEHIND",
        "target": "1000",
        "attained": "310",
        "expected": "363.64",
        "gap": "-53.64",
        "projected": "852.5",
        "neededPerWorkingDay": "49.29",
        "probability": "0.12",
        "metShare": None,
        "targetShare": None,
        "open": None,
        "dueSoon": None,
        "breached": None,
        "acceptedShare": "0.78",
        "qualityFloor": "0.70",
        "series": counted(1000, [18, 41, 35, 52, 30, 49, 38, 47]),
        **changes,
    }


def a_share(id: str, kind: str, label: str, met: str, goal: str, **changes: Any) -> Plain:
    return {
        "id": id,
        "kind": kind,
        "label": label,
        "unit": "SHARE",
        "currency": None,
        "status": "AHEAD",
        "target": goal,
        "attained": met,
        "expected": goal,
        "gap": str(Decimal(met) - Decimal(goal)),
        "projected": None,
        "neededPerWorkingDay": None,
        "probability": None,
        "metShare": met,
        "targetShare": goal,
        "open": 14,
        "dueSoon": 3,
        "breached": 2,
        "acceptedShare": None,
        "qualityFloor": None,
        "series": shared(Decimal(met), goal),
        **changes,
    }


def sales_promises() -> list[Plain]:
    return [
        a_share("commitment_2", "RESPONSE", "First touch within 4 working hours", "0.96", "0.90"),
        a_share("commitment_3", "ATTEMPTS", "Five attempts in 14 days", "0.91", "0.85"),
        a_share("commitment_4", "DISPOSITION", "Accept or reject within 2 days", "0.84", "0.90",
                status="AT_RISK", breached=9),
        a_share("commitment_5", "COVERAGE", "Hand-offs worked as agreed", "0.88", "0.80"),
    ]  # fmt: skip


def counted(target: int, each: list[int]) -> list[Plain]:
    """Return the days of March with what was added on each working day so far."""
    days, total, added = [], 0, iter(each)
    for day in _MARCH:
        total += next(added, 0) if day in _OPEN else 0
        expected = Decimal(target) * sum(d <= day for d in _OPEN) / len(_OPEN)
        attained = str(total) if day <= _TODAY else None
        days.append({"on": str(day), "attained": attained, "expected": f"{expected:.2f}"})
    return days


def shared(met: Decimal, goal: str) -> list[Plain]:
    swings = [-5, -2, -4, -1, 1, 0, -2, 1, 2, 1, 0]
    return [
        {
            "on": str(day),
            "attained": str(met + Decimal(swings[index]) / 100) if day <= _TODAY else None,
            "expected": goal,
        }
        for index, day in enumerate(_MARCH)
    ]


def countdowns(as_of: datetime) -> list[Plain]:
    rows = [
        ("BREACHED", -754, "Lead from paid_search", "First touch"),
        ("WARNING", 372, "Lead from organic_search", "First touch"),
        ("WARNING", 1265, "Lead from webinar", "First touch"),
        ("RUNNING", 5025, "Lead from referral", "First touch"),
        ("RUNNING", 9301, "Lead from paid_search", "Disposition"),
        ("RUNNING", 12610, "Lead from social", "First touch"),
        ("RUNNING", 100_222, "Lead from email", "Disposition"),
        ("PAUSED", 60_000, "Lead from event", "Five attempts"),
    ]
    return [
        {
            "id": f"clock_{index}",
            "label": label,
            "teamName": "Field sales EMEA",
            "commitmentLabel": promise,
            "dueAt": z(as_of + timedelta(seconds=left)),
            "state": state,
        }
        for index, (state, left, label, promise) in enumerate(rows)
    ]


def breaches(as_of: datetime) -> list[Plain]:
    rows = [
        (13, None, "paid_search"),
        (190, 25, "webinar"),
        (1450, 300, "social"),
        (2900, 90, "email"),
    ]
    return [
        {
            "id": f"breach_{index}",
            "label": f"Lead from {source}",
            "commitmentLabel": "First touch",
            "at": z(as_of - timedelta(minutes=ago)),
            "endedAt": None if late is None else z(as_of - timedelta(minutes=ago - late)),
        }
        for index, (ago, late, source) in enumerate(rows)
    ]


def goals() -> list[Plain]:
    return [
        {"id": "goal_1", "name": "New pipeline", "unit": "MONEY", "currency": "EUR",
         "target": "1200000.00", "attained": "512400.00", "expected": "436363.64",
         "status": "AHEAD"},
        {"id": "goal_2", "name": "Sales-qualified leads", "unit": "COUNT", "currency": None,
         "target": "240", "attained": "81", "expected": "87.27", "status": "AT_RISK"},
        {"id": "goal_3", "name": "Response in time", "unit": "SHARE", "currency": None,
         "target": "0.95", "attained": "0.96", "expected": "0.95", "status": "ON_TRACK"},
    ]  # fmt: skip


def nothing_signed() -> Plain:
    return a_board(sla=None, sides=[], countdowns=[], breaches=[], goals=[])


def everything_breached() -> Plain:
    """Return a month in which nobody kept a promise, with the longest lists there are."""
    missed = [
        promise
        | {"status": "MISSED", "attained": "0.31", "gap": "-0.55", "breached": 214}
        | {"series": shared(Decimal("0.31"), promise["targetShare"])}
        for promise in sales_promises()
    ]
    clocks = [
        c
        | {
            "id": f"late_{index}",
            "state": "BREACHED",
            "dueAt": z(NOON - timedelta(minutes=9 * index + 1)),
        }
        for index, c in enumerate((countdowns(NOON) * 2)[:12])
    ]
    gone = [b | {"id": f"gone_{index}"} for index, b in enumerate(breaches(NOON) * 2)]
    return a_board(
        sides=[
            a_side("MARKETING", "Demand generation", "MISSED", a_delivery(status="MISSED")),
            a_side("SALES", "Field sales EMEA", "MISSED", *missed),
        ],
        countdowns=clocks,
        breaches=gone,
    )


def long_names() -> Plain:
    """Return names as long as people make them, in two scripts, three commitments for marketing."""
    long = (
        "Qualified leads from enterprise accounts in Germany, Austria and Switzerland, all segments"
    )
    marketing = [
        a_delivery(id="m1", label=long, status="ON_TRACK", gap="0", unit="POINTS"),
        a_delivery(id="m2", label="Pipeline", unit="MONEY", currency="EUR", target="12500000",
                   attained="4100333.5", expected="4545454", gap="-445121", projected="11275917",
                   neededPerWorkingDay="599976", series=counted(12_500_000, [512_000] * 8)),
        a_delivery(id="m3", label="عملاء مؤهلون", status="MET", gap="120"),
    ]  # fmt: skip
    return a_board(
        tenantName="Bundesvereinigung der mittelständischen Maschinenbauunternehmen e. V.",
        sides=[
            a_side(
                "MARKETING",
                "Lifecycle, partner and account-based marketing, DACH",
                "ON_TRACK",
                *marketing,
            ),
            a_side("SALES", "فريق المبيعات", "NOT_STARTED"),
        ],
        goals=[],
    )
