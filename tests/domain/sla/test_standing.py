from __future__ import annotations

from datetime import datetime

import pytest

from domain.sla.agreement import Measure, SlaStatus, ValueRule
from domain.sla.pacing import Pace
from domain.sla.standing import SeriesDay, SideStanding, Unit, alignment_index, worst
from domain.sla.standing.verdicts import scaled_share, with_quality
from domain.stages import Side
from tests.domain.sla.building_standings import (
    D,
    a_signed_sla,
    coverage,
    delivery,
    explained,
    march,
    on_day,
    response,
    standing,
    standing_of_one,
    utc,
)


async def test_a_delivery_is_paced_by_the_working_days_of_its_period():
    """The vector of March 2026: 1,000 promised, 310 delivered after 8 of 22 working days."""
    sla = a_signed_sla()
    promised = delivery(sla)
    counts = [
        on_day(promised, march(4), delivered=200, handed_off=200, accepted=60, rejected=20),
        on_day(promised, march(11), delivered=130, clawed_back=20, handed_off=130),
    ]

    found = await standing_of_one(promised, counts, utc(3, 12), sla)

    assert (found.status, found.unit, found.currency) == (Pace.BEHIND, Unit.COUNT, None)
    assert (found.target, found.attained, found.expected) == (D(1000), D(310), D("363.64"))
    assert (found.gap, found.projected) == (D("-53.64"), D("852.50"))
    assert (found.needed_per_working_day, found.remaining_working_days) == (D("49.29"), 14)
    assert (found.attainment, found.accepted_share) == (D("0.8525"), D("0.7500"))
    assert (found.handed_off, found.accepted, found.rejected) == (330, 60, 20)
    assert found.probability == D("0.0002")
    assert D(800) < found.p10 < D("852.5") < found.p90 < D(910)


async def test_the_line_of_a_delivery_ends_today_and_its_expectation_with_the_period():
    sla = a_signed_sla(ends_on=march(9))
    promised = delivery(sla, target=10)
    counts = [on_day(promised, march(2), delivered=3), on_day(promised, march(4), delivered=2)]

    found = await standing_of_one(promised, counts, utc(3, 4, 12), sla)

    assert found.series == (
        SeriesDay(march(1), D(0), D("0.00")),
        SeriesDay(march(2), D(3), D("2.00")),
        SeriesDay(march(3), D(3), D("4.00")),
        SeriesDay(march(4), D(5), D("6.00")),
        SeriesDay(march(5), None, D("8.00")),
        SeriesDay(march(6), None, D("10.00")),
        SeriesDay(march(7), None, D("10.00")),
        SeriesDay(march(8), None, D("10.00")),
    )


async def test_what_is_explained_suffices_to_do_the_sum_again():
    sla = a_signed_sla()
    promised = delivery(sla, quality_floor=D("0.6"))
    counts = [on_day(promised, march(4), delivered=330, clawed_back=20, accepted=6, rejected=2)]

    found = await standing_of_one(promised, counts, utc(3, 12), sla)

    told = explained(found)
    assert told == {
        "target for the whole period": "1000",
        "target": "1000",
        "delivered": "330",
        "clawed back": "20",
        "elapsed weight": "8.0000",
        "total weight": "22",
        "handed off": "0",
        "accepted": "6",
        "rejected": "2",
        "quality floor": "0.6",
        "ahead from": "1.05",
        "at risk from": "0.90",
    }
    assert found.explain.as_of == utc(3, 12)
    expected = D(told["target"]) * D(told["elapsed weight"]) / D(told["total weight"])
    assert round(expected, 2) == found.expected


