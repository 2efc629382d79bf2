"""Numbers, instants and verdicts as elements.

Each carries its exact value beside an English text, so that `static/format.js` can say it again in
the reader's own language and time zone.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from api.web.markup import Html, tag
from api.web.payload import CountdownState, Unit, Verdict

NOTHING = "–"

_ROUND = "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18"
_ICONS: dict[str, str] = {
    Verdict.AHEAD: "M5.5 12.5 12 6l6.5 6.5M5.5 19 12 12.5 18.5 19",
    Verdict.ON_TRACK: "M4.5 12.5 10 18 20 7",
    Verdict.AT_RISK: "M12 4 2.5 20.5h19zM12 10v4.5M12 17.5v.1",
    Verdict.BEHIND: "M5.5 5 12 11.5 18.5 5M5.5 11.5 12 18l6.5-6.5",
    Verdict.MET: f"{_ROUND}M7.5 12.5 11 16l6-7",
    Verdict.MISSED: f"{_ROUND}M8.5 8.5l7 7M15.5 8.5l-7 7",
    Verdict.NOT_STARTED: f"{_ROUND}M8 12h8",
    CountdownState.RUNNING: f"{_ROUND}M12 7v5l3.5 2",
    CountdownState.WARNING: "M12 4 2.5 20.5h19zM12 10v4.5M12 17.5v.1",
    CountdownState.BREACHED: f"{_ROUND}M8.5 8.5l7 7M15.5 8.5l-7 7",
    CountdownState.PAUSED: "M8.5 5.5v13M15.5 5.5v13",
}
_TONES = {
    Verdict.AHEAD: "good",
    Verdict.ON_TRACK: "good",
    Verdict.AT_RISK: "warn",
    Verdict.BEHIND: "bad",
    Verdict.MET: "good",
    Verdict.MISSED: "bad",
    Verdict.NOT_STARTED: "idle",
}


def word(state: StrEnum) -> str:
    """Return what people say: ON_TRACK is "On track"."""
    return state.value.replace("_", " ").capitalize()


def tone(verdict: Verdict) -> str:
    """Return the colour family of a verdict; the word and the icon always go with it."""
    return _TONES[verdict]


def icon(state: StrEnum) -> Html:
    """Return the drawing that goes with a word; it is hidden from screen readers."""
    path = tag("path", d=_ICONS[state])
    return tag("svg", path, class_="icon", viewBox="0 0 24 24", aria_hidden="true")


def chip(verdict: Verdict) -> Html:
    """Return a verdict as an icon and a word."""
    return tag("span", icon(verdict), " ", word(verdict), class_="chip", data_tone=tone(verdict))


def figure(value: Decimal | int | None, unit: Unit, currency: str | None = None) -> Html:
    """Return an amount in its unit."""
    if value is None:
        return Html(NOTHING)
    kind = unit.value.lower()
    text = amount_text(value, unit, currency)
    return tag("data", text, value=_exact(value), data_format=kind, data_currency=currency)


def moment(instant: datetime, since: datetime | None = None) -> Html:
    """Return an instant: its day and time, or its time only on the day of the instant `since`."""
    is_same_day = since is not None and instant.date() == since.date()
    text = instant.strftime("%H:%M UTC" if is_same_day else "%-d %b, %H:%M UTC")
    return tag(
        "time", text, datetime=stamp(instant), data_format="moment",
        data_since=None if since is None else stamp(since),
    )  # fmt: skip


def stamp(instant: datetime) -> str:
    """Return an instant as scripts read it."""
    return instant.isoformat().replace("+00:00", "Z")


def time_left(left: timedelta) -> str:
    """Return "2:05:09 left" or "0:12 overdue", as `static/countdown.js` does each second."""
    seconds = int(abs(left).total_seconds())
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    clock = f"{rest // 60:02}:{rest % 60:02}"
    span = f"{hours}:{clock}" if hours else clock
    if days:
        span = f"{days} d {hours} h"
    return f"{span} {'left' if left >= timedelta() else 'overdue'}"


def calendar_day(on: date, form: str = "day") -> Html:
    """Return a day; `form` is "day" or "date" (with its year)."""
    return tag("time", day_text(on, form), datetime=on.isoformat(), data_format=form)


def day_text(on: date, form: str = "day") -> str:
    """Return "2 Mar", or "2 Mar 2026" for the form "date"."""
    return on.strftime("%-d %b %Y" if form == "date" else "%-d %b")


def amount_text(value: Decimal | int, unit: Unit, currency: str | None = None) -> str:
    """Return an amount in English, as a reader without scripts sees it."""
    match unit:
        case Unit.SHARE:
            return f"{_rounded(Decimal(value) * 100, 1).normalize():,f}%"
        case Unit.MONEY:
            return f"{currency or ''} {_rounded(Decimal(value), 0):,}".strip()
        case Unit.POINTS:
            return f"{_rounded(Decimal(value), 1).normalize():,f}"
        case Unit.COUNT:
            return f"{_rounded(Decimal(value), 0):,}"


def _rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def _exact(value: Decimal | int) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)
