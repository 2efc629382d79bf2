"""The funnel and the revenue of the closed-loop page, each with a table that says the same.

As in `api/web/chart.py` only what may be stretched is drawn in a box that stretches with the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from api.web.figures import NOTHING, amount_text, calendar_day, day_text, figure
from api.web.loop_payload import Conversion, Loop, Span, Stage, StageName
from api.web.markup import Child, Html, fragment, tag
from api.web.payload import Amount, Unit

_HUNDRED = Decimal(100)
_NARROWEST = Decimal("0.4")  # of a stage that somebody reached: still to be seen
_BAR = Decimal("0.62")  # of its span; the rest is air
_STEPS = (Decimal(1), Decimal("1.5"), *(Decimal(step) for step in (2, 3, 4, 5, 6, 8, 10)))
_NAMES = {
    StageName.VISITOR: "Visitors",
    StageName.PROSPECT: "Prospects",
    StageName.LEAD: "Leads",
    StageName.MQL: "Marketing qualified",
    StageName.SAL: "Accepted by sales",
    StageName.SQL: "Sales qualified",
    StageName.OPPORTUNITY: "Opportunities",
    StageName.CUSTOMER: "Customers",
    StageName.ADVOCATE: "Advocates",
}


def stage_name(stage: StageName) -> str:
    """Return what people call those who reached a stage."""
    return _NAMES[stage]


def funnel(loop: Loop) -> Html:
    """Return the stages as bands that narrow, with the share that goes on between them."""
    first = loop.stages[0].reached
    following: list[Stage | None] = [*loop.stages[1:], None]
    rows = [_row(stage, after, first) for stage, after in zip(loop.stages, following, strict=True)]
    return tag("ol", rows, class_="funnel")


def _row(stage: Stage, after: Stage | None, first: int) -> Html:
    return tag(
        "li",
        tag(
            "p",
            tag("span", stage_name(stage.stage), class_="stage-name"),
            tag("strong", figure(stage.reached, Unit.COUNT)),
            class_="reached",
        ),
        tag(
            "svg", _bands(stage, after, first), viewBox="0 0 100 100",
            preserveAspectRatio="none", class_="band", aria_hidden="true",
        ),
        None if after is None else _onward(after, stage),
        data_key=stage.stage,
    )  # fmt: skip


def _bands(stage: Stage, after: Stage | None, first: int) -> list[Html]:
    """Return the stage as a bar and, below it, how it narrows to the next."""
    here = _width(stage.reached, first)
    bar_ends = Decimal(100) if after is None else Decimal(56)
    marks = [_trapezium("bar", here, here, Decimal(0), bar_ends)]
    if after is None:
        return marks
    doubt = after.from_previous.high * here if after.from_previous and here else Decimal(0)
    return [
        *([_trapezium("doubt", here, min(doubt, here), bar_ends, _HUNDRED)] if here else []),
        _trapezium("narrowing", here, _width(after.reached, first), bar_ends, _HUNDRED),
        *marks,
    ]


def _width(reached: int, first: int) -> Decimal:
    if not reached or not first:
        return Decimal(0)
    return max(_NARROWEST, _HUNDRED * reached / first)


def _trapezium(name: str, above: Decimal, below: Decimal, top: Decimal, bottom: Decimal) -> Html:
    half = _HUNDRED / 2
    corners = (
        (half - above / 2, top),
        (half + above / 2, top),
        (half + below / 2, bottom),
        (half - below / 2, bottom),
    )
    return tag("polygon", class_=name, points=" ".join(f"{x:.2f},{y:.2f}" for x, y in corners))


def _onward(after: Stage, stage: Stage) -> Html:
    """Say which share went on, how sure that is, and how long it took."""
    share = after.from_previous or Conversion()
    if share.rate is None:
        return tag("p", tag("small", "nobody could go on yet"), class_="onward")
    return tag(
        "p",
        tag("strong", figure(share.rate, Unit.SHARE)),
        tag("small", "go on; ", likely(share)),
        None
        if stage.time is None
        else tag("small", "half of them within ", duration(stage.time.p50)),
        class_="onward",
    )  # fmt: skip


def likely(share: Conversion) -> Html:
    """Say between what the true share lies, in whole percent."""
    low, high = (figure(round(end, 2), Unit.SHARE) for end in (share.low, share.high))
    return fragment(["likely ", low, " to ", high])


def funnel_table(loop: Loop) -> Html:
    """Return the funnel's numbers as a table."""
    heads = ("Stage", "Reached", "Of the stage before", "Of the first", "Half within")
    rows = [
        tag(
            "tr",
            tag("th", stage_name(stage.stage), scope="row"),
            tag("td", figure(stage.reached, Unit.COUNT)),
            tag("td", _rate(stage.from_previous)),
            tag("td", _rate(stage.from_first)),
            tag("td", duration(stage.time.p50) if stage.time else NOTHING),
        )
        for stage in loop.stages
    ]
    return _table("The funnel in numbers", heads, rows)


