"""The campaigns of the closed-loop page: what each cost and brought, by the model one chooses."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from api.web.figures import NOTHING, calendar_day, figure
from api.web.loop_charts import money
from api.web.loop_parts import address, bar, nothing, region, spoken
from api.web.loop_payload import Campaign, Campaigns, Loop, MissingRate, Model
from api.web.markup import Child, Html, tag
from api.web.payload import Amount, Unit

_MODELS = {
    Model.FIRST: ("First", "all goes to the first touch"),
    Model.LAST: ("Last", "all goes to the last touch"),
    Model.LAST_NON_DIRECT: ("Last non-direct", "all goes to the last touch by a known road"),
    Model.LINEAR: ("Linear", "every touch gets the same"),
    Model.U_FIRST_LEAD: (
        "U: first, lead",
        "the first touch and the one that made the lead get 40% each, the others 20%",
    ),
    Model.U_FIRST_LAST: (
        "U: first, last",
        "the first touch and the last get 40% each, the others 20%",
    ),
    Model.W_SHAPED: (
        "W",
        "the first touch and those that made the lead and the deal get 30% each, the others 10%",
    ),
    Model.FULL_PATH: (
        "Full path",
        "the first touch and those at lead, deal and close get 22.5% each, the others 10%",
    ),
    Model.TIME_DECAY: ("Time decay", "a touch a week older than another gets half as much"),
}
_OF_CAMPAIGNS = "What no campaign brought is not in the CAC and ROI of the total."
_HEADS = (
    *("Campaign", "Cost", "Touches", "Leads", "MQL", "Accepted", "SQL"),
    *("Pipeline", "Won", "CAC", "ROI"),
)


def campaigns(loop: Loop) -> Iterator[Html]:
    """Yield the choice of models and the table, or what is there instead of it."""
    shown = loop.campaigns
    yield _choice(loop)
    if shown.missing is not None:
        yield _lacks(shown.missing)
    elif shown.total is None:
        yield nothing(
            "No campaign did anything with the leads of these days.",
            "Plan one and record its costs; its touches and leads show here.",
        )
    else:
        yield tag("p", _note(shown.model), class_="note")
        yield region("Campaigns", _table(shown, shown.total))


def _choice(loop: Loop) -> Html:
    return tag(
        "nav",
        [
            tag(
                "a", name, href=address(loop.window, model, part="campaigns"),
                aria_current="true" if model is loop.campaigns.model else None,
            )
            for model, (name, _) in _MODELS.items()
        ],
        class_="choice models",
        aria_label="How deals are credited",
    )  # fmt: skip


def _note(model: Model) -> str:
    return (
        f"Of each deal, {_MODELS[model][1]}. Leads are those of these days, with all that became"
        " of them since; costs are what was spent in these days. CAC is the cost per deal won, ROI"
        f" is (won - cost) / cost. {_OF_CAMPAIGNS}"
    )


def _lacks(missing: MissingRate) -> Html:
    """Say which rate of exchange is missing, and how to set it."""
    return tag(
        "p",
        tag("strong", f"There is no rate from {missing.currency} to {missing.to}."),
        " Costs and deals of ",
        calendar_day(missing.on, "date"),
        " cannot be added up until somebody sets one with ",
        tag("code", "exchangeRateSet"),
        ".",
        class_="empty",
    )


def _table(shown: Campaigns, total: Campaign) -> Html:
    lines = [line for line in (*shown.lines, shown.others, shown.without) if line]
    most = max(line.won.amount for line in lines)
    rows = [_row(_named(line), line, most) for line in shown.lines]
    rows += [_row(_group(name), line, most) for name, line in _groups(shown)]
    return tag(
        "table",
        tag("caption", "What campaigns are worth"),
        tag("thead", tag("tr", [tag("th", head, scope="col") for head in _HEADS])),
        tag("tbody", rows),
        tag("tfoot", _row("Total", total, None, of=_OF_CAMPAIGNS)),
    )


def _groups(shown: Campaigns) -> Iterator[tuple[str, Campaign]]:
    for name, line in (("All others", shown.others), ("No campaign", shown.without)):
        if line is not None:
            yield name, line


def _named(line: Campaign) -> Html:
    return _group("Unnamed") if line.name is None else spoken(line.name)


def _group(name: str) -> Html:
    return tag("span", name, class_="group")


def _row(name: Child, line: Campaign, most: Decimal | None, *, of: str | None = None) -> Html:
    counts = (line.touches, line.leads, line.mqls, line.accepted, line.sqls)
    return tag(
        "tr",
        tag("th", name, scope="row"),
        tag("td", money(line.cost)),
        *(tag("td", figure(count, Unit.COUNT)) for count in counts),
        tag("td", money(line.pipeline)),
        tag(
            "td",
            money(line.won),
            None if most is None else bar(line.won.amount, most),
            class_="revenue",
        ),
        tag("td", _price(line.cac if line.cost.amount else None), title=of),
        tag("td", figure(line.roi_rate, Unit.SHARE), title=of),
    )


def _price(amount: Amount | None) -> Html:
    return Html(NOTHING) if amount is None else money(amount)
