"""The frame around every page: head, policy and headers."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import HTMLResponse

from api.web.assets import LIVE, MODULES, asset
from api.web.markup import Child, Html, fragment, tag

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

# A board's address is its key: it must not leak by referrer, search engine or cache.
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def page(
    *content: Child,
    title: str,
    kind: str,
    status: int = 200,
    script: str | None = None,
    styles: Sequence[str] | None = None,
    scripts: Sequence[str] = (),
    policy: str = POLICY,
) -> HTMLResponse:
    """Return a whole page.

    Args:
        content: What stands in its body.
        title: What the browser calls it.
        kind: The class that its rules of style hang on.
        status: The status of the answer.
        script: Its module, one of our static files.
        styles: Addresses of style sheets; ours if none are named.
        scripts: Addresses of scripts that are run, in their order, before the module.
        policy: What it may load and do.
    """
    html = tag(
        "html",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("title", title),
            tag("link", rel="icon", type="image/svg+xml", href=asset("icon.svg")),
            [tag("link", rel="stylesheet", href=each) for each in _styles(styles)],
            # Not deferred: the stored theme must be there before the first paint.
            tag("script", src=asset("theme.js")),
            [tag("script", src=each, defer=True) for each in scripts],
            _module(script) if script else None,
        ),
        tag("body", content, class_=kind),
        lang="en",
    )
    headers = {**HEADERS, "Content-Security-Policy": policy}
    return HTMLResponse(f"<!doctype html>\n{html}", status_code=status, headers=headers)


def _styles(styles: Sequence[str] | None) -> Sequence[str]:
    return [asset("board.css")] if styles is None else styles


def _module(name: str) -> Html:
    preloaded = MODULES if name in LIVE else ()
    return fragment(
        [
            *(tag("link", rel="modulepreload", href=asset(each)) for each in preloaded),
            tag("script", type="module", src=asset(name)),
        ]
    )
