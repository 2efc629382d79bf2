"""The frame around every page: head, policy and headers."""

from __future__ import annotations

from starlette.responses import HTMLResponse

from api.web.assets import MODULES, asset
from api.web.markup import Child, Html, fragment, tag

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

# A board's address is its key: it must not leak by referrer, search engine or cache.
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def page(
    *content: Child, title: str, kind: str, status: int = 200, script: str | None = None
) -> HTMLResponse:
    """Return a whole page; `kind` is the class its rules of style hang on, `script` its module."""
    html = tag(
        "html",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("title", title),
            tag("link", rel="icon", type="image/svg+xml", href=asset("icon.svg")),
            tag("link", rel="stylesheet", href=asset("board.css")),
            # Not deferred: the stored theme must be there before the first paint.
            tag("script", src=asset("theme.js")),
            _module(script) if script else None,
        ),
        tag("body", content, class_=kind),
        lang="en",
    )
    return HTMLResponse(f"<!doctype html>\n{html}", status_code=status, headers=HEADERS)


def _module(name: str) -> Html:
    preloaded = MODULES if name in MODULES else ()
    return fragment(
        [
            *(tag("link", rel="modulepreload", href=asset(each)) for each in preloaded),
            tag("script", type="module", src=asset(name)),
        ]
    )
