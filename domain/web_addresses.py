"""Addresses of web pages, in the one form in which they are kept and compared."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from domain.errors import Invalid
from domain.values import limited_text

LONGEST_ADDRESS = 2000
_MOST_PARAMETERS = 100
_DEFAULT_PORTS = frozenset({None, 80, 443})
_HOST = re.compile(r"[^\s/@?#\\<>\"]+")

# What advertisers and mailers hang on an address to know a click again.  It makes no other page.
_CLICKS = frozenset(
    {
        *("gclid", "gclsrc", "dclid", "gbraid", "wbraid", "msclkid", "fbclid", "yclid", "ttclid"),
        *("twclid", "igshid", "li_fat_id", "mc_cid", "mc_eid", "_ga", "_gl", "_hsenc", "_hsmi"),
        *("hsa_cam", "hsctatracking", "mkt_tok", "vero_id", "oly_anon_id", "oly_enc_id"),
    }
)


def page_address(text: str, *, path: Sequence[str | int] = ("url",)) -> str:
    """Return a page's address as it is kept: one page, one address.

    That is `https`, the host in small letters, no user, default port, fragment or slash at the end,
    no parameters that only track a click, and the others in alphabetical order.

    Raises:
        Invalid: if it is not the address of a web page.
    """
    parts = _parts(text, path)
    port = f":{parts.port}" if parts.port not in _DEFAULT_PORTS else ""
    kept = sorted(pair for pair in _parameters(parts, path) if not _tracks(pair[0]))
    query = f"?{urlencode(kept)}" if kept else ""
    return f"https://{parts.hostname}{port}{parts.path.rstrip('/') or '/'}{query}"


def referring_page(text: str, *, path: Sequence[str | int] = ("referrer",)) -> str:
    """Return where a visitor came from, without what others' sites keep in their parameters.

    Raises:
        Invalid: if it is not the address of a web page.
    """
    return page_address(text, path=path).partition("?")[0]


def host_of(address: str) -> str:
    """Return the host of an address that is kept."""
    return urlsplit(address).hostname or ""


def parameters_of(text: str, *, path: Sequence[str | int] = ("url",)) -> Mapping[str, str]:
    """Return the parameters of an address by their names in small letters, the first of each."""
    found: dict[str, str] = {}
    for name, value in _parameters(_parts(text, path), path):
        found.setdefault(name.lower(), value)
    return found


def origin_of(text: str, *, path: Sequence[str | int]) -> str:
    """Return the origin that a browser names for pages of a site: `https://www.acme.example`.

    Raises:
        Invalid: if it is an address of one page, or none at all.
    """
    parts = _parts(text, path)
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        raise Invalid("An origin is written as https://www.acme.example, no more.", path=path)
    default = {"https": 443, "http": 80}[parts.scheme]
    port = f":{parts.port}" if parts.port not in {None, default} else ""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{port}"


def _parts(text: str, path: Sequence[str | int]) -> SplitResult:
    kept = limited_text(text.strip(), name="The address", path=path, longest=LONGEST_ADDRESS)
    parts = _split(kept)
    if parts is None:
        raise Invalid("The address of a page begins with https:// and a host.", path=path)
    return parts


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        known = parts.scheme in {"http", "https"} and (parts.port is None or parts.port > 0)
    except ValueError:
        return None
    return parts if known and _HOST.fullmatch(parts.hostname or "") else None


def _parameters(parts: SplitResult, path: Sequence[str | int]) -> list[tuple[str, str]]:
    try:
        return parse_qsl(parts.query, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        raise Invalid(f"An address has at most {_MOST_PARAMETERS} parameters.", path=path) from None


def _tracks(name: str) -> bool:
    return name.lower().startswith("utm_") or name.lower() in _CLICKS
