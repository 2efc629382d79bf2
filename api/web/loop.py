"""The closed-loop page, drawn from one snapshot: what became of marketing's leads, in money."""

from __future__ import annotations

from decimal import Decimal

from api.web.figures import amount_text, calendar_day, figure, moment
from api.web.loop_campaigns import campaigns
from api.web.loop_charts import (
    funnel,
    funnel_table,
    likely,
    money,
    revenue_chart,
    revenue_table,
)
from api.web.loop_parts import address, bar, nothing, panel, region, spoken
from api.web.loop_payload import Conversion, Effort, Loop, Window
from api.web.markup import Child, Html, fragment, tag
from api.web.payload import Amount, Unit

_ROOM = 13  # signs of a figure, in the size that a tile gives it
_WINDOWS = {
    Window.LAST_30_DAYS: "30 days",
    Window.LAST_90_DAYS: "90 days",
    Window.LAST_12_MONTHS: "12 months",
}


def whole_loop(loop: Loop, tools: Html) -> Html:
    """Return the body of the page: what changes, and the tools, which do not."""
    return fragment([tag("header", _masthead(loop), tools), _main(loop), _footer(loop)])


def live_loop(loop: Loop) -> Html:
    """Return the parts of the page that change, each with the id by which the script finds it."""
    return fragment([_masthead(loop), _main(loop), _footer(loop)])


def loop_title(loop: Loop) -> str:
    """Return what the browser calls the page."""
    return f"Closed loop – {loop.tenant_name}"


def _masthead(loop: Loop) -> Html:
    return tag(
        "div",
        tag("h1", tag("bdi", loop.tenant_name), tag("span", " Closed loop", class_="of")),
        tag(
            "nav",
            [_window(window, name, loop) for window, name in _WINDOWS.items()],
            class_="choice windows",
            aria_label="How far back",
        ),
        id="masthead",
    )


def _window(window: Window, name: str, loop: Loop) -> Html:
    current = "page" if window is loop.window else None
    return tag("a", name, href=address(window, loop.campaigns.model), aria_current=current)


def _main(loop: Loop) -> Html:
    return tag(
        "main",
        _tiles(loop),
        tag("div", _funnel(loop), _revenue(loop), class_="pair"),
        _campaigns(loop),
        _efforts(loop),
        id="picture",
        data_title=loop_title(loop),
    )


def _tiles(loop: Loop) -> Html:
    last = loop.stages[-1].from_first
    return tag(
        "dl",
        _tile("leads", "Leads first seen", figure(loop.leads, Unit.COUNT), _days(loop)),
        _tile("won", "Deals won with them", figure(loop.won, Unit.COUNT), "to date"),
        _tile("rate", "Became customers", figure(last.rate, Unit.SHARE), _likely(last)),
        _tile("revenue", "Revenue that came in", money(loop.revenue), _foreign(loop),
              is_long=_is_long(loop.revenue)),
        class_="tiles",
    )  # fmt: skip


def _tile(name: str, label: str, value: Child, note: Child, *, is_long: bool = False) -> Html:
    return tag(
        "div",
        tag("dt", label),
        tag("dd", tag("strong", value, data_long=is_long), " ", tag("small", note)),
        data_key=name,
    )


def _is_long(amount: Amount) -> bool:
    """Say whether an amount has more signs than there is room for in their usual size."""
    return len(amount_text(amount.amount, Unit.MONEY, amount.currency)) > _ROOM


def _days(loop: Loop) -> Html:
    return fragment([calendar_day(loop.starts_on), " to ", calendar_day(loop.last_on)])


def _likely(conversion: Conversion) -> Html:
    if conversion.rate is None:
        return Html("of the leads")
    return fragment(["of the leads; ", likely(conversion)])


def _foreign(loop: Loop) -> Child:
    if not loop.foreign:
        return "in these days"
    lacking = "amount that lacks" if loop.foreign == 1 else "amounts that lack"
    return f"in these days; without {loop.foreign} {lacking} a rate"


