"""The score of the vectors, on counts and on the real files."""

from __future__ import annotations

import csv
import os
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.prediction.bayes import (
    FieldCounts,
    OutcomeCounts,
    ValueCounts,
    chance,
    commonest,
    counted,
    evidence,
)

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("SMARKETING_DATA") or ROOT.parent / "shared" / "data")

# Won and known leads by origin, counted from the files of Olist.
OLIST = {
    "social": (31, 1350),
    "paid_search": (101, 1586),
    "organic_search": (113, 2296),
    "email": (6, 493),
    "unknown": (81, 1099),
    "referral": (9, 284),
    "direct_traffic": (31, 499),
    "display": (2, 118),
    "": (4, 60),
    "other_publicities": (0, 65),
    "other": (2, 150),
}
VECTOR = {
    "paid_search": Decimal("6.36"),
    "organic_search": Decimal("4.91"),
    "referral": Decimal("3.19"),
    "social": Decimal("2.30"),
    "email": Decimal("1.23"),
}


def percent(counts: OutcomeCounts, origin: str) -> Decimal:
    return (chance(counts, {"origin": origin}) * 100).quantize(Decimal("0.01"))


def test_origin_alone_gives_the_vector() -> None:
    values = tuple(
        ValueCounts(value=origin, won=won, lost=known - won)
        for origin, (won, known) in OLIST.items()
    )
    won = sum(each.won for each in values)
    counts = OutcomeCounts(
        won=won,
        lost=sum(each.lost for each in values),
        fields=(FieldCounts(field="origin", values=values),),
    )
    assert (won, counts.lost) == (380, 7620)
    assert {origin: percent(counts, origin) for origin in VECTOR} == VECTOR


@pytest.mark.sample_data
@pytest.mark.skipif(
    not (DATA / "olist_mqls.csv").exists() or not (DATA / "olist_closed_deals.csv").exists(),
    reason="the sample files are not here; set SMARKETING_DATA to the folder that holds them",
)
def test_origin_alone_gives_the_vector_on_the_real_files() -> None:
    with (DATA / "olist_mqls.csv").open(newline="") as stream:
        origins = {row["mql_id"]: row["origin"] for row in csv.DictReader(stream)}
    with (DATA / "olist_closed_deals.csv").open(newline="") as stream:
        won = {row["mql_id"] for row in csv.DictReader(stream)}
    counts = counted(
        (({"origin": origin}, lead in won) for lead, origin in origins.items()), ["origin"]
    )
    assert {origin: percent(counts, origin) for origin in VECTOR} == VECTOR


def test_two_facts_multiply() -> None:
    outcomes = [
        *[({"origin": "fair", "country": "IE"}, True)] * 3,
        *[({"origin": "fair"}, False)] * 1,
        *[({"origin": "mail", "country": "IE"}, False)] * 4,
        *[({"origin": "mail"}, True)] * 2,
    ]
    counts = counted(outcomes, ["origin", "country"])
    # 5 won, 5 lost; fair 3/1, mail 2/4; IE 3/4, none 2/1; each total is 5.2.
    odds = (Decimal("3.1") / Decimal("1.1")) * (Decimal("3.1") / Decimal("4.1"))
    assert chance(counts, {"origin": "fair", "country": "IE"}) == pytest.approx(odds / (1 + odds))


def test_what_is_not_known_is_a_value_and_what_was_never_met_says_nothing() -> None:
    counts = counted(
        [({}, True), ({"origin": "fair"}, False), ({"origin": "fair"}, True)], ["origin"]
    )
    assert [said.value for said in evidence(counts).said_by({})] == [""]
    assert evidence(counts).said_by({"origin": "moon"}) == ()
    assert chance(counts, {"origin": "moon"}) == pytest.approx(Decimal(2) / 3)


def test_of_many_values_the_commonest_are_kept() -> None:
    outcomes = [({"origin": f"o{n % 7}"}, n % 2 == 0) for n in range(20)]
    kept = commonest(counted(outcomes, ["origin"]), 3)
    assert [value.value for value in kept.fields[0].values] == ["o0", "o1", "o2"]
    assert (kept.won, kept.lost) == (10, 10)
    assert evidence(kept).said_by({"origin": "o6"}) == ()


def test_nothing_is_foretold_from_outcomes_of_one_kind() -> None:
    with pytest.raises(ValueError, match="both kinds"):
        chance(counted([({}, True)], []), {})


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", ""]), st.sampled_from(["x", "y"]), st.booleans()),
        min_size=2,
        max_size=60,
    )
)
def test_a_chance_is_a_share_and_more_wins_never_lower_it(
    rows: list[tuple[str, str, bool]],
) -> None:
    outcomes = [({"one": one, "two": two}, won) for one, two, won in rows]
    outcomes += [({"one": "a", "two": "x"}, True), ({"one": "b", "two": "y"}, False)]
    counts = counted(outcomes, ["one", "two"])
    facts = {"one": "a", "two": "x"}
    before = chance(counts, facts)
    after = chance(counted([*outcomes, (facts, True)], ["one", "two"]), facts)
    assert 0 < before <= after < 1
