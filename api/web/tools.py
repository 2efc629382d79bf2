"""The corner of the board that is the reader's own: connection, theme, figures, full screen."""

from __future__ import annotations

from api.web.markup import Html, tag

_THEME = "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18"
_FIGURES = "M3.5 5h17v14h-17zM3.5 10h17M3.5 14.5h17M10 5v14"
_FULL = "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5"


def tools(elsewhere: tuple[str, str]) -> Html:
    """Return the connection's state, the way to another page (its name and address), and buttons.

    Buttons are hidden until the script that works them is there; the two status lines are spoken,
    so they are filled with care (`announce.js`).
    """
    return tag(
        "div",
        tag("p", tag("span", class_="lamp"), tag("span", "Not live yet", data_text=True),
            id="connection", data_state="waiting"),
        tag("a", elsewhere[0], href=elsewhere[1], class_="elsewhere"),
        _button("figures", "Show figures", _FIGURES, pressed="false"),
        _button("theme", "Change theme", _THEME),
        _button("full-screen", "Full screen", _FULL),
        tag("p", id="announcements", class_="unseen", role="status", aria_live="polite"),
        class_="tools",
    )  # fmt: skip


def _button(name: str, label: str, path: str, pressed: str | None = None) -> Html:
    drawing = tag(
        "svg", tag("path", d=path), class_="icon", viewBox="0 0 24 24", aria_hidden="true"
    )
    return tag(
        "button", drawing, id=name, type="button", hidden=True, title=label, aria_label=label,
        aria_pressed=pressed,
    )  # fmt: skip