async def test_money_is_shown_in_units_of_the_currency_and_doubted_by_the_lead():
    sla = a_signed_sla(currency="JPY")
    rule = ValueRule(criterion={}, units=5_000)
    yen = delivery(sla, target=100_000, measure=Measure.MONEY, values=(rule,))
    euro_sla = a_signed_sla()
    euro = delivery(euro_sla, target=100_000, measure=Measure.MONEY, values=(rule,))

    in_yen = await standing_of_one(yen, [on_day(yen, march(4), delivered=5_000)], utc(3, 12), sla)
    in_euro = await standing_of_one(
        euro, [on_day(euro, march(4), delivered=5_000, handed_off=1)], utc(3, 12), euro_sla
    )

    assert (in_yen.unit, in_yen.currency) == (Unit.MONEY, "JPY")
    assert (in_yen.target, in_yen.attained) == (D(100_000), D(5_000))
    assert (in_euro.currency, in_euro.target, in_euro.attained) == ("EUR", D(1000), D(50))
    assert in_euro.projected == D("137.50")
    assert in_euro.p90 - in_euro.attained == 50 * round((in_euro.p90 - in_euro.attained) / 50)


@pytest.mark.parametrize(
    ("accepted", "rejected", "now", "status", "kept"),
    [
        (7, 3, utc(3, 12), Pace.AHEAD, True),  # exactly at the floor
        (6, 4, utc(3, 12), Pace.AT_RISK, False),
        (0, 0, utc(3, 12), Pace.AHEAD, None),  # nothing answered yet
        (6, 4, utc(4, 1), Pace.MISSED, False),
        (7, 3, utc(4, 1), Pace.MISSED, True),  # too few all the same
    ],
)
async def test_leads_that_sales_does_not_want_are_no_delivery(
    accepted: int, rejected: int, now: datetime, status: Pace, kept: bool | None
):
    sla = a_signed_sla()
    promised = delivery(sla, quality_floor=D("0.7"))
    counts = [on_day(promised, march(4), delivered=500, accepted=accepted, rejected=rejected)]

    found = await standing_of_one(promised, counts, now, sla)

    assert (found.status, found.quality_kept) == (status, kept)


@pytest.mark.parametrize(
    ("pace", "kept", "is_over", "verdict"),
    [
        (Pace.MET, False, False, Pace.AT_RISK),
        (Pace.MET, False, True, Pace.MISSED),
        (Pace.MET, True, True, Pace.MET),
        (Pace.ON_TRACK, False, False, Pace.AT_RISK),
        (Pace.BEHIND, False, False, Pace.BEHIND),
        (Pace.NOT_STARTED, False, False, Pace.NOT_STARTED),
    ],
)
def test_a_broken_floor_spoils_what_is_good_and_nothing_else(
    pace: Pace, kept: bool, is_over: bool, verdict: Pace
):
    assert with_quality(pace, kept=kept, is_over=is_over) is verdict


async def test_what_is_late_is_late_before_anybody_has_noticed():
    """Three met, one closed late, two open past due, one of them recorded; one excused."""
    sla = a_signed_sla()
    promised = response(sla)
    counts = [
        on_day(
            promised,
            march(3),
            opened=9,
            met=3,
            met_late=1,
            breached=2,
            excused=1,
            open=4,
            late=2,
            unswept=1,
            due_soon=1,
            next_at=utc(3, 5, 10),
        )
    ]

    found = await standing_of_one(promised, counts, utc(3, 5, 9), sla)

    assert (found.opened, found.open, found.due_soon) == (9, 4, 1)
    assert (found.met, found.breached, found.excused) == (3, 3, 1)
    assert (found.met_share, found.target_share) == (D("0.5000"), D("0.9"))
    assert (found.status, found.gap) == (Pace.BEHIND, D("-0.4000"))
    assert explained(found)["undecided"] == "2"
    assert found.next_at == utc(3, 5, 10)


async def test_the_line_of_a_share_says_what_came_of_what_started_by_then():
    sla = a_signed_sla(ends_on=march(6))
    promised = response(sla, "0.5")
    counts = [
        on_day(promised, march(2), opened=2, met=1, met_late=1),
        on_day(promised, march(4), opened=2, met=1, open=1, late=1),
    ]

    found = await standing_of_one(promised, counts, utc(3, 4, 12), sla)

    line = [(day.on.day, day.attained, day.expected) for day in found.series]
    half = D("0.5")
    assert line == [(1, None, half), (2, half, half), (3, half, half), (4, half, half),
                    (5, None, half)]  # fmt: skip


