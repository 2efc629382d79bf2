"""The wall board over HTTP, without a browser."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.web.assets import VERSION, asset
from api.web.board import headline, live_parts
from api.web.chart import pace_chart, pace_table, summary
from api.web.figures import amount_text, time_left
from api.web.markup import Html, tag
from api.web.payload import Unit, board_of
from tests.api.browser.boards import (
    a_board,
    a_delivery,
    a_share,
    a_side,
    everything_breached,
    long_names,
    nothing_signed,
)
from tests.api.browser.wall import TOKEN, Wall, an_app, serving
from tests.ports import free_port

BOARD = f"/board/{TOKEN}"


@pytest.fixture
def wall():
    return Wall(a_board())


@pytest.fixture
async def client(wall):
    transport = httpx.ASGITransport(app=an_app(wall))
    async with httpx.AsyncClient(transport=transport, base_url="http://board.test") as client:
        yield client


class Text(HTMLParser):
    """The tags and the text of a page, as a browser would find them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.pieces.append(data)

    @property
    def words(self) -> str:
        return "".join(self.pieces)


# The page


async def test_the_page_is_useful_before_any_script_runs(client):
    answer = await client.get(BOARD)

    assert answer.status_code == 200
    pieces = Text(answer.text).pieces
    verdict = pieces.index("Behind")
    assert pieces[verdict - 4 : verdict + 3] == [
        "Marketing",
        " ",
        "Demand generation",
        " ",
        "Behind",
        "0 of 1",
        " on pace",
    ]
    assert "12:34 overdue" in pieces


async def test_pages_allow_nothing_from_elsewhere_and_nothing_inline(client):
    answer = await client.get(BOARD)

    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    tags = Text(answer.text).tags
    assert [name for name, attributes in tags if "style" in attributes] == []
    assert [a for name, a in tags if name == "script" and "src" not in a] == []


@pytest.mark.parametrize("path", ["/board/unknown", "/board/unknown/stream"])
async def test_an_unknown_key_gets_the_same_answer_as_a_revoked_one(path, client, wall):
    unknown = await client.get(path)
    await wall.revoke()
    revoked = await client.get(path.replace("unknown", TOKEN))

    assert (unknown.status_code, unknown.headers["board-access"]) == (404, "revoked")
    assert (revoked.status_code, revoked.headers) == (unknown.status_code, unknown.headers)
    assert revoked.text == unknown.text


async def test_the_front_door_says_where_to_go(client):
    answer = await client.get("/")

    links = [a["href"] for name, a in Text(answer.text).tags if name == "a"]
    assert links == ["/graphql", "/healthz", "/readyz", "/metrics", "/.well-known/jwks.json"]
    assert "curl http://board.test/graphql" in Text(answer.text).words


# Static files


async def test_static_files_are_kept_for_a_year_under_their_content(client):
    answer = await client.get(asset("board.js"))

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"


async def test_an_address_of_another_version_is_answered_but_not_kept(client):
    answer = await client.get("/static/0123456789abcdef/board.css")

    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")


@pytest.mark.parametrize("name", ["board.py", "..%2Fboard.py", "%2e%2e/assets.py", "nothing.js"])
async def test_only_static_files_are_served(name, client):
    answer = await client.get(f"/static/{VERSION}/{name}")

    assert answer.status_code == 404


# The stream


async def test_the_stream_carries_the_data_and_its_drawing(wall):
    async with events_of(wall) as events:
        assert await anext(events) == ("next", update_of(a_board()))
        await wall.publish(nothing_signed())
        assert await anext(events) == ("next", update_of(nothing_signed()))


async def test_the_stream_says_when_it_is_over(wall):
    async with events_of(wall) as events:
        await anext(events)
        await wall.revoke()
        assert [event async for event in events] == [("complete", {})]


async def test_an_answer_without_a_board_ends_the_stream(wall):
    async with events_of(wall) as events:
        await anext(events)
        await wall.publish(None)
        assert [event async for event in events] == [("complete", {})]


async def test_a_quiet_stream_shows_that_it_is_alive(wall):
    async with events_of(wall, ping_seconds=0.01) as events:
        await anext(events)
        assert [await anext(events), await anext(events)] == [("ping", {})] * 2


async def test_a_reader_who_leaves_leaves_nothing_running(wall):
    async with events_of(wall) as events:
        await anext(events)
        assert wall.followers == 1
    async with asyncio.timeout(60):
        await wall.deserted.wait()
    assert wall.followers == 0


async def test_a_reader_who_stops_reading_is_dropped(wall):
    never = asyncio.Event()

    async def send(message):
        if message["type"] == "http.response.body":
            await never.wait()

    scope = {"type": "http", "method": "GET", "path": f"{BOARD}/stream", "headers": []}
    async with asyncio.timeout(60):
        await an_app(wall, stall_seconds=0.01)(scope, never.wait, send)
        await wall.deserted.wait()


async def test_a_failing_source_is_no_completion(wall):
    async with events_of(wall) as events:
        await anext(events)
        await wall.publish({"asOf": "not an instant"})
        with pytest.raises(httpx.RemoteProtocolError):
            await anext(events)


async def test_a_stream_can_be_asked_about_without_being_followed(client, wall):
    answer = await client.head(f"{BOARD}/stream")

    assert (answer.status_code, answer.content, wall.followers) == (200, b"", 0)


