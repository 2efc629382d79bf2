"""The pace line of one commitment, and the table that says the same in numbers.

The plot has no fixed size: lines are drawn in a 100 by 100 box that stretches with the page, and
labels stand at percentages of it, so letters and dots are never stretched.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from api.web.figures import amount_text, calendar_day, day_text, figure, tone, word
from api.web.markup import Html, fragment, tag
from api.web.payload import Commitment, Day, Unit

_HUNDRED = Decimal(100)
_HEADROOM = Decimal("1.04")
_EDGE = Decimal(14)  # a label closer to a corner than this many percent would touch its neighbour

Point = tuple[Decimal, Decimal]


def pace_chart(commitment: Commitment) -> Html:
    """Return the attained line against the expected one, with what is said aloud about them."""
    plot = _Plot(commitment)
    return tag(
        "svg",
        tag("title", summary(commitment)),
        tag(
            "g",
            tag(
                "svg", plot.lines(), viewBox="0 0 100 100", preserveAspectRatio="none",
                width="100%", height="100%", class_="lines",
            ),
            plot.labels(),
            aria_hidden="true",
        ),
        class_="chart",
        role="img",
        data_tone=tone(commitment.status),
    )  # fmt: skip


def pace_table(commitment: Commitment) -> Html:
    """Return the same days and numbers as the chart, as a table."""
    unit, currency = commitment.unit, commitment.currency
    rows = [
        tag(
            "tr",
            tag("th", calendar_day(day.on), scope="row"),
            tag("td", figure(day.attained, unit, currency)),
            tag("td", figure(day.expected, unit, currency)),
        )
        for day in commitment.series
    ]
    head = [tag("th", title, scope="col") for title in ("Day", "Attained", "Expected")]
    return tag(
        "table",
        tag("caption", f"{commitment.label}: attained and expected by day"),
        tag("thead", tag("tr", head)),
        tag("tbody", rows),
    )


def summary(commitment: Commitment) -> str:
    """Say in one sentence what the chart shows."""

    def said(value: Decimal | None) -> str | None:
        return None if value is None else amount_text(value, commitment.unit, commitment.currency)

    parts = [
        (said(commitment.attained), "{} attained"),
        (said(commitment.expected), "{} expected by now"),
        (said(commitment.projected), "{} projected"),
        (said(commitment.target), "target {}"),
    ]
    facts = ", ".join(form.format(value) for value, form in parts if value is not None)
    return f"{commitment.label}. {word(commitment.status)}. {facts}."


class _Plot:
    """Where the days and amounts of one commitment lie in a box of 100 by 100."""

    def __init__(self, commitment: Commitment) -> None:
        self._commitment = commitment
        self._days = commitment.series
        self._cumulative = commitment.unit is not Unit.SHARE
        self._low, self._high = self._range()
        self._attained = self._points([day.attained for day in self._days])
        self._expected = self._points([day.expected for day in self._days])

    def lines(self) -> Html:
        """Return everything that may be stretched."""
        return fragment(
            [
                self._target_line(),
                _polygon("gap", self._between()),
                _polyline("expected", self._expected),
                _polyline("projection", self._projection()),
                _polyline("attained", self._attained),
            ]
        )

    def labels(self) -> Html:
        """Return everything that may not: the dot of today and the names of the days."""
        if not self._days:
            return tag("text", "No days counted yet", x="50%", y="55%", class_="middle")
        first, last = self._days[0].on, self._days[-1].on
        return fragment(
            [
                _day_label(first, "0%", "start"),
                _day_label(last, "100%", "end"),
                self._today(),
            ]
        )

    def _today(self) -> Html | None:
        if not self._attained:
            return None
        x, y = self._attained[-1]
        on = [day.on for day in self._days if day.attained is not None][-1]
        return fragment(
            [
                tag("line", class_="today", x1=_percent(x), x2=_percent(x), y1="0%", y2="100%"),
                tag("circle", class_="dot", cx=_percent(x), cy=_percent(y), r="0.4em"),
                _day_label(on, _percent(x), "middle") if _EDGE < x < _HUNDRED - _EDGE else None,
            ]
        )

    def _target_line(self) -> Html | None:
        if not self._cumulative or self._commitment.target is None:
            return None
        y = self._y(self._commitment.target)
        return _polyline("target", [(Decimal(0), y), (_HUNDRED, y)])

    def _between(self) -> Sequence[Point]:
        """The space between promise and deed, up to today."""
        until = len(self._attained)
        return [*self._attained, *reversed(self._expected[:until])] if until > 1 else []

    def _projection(self) -> Sequence[Point]:
        projected = self._commitment.projected
        if projected is None or not self._attained or self._attained[-1][0] >= _HUNDRED:
            return []
        return [self._attained[-1], (_HUNDRED, self._y(projected))]

    def _points(self, amounts: Sequence[Decimal | None]) -> list[Point]:
        reached = [
            (_HUNDRED * (index + 1) / len(amounts), self._y(amount))
            for index, amount in enumerate(amounts)
            if amount is not None
        ]
        # What is counted up starts from nothing; a share has no such start.
        return (
            [(Decimal(0), self._y(Decimal(0))), *reached]
            if self._cumulative and reached
            else reached
        )

    def _y(self, amount: Decimal) -> Decimal:
        share = (amount - self._low) / (self._high - self._low)
        return _HUNDRED - _HUNDRED * min(max(share, Decimal(0)), Decimal(1))

    def _range(self) -> tuple[Decimal, Decimal]:
        amounts = [a for day in self._days for a in _amounts(day)]
        totals = (self._commitment.target, self._commitment.projected)
        amounts += [amount for amount in totals if amount is not None]
        if not self._cumulative:
            lowest = min(amounts, default=Decimal(0))
            return max(Decimal(0), lowest - Decimal("0.1")), Decimal("1.02")
        return min([*amounts, Decimal(0)]), max([*amounts, Decimal(1)]) * _HEADROOM


def _amounts(day: Day) -> list[Decimal]:
    return [amount for amount in (day.attained, day.expected) if amount is not None]


def _day_label(on: date, x: str, anchor: str) -> Html:
    return tag(
        "text", day_text(on), x=x, y="100%", dy="1.35em", class_=anchor,
        data_value=on.isoformat(), data_format="day",
    )  # fmt: skip


def _polyline(name: str, points: Sequence[Point]) -> Html | None:
    return tag("polyline", class_=name, points=_joined(points)) if len(points) > 1 else None


def _polygon(name: str, points: Sequence[Point]) -> Html | None:
    return tag("polygon", class_=name, points=_joined(points)) if points else None


def _joined(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)


def _percent(value: Decimal) -> str:
    return f"{value:.2f}%"