def _rate(conversion: Conversion | None) -> Html:
    return figure(conversion.rate if conversion else None, Unit.SHARE)


def duration(length: timedelta) -> Html:
    """Return a length of time in its largest unit that fits twice."""
    for unit, one in (("day", timedelta(days=1)), ("hour", timedelta(hours=1))):
        if length >= 2 * one:
            return Html(f"{round(length / one)} {unit}s")
    minutes = round(length / timedelta(minutes=1))
    return Html("a minute" if minutes <= 1 else f"{minutes} minutes")


def revenue_chart(loop: Loop) -> Html:
    """Return what came in each span as a column, what came again upon what was new."""
    top = _ceiling(max(span.total for span in loop.spans))
    count = len(loop.spans)
    columns = [_column(span, place, count, top) for place, span in enumerate(loop.spans)]
    grid = [tag("line", class_="grid", x1="0%", x2="100%", y1=f"{y}%", y2=f"{y}%") for y in (0, 50)]
    lines = tag(
        "svg", columns, viewBox="0 0 100 100", preserveAspectRatio="none", width="100%",
        height="100%", class_="columns",
    )  # fmt: skip
    currency = loop.revenue.currency
    return tag(
        "svg",
        tag("title", summary(loop)),
        tag(
            "g",
            grid,
            lines,
            _scale(top, "0%", currency),
            _scale(top / 2, "50%", currency),
            _days(loop.spans),
            aria_hidden="true",
        ),
        class_="revenue-chart",
        role="img",
    )


def summary(loop: Loop) -> str:
    """Say in one sentence what the columns show."""
    best = max(loop.spans, key=lambda span: span.total)
    total, most = (_said(amount, loop.revenue) for amount in (loop.revenue.amount, best.total))
    return (
        f"{total} came from {day_text(loop.starts_on)} to {day_text(loop.last_on)}; most, {most},"
        f" from {day_text(best.starts_on)} to {day_text(best.last_on)}."
    )


def _said(amount: Decimal, like: Amount) -> str:
    return amount_text(amount, Unit.MONEY, like.currency)


def _column(span: Span, place: int, count: int, top: Decimal) -> Html:
    wide = _HUNDRED / count
    x, width = wide * place + wide * (1 - _BAR) / 2, wide * _BAR
    parts, base = [], _HUNDRED
    for name, amount in (("new", span.new.amount), ("again", span.again.amount)):
        height = _HUNDRED * amount / top
        base -= height
        if height:
            parts.append(
                tag("rect", class_=name, x=f"{x:.2f}", y=f"{base:.2f}", width=f"{width:.2f}",
                    height=f"{height:.2f}")
            )  # fmt: skip
    return fragment(parts)


def _ceiling(amount: Decimal) -> Decimal:
    """Return the least round number that no column is above."""
    if amount <= 0:
        return Decimal(1)
    unit = Decimal(10) ** amount.adjusted()
    return next(step * unit for step in _STEPS if step * unit >= amount)


def _scale(amount: Decimal, y: str, currency: str) -> Html:
    return tag(
        "text", amount_text(amount, Unit.MONEY, currency), x="0%", y=y, dy="1.1em",
        class_="start", data_value=format(amount, "f"), data_format="money",
        data_currency=currency,
    )  # fmt: skip


def _days(spans: Sequence[Span]) -> Html:
    """Name every span that has room for its name."""
    count = len(spans)
    every = -(-count // 5)
    marks = [
        (span, _HUNDRED * (2 * place + 1) / (2 * count))
        for place, span in enumerate(spans)
        if place % every == 0
    ]
    return fragment(
        tag(
            "text", day_text(span.starts_on), x=f"{x:.2f}%", y="100%", dy="1.35em",
            class_="middle", data_value=span.starts_on.isoformat(), data_format="day",
        )
        for span, x in marks
    )  # fmt: skip


def revenue_table(loop: Loop) -> Html:
    """Return the columns' numbers as a table."""
    heads: tuple[Child, ...] = ("From", "To", "New", "Again", "Lost")
    rows = [
        tag(
            "tr",
            tag("th", calendar_day(span.starts_on), scope="row"),
            tag("td", calendar_day(span.last_on)),
            *(tag("td", money(part)) for part in (span.new, span.again, span.lost)),
        )
        for span in loop.spans
    ]
    return _table("Revenue in numbers", heads, rows)


def money(amount: Amount) -> Html:
    """Return an amount of money as an element."""
    return figure(amount.amount, Unit.MONEY, amount.currency)


def _table(caption: str, heads: Sequence[Child], rows: Sequence[Html]) -> Html:
    return tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", [tag("th", head, scope="col") for head in heads])),
        tag("tbody", rows),
    )
