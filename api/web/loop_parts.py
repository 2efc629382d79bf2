"""What all parts of the closed-loop page are put together from."""

from __future__ import annotations

from decimal import Decimal

from api.web.loop_payload import Model, Window
from api.web.markup import Child, Html, tag

# Names that are made by rule often differ only at their ends.
_LONGEST_NAME, _END = 60, 20


def address(window: Window, model: Model, *, part: str | None = None) -> str:
    """Return where another window or model is; the usual model goes without saying."""
    named = "" if model is Model.LINEAR else f"&model={model}"
    return f"?window={window}{named}{f'#{part}' if part else ''}"


def panel(name: str, title: str, note: Child, *content: Child) -> Html:
    """Return a card with a title."""
    shown = None if note is None else tag("p", note, class_="note")
    return tag(
        "section", tag("h2", title), shown, content,
        class_=f"card {name}", id=name, data_key=name,
    )  # fmt: skip


def region(name: str, table: Html) -> Html:
    """Return a table that scrolls on a screen too narrow for it, by keyboard too."""
    return tag("div", table, class_="scroll", tabindex=0, role="region", aria_label=name)


def nothing(said: str, then: str) -> Html:
    """Say why there is nothing to see, and what would change that."""
    return tag("p", tag("strong", said), " ", then, class_="empty")


def spoken(name: str) -> Html:
    """Return a name that people chose; one such as paid_search is said in words.

    Of a long one the middle is left out; it is whole in its title.
    """
    words = name.replace("_", " ")
    if len(words) <= _LONGEST_NAME:
        return tag("bdi", words)
    start, end = words[: _LONGEST_NAME - _END - 1], words[-_END:]
    return tag("bdi", f"{start.rstrip()}…{end.lstrip()}", title=name)


def bar(amount: Decimal, most: Decimal) -> Html:
    """Return how much an amount is of the most there is, drawn."""
    share = 100 * amount / most if most else Decimal(0)
    mark = tag("rect", class_="new", width=f"{share:.1f}%", height="100%")
    return tag("svg", mark, class_="share", aria_hidden="true")
