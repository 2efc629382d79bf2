"""The closed-loop page over HTTP, without a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

from api.closed_loop_page import closed_loop_routes
from api.web.figures import amount_text
from api.web.loop import live_loop
from api.web.loop_charts import duration, funnel, revenue_chart, summary
from api.web.loop_parts import address
from api.web.loop_payload import Model, Window, loop_of
from api.web.payload import Unit
from tests.api.browser.loops import (
    a_campaign,
    a_loop,
    an_effort,
    no_campaigns,
    nothing_came,
)
from tests.api.test_board_page import Text

PAGE = "/board/key/closed-loop"


class Session:
    """One accepted key that shows one picture."""

    def __init__(self, plain: dict[str, Any]) -> None:
        self.plain = plain

    async def snapshot(self) -> dict[str, Any]:
        return self.plain

    async def stream(self) -> AsyncIterator[bytes]:
        return
        yield b""


@pytest.fixture
def asked() -> list[tuple[Window, Model]]:
    return []


@pytest.fixture
async def client(asked: list[tuple[Window, Model]]) -> AsyncIterator[httpx.AsyncClient]:
    async def load(request: object, token: str, window: Window, model: Model) -> Any:
        asked.append((window, model))
        shown = a_loop(window=window.value)
        shown["campaigns"]["model"] = model.value
        return Session(shown) if token == "key" else None

    transport = httpx.ASGITransport(app=Starlette(routes=closed_loop_routes(load)))
    async with httpx.AsyncClient(transport=transport, base_url="http://board.test") as client:
        yield client


async def test_the_page_is_useful_before_any_script_runs(client: httpx.AsyncClient) -> None:
    answer = await client.get(PAGE)

    assert answer.status_code == 200
    words = " ".join(Text(answer.text).words.split())
    assert "Closed loop" in words
    assert "Marketing qualified180" in words
    assert "45%go on; likely 40% to 50%half of them within 14 days" in words
    assert "paid search spring-pricing" in words


async def test_pages_allow_nothing_from_elsewhere_and_nothing_inline(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get(PAGE)

    assert answer.headers["content-security-policy"].startswith("default-src 'none'; ")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    tags = Text(answer.text).tags
    assert [name for name, attributes in tags if "style" in attributes] == []
    assert [a for name, a in tags if name == "script" and "src" not in a] == []
    links = [a["href"] for name, a in tags if name == "a"]
    assert links == [
        *(f"?window={window}" for window in Window),
        "/board/key",
        *(address(Window.LAST_90_DAYS, model, part="campaigns") for model in Model),
    ]


@pytest.mark.parametrize(
    ("query", "window"),
    [
        ("", Window.LAST_90_DAYS),
        ("?window=LAST_12_MONTHS", Window.LAST_12_MONTHS),
        ("?window=forever", Window.LAST_90_DAYS),
    ],
)
async def test_the_window_stands_in_the_address(
    query: str, window: Window, client: httpx.AsyncClient, asked: list[tuple[Window, Model]]
) -> None:
    answer = await client.get(f"{PAGE}{query}")

    assert asked == [(window, Model.LINEAR)]
    current = [a["href"] for _, a in Text(answer.text).tags if a.get("aria-current")]
    assert current == [f"?window={window}", f"?window={window}#campaigns"]


@pytest.mark.parametrize(
    ("query", "model"),
    [
        ("?model=W_SHAPED", Model.W_SHAPED),
        ("?model=LINEAR", Model.LINEAR),
        ("?model=whatever", Model.LINEAR),
    ],
)
async def test_the_model_stands_in_the_address_and_stays_in_another_window(
    query: str, model: Model, client: httpx.AsyncClient, asked: list[tuple[Window, Model]]
) -> None:
    answer = await client.get(f"{PAGE}{query}")

    assert asked == [(Window.LAST_90_DAYS, model)]
    links = [a["href"] for name, a in Text(answer.text).tags if name == "a"]
    assert links[: len(Window)] == [address(window, model) for window in Window]
    current = [a["href"] for _, a in Text(answer.text).tags if a.get("aria-current") == "true"]
    assert current == [address(Window.LAST_90_DAYS, model, part="campaigns")]


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/stream"])
async def test_an_unknown_key_gets_the_answer_of_a_revoked_one(
    path: str, client: httpx.AsyncClient
) -> None:
    answer = await client.get(path.replace("key", "unknown"))

    assert (answer.status_code, answer.headers["board-access"]) == (404, "revoked")


# The drawing


def test_a_bar_is_as_wide_as_the_share_of_the_first_stage() -> None:
    drawn = Text(str(funnel(loop_of(a_loop()))))

    bars = [a["points"] or "" for name, a in drawn.tags if a.get("class") == "bar"]
    widths = []
    for points in bars:
        left, right = (Decimal(corner.split(",")[0]) for corner in points.split()[:2])
        widths.append(right - left)
    assert widths == [Decimal(w) for w in ("100.00", "45.00", "30.00", "15.00", "7.50", "2.50")]


def test_columns_stand_upon_each_other_and_none_is_above_the_scale() -> None:
    drawn = Text(str(revenue_chart(loop_of(a_loop()))))

    rects = [a for name, a in drawn.tags if name == "rect"]
    assert [(a["class"], a["y"], a["height"]) for a in rects] == [
        ("new", "60.00", "40.00"),
        ("new", "20.00", "80.00"),
        ("again", "10.00", "10.00"),
    ]


def test_the_chart_says_in_a_sentence_what_it_shows() -> None:
    assert summary(loop_of(a_loop())) == (
        "EUR 26,000 came from 11 Dec to 10 Mar; most, EUR 18,000, from 2 Mar to 8 Mar."
    )


def test_nothing_is_drawn_of_nothing_but_said() -> None:
    words = Text(str(live_loop(loop_of(nothing_came())))).words

    assert "Nobody became a lead in these days." in words
    assert "No revenue came in these days yet." in words
    assert "No campaign did anything with the leads of these days." in words
    assert "No effort brought a lead in these days." in words


def test_campaigns_are_a_table_with_what_no_campaign_brought_and_a_total() -> None:
    words = " ".join(Text(str(live_loop(loop_of(a_loop())))).words.split())

    counts = "6409040" + "3220"
    rows = (
        f"Spring pricingEUR 4,000{counts}EUR 7,500EUR 12,000EUR 1,600200%",
        f"UnnamedEUR 0{counts}EUR 7,500EUR 0––",
        f"No campaignEUR 0{counts}EUR 7,500EUR 6,000––",
        f"TotalEUR 4,000{counts}EUR 7,500EUR 18,000EUR 1,600200%",
    )
    assert "".join(rows) in words
    assert "Of each deal, every touch gets the same." in words
    assert "What no campaign brought is not in the CAC and ROI of the total." in words


def test_a_long_name_is_cut_and_whole_in_its_title() -> None:
    names = [f"{'retargeting_' * 10}{end}" for end in ("berlin", "dublin")]
    plain = a_loop()
    plain["campaigns"]["lines"] = [a_campaign(name, 1, 1) for name in names]
    plain["efforts"] = [an_effort(names[0], "s" * 60, 1), an_effort("fair", names[1], 1)]

    drawn = Text(str(live_loop(loop_of(plain))))

    titles = [a.get("title") for name, a in drawn.tags if name == "bdi"]
    assert titles == [None, *names, names[0], None, None, names[1]]
    start = "retargeting " * 3 + "ret…g retargeting "
    assert [drawn.words.count(start + end) for end in ("berlin", "dublin")] == [2, 2]
    assert f"fair {start}dublin" in drawn.words


def test_a_rate_that_is_missing_is_said_in_place_of_the_table() -> None:
    missing = {"currency": "USD", "to": "EUR", "on": "2026-03-02"}

    words = Text(str(live_loop(loop_of(a_loop(campaigns=no_campaigns(missing=missing)))))).words

    assert (
        "There is no rate from USD to EUR. Costs and deals of 2 Mar 2026 cannot be added up until"
        " somebody sets one with exchangeRateSet."
    ) in words
    assert "paid search" in words


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "None is still on the way."),
        (1, "1 is still on its way, so the shares may grow."),
        (240, "240 are still on their way, so the shares may grow."),
    ],
)
def test_the_shares_may_grow_as_long_as_somebody_is_on_the_way(number: int, said: str) -> None:
    words = Text(str(live_loop(loop_of(a_loop(open=number))))).words

    assert f"What became of the leads of these days. {said}" in words


def test_a_figure_of_many_signs_is_written_smaller() -> None:
    def sizes(revenue: dict[str, str]) -> list[str | None]:
        drawn = Text(str(live_loop(loop_of(a_loop(revenue=revenue)))))
        return [each.get("data-long", "no") for name, each in drawn.tags if name == "strong"][:4]

    assert sizes({"amount": "9999999.00", "currency": "EUR"}) == ["no"] * 4
    huge = sizes({"amount": "11111111000000", "currency": "JPY"})
    assert huge == ["no", "no", "no", None]


@pytest.mark.parametrize(
    ("number", "said"),
    [(1, "without 1 amount that lacks a rate"), (2, "2 amounts that lack a rate")],
)
def test_amounts_without_a_rate_are_counted_as_people_do(number: int, said: str) -> None:
    words = Text(str(live_loop(loop_of(a_loop(foreign=number))))).words

    assert said in " ".join(words.split())


def test_a_share_beyond_a_thousand_percent_is_written_in_groups() -> None:
    assert amount_text(Decimal("68.105"), Unit.SHARE) == "6,810.5%"


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(), "a minute"),
        (timedelta(minutes=40), "40 minutes"),
        (timedelta(hours=2), "2 hours"),
        (timedelta(hours=47), "47 hours"),
        (timedelta(days=14, hours=7), "14 days"),
    ],
)
def test_a_length_of_time_is_said_in_its_largest_unit(length: timedelta, said: str) -> None:
    assert duration(length) == said


@given(st.text(min_size=1))
def test_no_name_people_choose_adds_an_element_to_the_page(name: str) -> None:
    def drawn(chosen: str) -> list[str]:
        plain = a_loop(tenantName=chosen)
        plain["efforts"] = [{**plain["efforts"][0], "source": chosen, "campaign": chosen}]
        plain["campaigns"]["lines"][0]["name"] = chosen
        return [tag for tag, _ in Text(str(live_loop(loop_of(plain)))).tags]

    assert drawn(name) == drawn("plain")