def _funnel(loop: Loop) -> Html:
    if not loop.stages[0].reached:
        return panel(
            "funnel-panel",
            "How far they came",
            None,
            nothing("Nobody became a lead in these days.", "Look further back, or bring leads."),
        )
    note = fragment(["What became of the leads of these days. ", _still_open(loop.open)])
    return panel(
        "funnel-panel", "How far they came", note, funnel(loop),
        _figures("the funnel", funnel_table(loop)),
    )  # fmt: skip


def _still_open(number: int) -> Html:
    if not number:
        return Html("None is still on the way.")
    are = "is still on its way" if number == 1 else "are still on their way"
    return fragment([figure(number, Unit.COUNT), f" {are}, so the shares may grow."])


def _revenue(loop: Loop) -> Html:
    if not any(span.total or span.lost.amount for span in loop.spans):
        return panel(
            "revenue-panel",
            "Revenue coming back",
            None,
            nothing("No revenue came in these days yet.", "It shows here when a deal is won."),
        )
    return panel(
        "revenue-panel",
        "Revenue coming back",
        "What came in these days, whoever it came from.",
        revenue_chart(loop),
        tag("ul", _key("new", "from new customers"), _key("again", "from those there were"),
            class_="legend"),
        _figures("revenue", revenue_table(loop)),
    )  # fmt: skip


def _key(name: str, text: str) -> Html:
    mark = tag("rect", class_=name, width="100%", height="100%", rx="2")
    return tag("li", tag("svg", mark, class_="swatch", aria_hidden="true"), text)


def _campaigns(loop: Loop) -> Html:
    return panel("campaigns", "What campaigns are worth", None, *campaigns(loop))


def _efforts(loop: Loop) -> Html:
    if not loop.efforts:
        return panel(
            "efforts",
            "Which efforts are fruitful",
            None,
            nothing("No effort brought a lead in these days.", "Each lead's origin shows here."),
        )
    most = max(effort.revenue.amount for effort in loop.efforts)
    heads = ("Source and campaign", "Leads", "MQL", "SQL", "Deals", "Won", "Revenue")
    table = tag(
        "table",
        tag("caption", "Which efforts are fruitful"),
        tag("thead", tag("tr", [tag("th", head, scope="col") for head in heads])),
        tag("tbody", [_effort(effort, most) for effort in loop.efforts]),
    )
    return panel(
        "efforts",
        "Which efforts are fruitful",
        "What became of the leads of these days, by where they came from; revenue to date.",
        region("Efforts", table),
    )


def _effort(effort: Effort, most: Decimal) -> Html:
    counts = (effort.leads, effort.mqls, effort.sqls, effort.opportunities, effort.won)
    return tag(
        "tr",
        tag(
            "th",
            spoken(effort.source),
            None if effort.campaign is None else tag("small", " ", spoken(effort.campaign)),
            scope="row",
        ),
        *(tag("td", figure(count, Unit.COUNT)) for count in counts),
        tag("td", *_brought(effort), bar(effort.revenue.amount, most), class_="revenue"),
        data_key=f"{effort.source}/{effort.campaign}",
    )


def _brought(effort: Effort) -> list[Child]:
    if not effort.foreign:
        return [money(effort.revenue)]
    lacking = "lacks" if effort.foreign == 1 else "lack"
    return [money(effort.revenue), tag("small", f" without {effort.foreign} that {lacking} a rate")]


def _figures(of: str, table: Html) -> Html:
    return tag(
        "details",
        tag("summary", "Figures", tag("span", f" of {of}", class_="unseen")),
        region(f"Figures of {of}", table),
    )


def _footer(loop: Loop) -> Html:
    return tag(
        "footer",
        tag("p", tag("span", "Figures as of ", moment(loop.as_of), ".")),
        tag(
            "p",
            tag("span", f"Days are those of {loop.time_zone}. "),
            tag("span", "Times are in UTC.", data_zone=True),
        ),
        id="colophon",
    )
