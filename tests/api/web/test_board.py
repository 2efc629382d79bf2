"""What the wall board says, whoever draws it."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from api.web.board import live_parts
from api.web.payload import board_of
from tests.api.browser.boards import NOON, a_board, a_delivery, a_share, a_side, countdowns


def drawn(**changes: Any) -> str:
    """Return the text of a board."""
    return unescape(re.sub("<[^>]*>", "", live_parts(board_of(a_board(**changes)))))


def test_a_team_called_as_its_side_is_named_once() -> None:
    assert drawn(sides=[a_side("SALES", "Sales", "AHEAD")]).startswith(
        "Northwind Analytics"
        "March agreement v21 Mar to 31 Mar 2026working day 8 of 22"
        "Sales AheadNo commitment signed"
    )


def test_a_row_says_its_team_only_if_the_board_does_not() -> None:
    (row, *_) = countdowns(NOON)
    near = drawn(countdowns=[row])
    far = drawn(countdowns=[{**row, "teamName": "Key accounts"}])

    assert "Lead from paid searchFirst touch12:34 overdue" in near
    assert "Lead from paid searchFirst touch · Key accounts12:34 overdue" in far


def test_an_answer_on_the_day_of_its_breach_needs_no_date() -> None:
    row = {"id": "b", "label": "Lead", "commitmentLabel": "First touch"}
    late = {**row, "at": "2026-03-10T22:00:00Z", "endedAt": "2026-03-10T22:30:00Z"}
    later = {**row, "at": "2026-03-10T22:00:00Z", "endedAt": "2026-03-11T08:30:00Z"}

    assert "10 Mar, 22:00 UTC answered 22:30 UTC" in drawn(breaches=[late])
    assert "10 Mar, 22:00 UTC answered 11 Mar, 08:30 UTC" in drawn(breaches=[later])


@pytest.mark.parametrize(
    ("status", "probability", "said"),
    [
        ("AHEAD", "0.9999", "Chance>99%"),
        ("AHEAD", "1", "Chance>99%"),
        ("MET", "1", "Chance100%"),
        ("BEHIND", "0.126", "Chance13%"),
        ("BEHIND", "0.004", "Chance<1%"),
        ("MISSED", "0", "Chance0%"),
    ],
)
def test_a_chance_is_certain_only_when_it_is_settled(
    status: str, probability: str, said: str
) -> None:
    promise = a_delivery(status=status, probability=probability)

    assert said in drawn(sides=[a_side("MARKETING", "Demand", status, promise)])


@pytest.mark.parametrize(
    ("met", "said"),
    [
        ("0.91", "91%target 90%1 point above"),
        ("0.906", "90.6%target 90%0.6 points above"),
        ("0.89", "89%target 90%1 point below"),
        ("0.9", "90%target 90%exactly on target"),
    ],
)
def test_the_gap_of_a_share_agrees_with_the_share(met: str, said: str) -> None:
    promise = a_share("c", "RESPONSE", "First touch", met, "0.9")

    assert said in drawn(sides=[a_side("SALES", "Field sales", "AHEAD", promise)])


def test_the_target_of_a_share_lies_within_its_bar() -> None:
    goal = {"id": "g", "name": "In time", "unit": "SHARE", "status": "AHEAD"}
    figures = {"attained": "0.96", "target": "0.9", "expected": "0.9"}

    html = live_parts(board_of(a_board(goals=[{**goal, **figures}])))

    assert '<rect class="done" width="96.0%"' in html
    assert '<line class="due" x1="90.0%" x2="90.0%"' in html