async def test_coverage_counts_handoffs_and_those_late_unnoticed_with_them():
    sla = a_signed_sla()
    touch, covered = response(sla), coverage(sla, position=1)
    counts = [
        on_day(touch, march(3), opened=5, met=3, open=2, late=2, unswept=2),
        on_day(covered, march(3), opened=5, met=3, breached=1),
    ]

    found = await standing(sla, [touch, covered], counts, utc(3, 5), unswept={march(3): 1})

    late = found.commitments[1]
    assert (late.opened, late.met, late.breached, late.open) == (5, 3, 2, 0)
    assert (late.met_share, late.status, late.due_soon) == (D("0.6000"), Pace.BEHIND, None)


@pytest.mark.parametrize(
    ("delivered", "owed"),
    [(182, "0.4004"), (364, "0.8000"), (500, "0.8000"), (0, "0.0000")],
)
async def test_sales_owes_coverage_in_the_measure_of_what_marketing_delivers(
    delivered: int, owed: str
):
    sla = a_signed_sla()
    promised = delivery(sla)
    covered = coverage(sla, linked_to=promised.id, position=1)
    counts = [on_day(promised, march(4), delivered=delivered)]

    found = (await standing(sla, [promised, covered], counts, utc(3, 12))).commitments[1]

    assert (found.target_share, found.target) == (D(owed), D(owed))
    assert explained(found)["target share as signed"] == "0.8"


def test_before_anything_is_expected_a_link_changes_nothing():
    assert scaled_share(D("0.8"), None) == D("0.8")


@pytest.mark.parametrize(
    ("paces", "verdict"),
    [
        ([Pace.MET, Pace.MET], Pace.MET),
        ([Pace.MET, Pace.AHEAD], Pace.AHEAD),
        ([Pace.MET, Pace.ON_TRACK, Pace.AT_RISK], Pace.AT_RISK),
        ([Pace.AT_RISK, Pace.BEHIND], Pace.BEHIND),
        ([Pace.MISSED, Pace.BEHIND, Pace.MET], Pace.MISSED),
        ([Pace.NOT_STARTED, Pace.MET], Pace.NOT_STARTED),
        ([], Pace.NOT_STARTED),
    ],
)
def test_a_side_is_as_good_as_its_worst_promise(paces: list[Pace], verdict: Pace):
    assert worst(paces) is verdict


async def test_each_side_is_judged_by_its_own_promises():
    sla = a_signed_sla()
    promised, touch = delivery(sla), response(sla, position=1)
    counts = [
        on_day(promised, march(4), delivered=310),
        on_day(touch, march(4), opened=4, met=4),
    ]

    found = await standing(sla, [promised, touch], counts, utc(3, 12))

    assert found.sides == [
        SideStanding(Side.MARKETING, sla.marketing_team_id, Pace.BEHIND),
        SideStanding(Side.SALES, sla.sales_team_id, Pace.AHEAD),
    ]
    assert (found.status, found.working_days, found.working_days_elapsed) == (
        SlaStatus.ACTIVE,
        22,
        9,
    )


async def test_one_failing_side_cannot_be_hidden_in_the_alignment_index():
    sla = a_signed_sla()
    promised = delivery(sla, quality_floor=D("0.8"))
    touch = response(sla, position=1)
    counts = [
        on_day(promised, march(4), delivered=900, accepted=9, rejected=6),
        on_day(touch, march(4), opened=20, met=9, met_late=11),
    ]

    found = await standing(sla, [promised, touch], counts, utc(3, 12))

    # Delivery 1 (not 2.475), quality 0.6/0.8, response 0.45/0.9: the cube root of 3/8.
    assert found.alignment_index == D("0.7211")


async def test_nothing_attained_is_no_alignment_and_nothing_known_none_at_all():
    sla = a_signed_sla()
    promised, touch = delivery(sla), response(sla, position=1)

    nothing = await standing(sla, [promised, touch], [], utc(3, 12))
    early = await standing(sla, [promised, touch], [], utc(2, 12))

    assert nothing.alignment_index == D("0.0000")
    assert early.alignment_index is None
    assert alignment_index([]) is None