class events_of:  # noqa: N801  reads as a function: `async with events_of(wall) as events`
    """Follow a wall's stream over a real connection, as (event, data) pairs."""

    def __init__(self, wall, ping_seconds=10.0):
        self._serving = serving(wall, free_port(), ping_seconds)
        self._client = httpx.AsyncClient(timeout=60)

    async def __aenter__(self):
        address = await self._serving.__aenter__()
        self._stream = self._client.stream("GET", f"{address}/stream")
        answer = await self._stream.__aenter__()
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        self._events = self._read(answer)
        return self._events

    async def __aexit__(self, *problem):
        await self._events.aclose()
        await self._stream.__aexit__(None, None, None)
        await self._client.aclose()
        await self._serving.__aexit__(None, None, None)

    async def _read(self, answer):
        name = None
        async for line in answer.aiter_lines():
            kind, _, value = line.partition(": ")
            if kind == "event":
                name = value
            if kind == "data":
                yield name, json.loads(value)


def update_of(board):
    drawing = str(live_parts(board_of(board)))
    return {"data": {"board": board}, "extensions": {"html": drawing, "version": VERSION}}


# Markup


@given(st.text(), st.text())
def test_text_never_becomes_markup(text, value):
    html = tag("p", text, data_name=value)

    found = Text(html)
    assert [name for name, _ in found.tags] == ["p"]
    assert html.count("<") == 2
    assert '"' not in html[len('<p data-name="') : html.index('">')]


@given(st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"])))
def test_text_reads_as_it_was_written(text):
    assert Text(tag("p", text)).words == text


@given(st.text(min_size=1))
def test_no_name_people_choose_adds_an_element_to_the_board(name):
    def drawn(chosen):
        promise = a_delivery(id=chosen, label=chosen)
        side = a_side("SALES", chosen, "AHEAD", promise)
        html = live_parts(board_of(a_board(tenantName=chosen, sides=[side])))
        return [tag for tag, _ in Text(html).tags]

    assert drawn(name) == drawn("plain")


def test_html_goes_in_as_it_is_and_nothing_as_nothing():
    assert tag("p", Html("<b>"), None, ["x", ["&"]], hidden=True, title=None, tabindex=0) == (
        '<p hidden tabindex="0"><b>x&amp;</p>'
    )


# What is said


@pytest.mark.parametrize(
    ("board", "said"),
    [
        (a_board(), "Marketing behind · Sales ahead"),
        (everything_breached(), "Marketing missed · Sales missed"),
        (long_names(), "Marketing on track · Sales not started"),
        (nothing_signed(), "No agreement in force"),
    ],
)
def test_the_headline_says_how_both_sides_stand(board, said):
    assert headline(board_of(board)) == said


def test_without_an_agreement_in_force_the_wall_says_only_what_is_so():
    """One that was signed may have ended, and what it promised still be owed."""
    board = nothing_signed() | {"countdowns": a_board()["countdowns"]}

    words = Text(str(live_parts(board_of(board)))).words

    assert "No agreement in forceAs soon as one that marketing and sales have both signed" in words
    assert "No promise has been broken in the last seven days." in words


def test_the_chart_says_in_a_sentence_what_it_shows():
    assert summary(commitment(a_delivery())) == (
        "Qualified leads handed off. Behind. "
        "310 attained, 364 expected by now, 853 projected, target 1,000."
    )


def test_the_table_has_every_day_of_the_chart():
    promise = commitment(a_delivery())

    rows = [a for name, a in Text(pace_table(promise)).tags if name == "time"]
    assert [row["datetime"] for row in rows] == [day.on.isoformat() for day in promise.series]


@pytest.mark.parametrize(
    "changes",
    [
        {"series": []},
        {"target": "0", "projected": None, "attained": "0"},
        {"attained": "-4", "series": [{"on": "2026-03-02", "attained": "-4", "expected": "1"}]},
        {"target": None, "expected": None, "gap": None, "attained": None},
    ],
)
def test_a_chart_of_next_to_nothing_can_still_be_drawn(changes):
    html = pace_chart(commitment(a_delivery(**changes)))

    assert "NaN" not in html
    assert Text(html).tags[0][0] == "svg"


def test_a_share_may_be_told_by_its_own_names():
    promise = a_share("c", "RESPONSE", "First touch", "0.96", "0.90", attained=None, target=None)

    assert (commitment(promise).attained, commitment(promise).target) == (
        Decimal("0.96"),
        Decimal("0.90"),
    )


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (timedelta(0), "00:00 left"),
        (timedelta(seconds=372), "06:12 left"),
        (timedelta(seconds=-12), "00:12 overdue"),
        (timedelta(hours=2, minutes=5, seconds=9), "2:05:09 left"),
        (timedelta(days=1, hours=3, minutes=59), "1 d 3 h left"),
    ],
)
def test_time_left_is_said_as_on_a_stopwatch(left, said):
    assert time_left(left) == said


@pytest.mark.parametrize(
    ("value", "unit", "currency", "said"),
    [
        (Decimal(1234567), Unit.COUNT, None, "1,234,567"),
        (Decimal("49.29"), Unit.POINTS, None, "49.3"),
        (Decimal(100), Unit.POINTS, None, "100"),
        (Decimal("0.785"), Unit.SHARE, None, "78.5%"),
        (Decimal("1200000.50"), Unit.MONEY, "EUR", "EUR 1,200,001"),
    ],
)
def test_amounts_are_said_in_their_unit(value, unit, currency, said):
    assert amount_text(value, unit, currency) == said


def commitment(plain):
    board = board_of(a_board(sides=[a_side("MARKETING", "Demand generation", "BEHIND", plain)]))
    return board.sides[0].commitments[0]
