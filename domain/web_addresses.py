"""Addresses of web pages, in the one form in which they are kept and compared."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from unicodedata import normalize
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

from domain.errors import Invalid
from domain.page_secrets import is_private, is_private_parameter, without_private_parts
from domain.values import limited_text

LONGEST_ADDRESS = 2000
_MOST_PARAMETERS = 100
_DEFAULT_PORTS = frozenset({None, 80, 443})
_HOST = re.compile(r"[^\s/@?#\\<>\"]+")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_PLAIN_PATH = re.compile(r"[\w/:@!$&'()*+,;=~.-]*", re.ASCII)
# What may stand in a path as it is (RFC 3986), and the sign of what is escaped.
_IN_A_PATH = "/%:@!$&'()*+,;=~"
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

# What advertisers and mailers hang on an address to know a click, or who clicked, again.  It makes
# no other page.
_CLICKS = frozenset(
    {
        *("gclid", "gclsrc", "dclid", "gbraid", "wbraid", "msclkid", "fbclid", "yclid", "ttclid"),
        *("twclid", "igshid", "igsh", "li_fat_id", "mc_cid", "mc_eid", "mc_tc", "_ga", "_gl"),
        *("_hsenc", "_hsmi", "hsctatracking", "mkt_tok", "vero_id", "vero_conv", "oly_anon_id"),
        *("oly_enc_id", "srsltid", "rdt_cid", "sccid", "epik", "irclickid", "_ke", "_kx", "dm_i"),
        *("ck_subscriber_id", "ml_subscriber", "ml_subscriber_hash", "s_kwcid", "ef_id"),
        *("_branch_match_id", "_openstat", "cjevent", "wickedid", "__s"),
    }
)
_CLICK_PREFIXES = ("utm_", "hsa_", "__hs", "gad_", "mtm_", "pk_", "trk_", "elq", "sfmc_")


def page_address(text: str, *, path: Sequence[str | int] = ("url",)) -> str:
    """Return a page's address as it is kept: one page, one address, and nobody's secret.

    That is `https`, the host in small letters, no user, default port, fragment or slash at the end,
    no parameters that only track a click or tell of a person, and the others in alphabetical order.

    Raises:
        Invalid: if it is not the address of a web page.
    """
    return page_and_parameters(text, path=path)[0]


def page_and_parameters(
    text: str, *, path: Sequence[str | int] = ("url",)
) -> tuple[str, Mapping[str, str]]:
    """Return a page's address as it is kept, and all parameters it was asked for with.

    These by their names in small letters, the first of each.

    Raises:
        Invalid: if it is not the address of a web page.
    """
    parts = _parts(text, path)
    given = _parameters(parts, path)
    page, kept = _page(parts), sorted(pair for pair in given if not _goes(*pair))
    named: dict[str, str] = {}
    for name, value in given:
        named.setdefault(name.lower(), value)
    return f"{page}?{urlencode(kept)}" if kept else page, named


def referring_page(text: str, *, path: Sequence[str | int] = ("referrer",)) -> str:
    """Return where a visitor came from, without what others' sites keep in their parameters.

    Raises:
        Invalid: if it is not the address of a web page.
    """
    return _page(_parts(text, path))


def host_of(address: str) -> str:
    """Return the host of an address that is kept."""
    return urlsplit(address).hostname or ""


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
    return f"{parts.scheme}://{_host(parts)}{port}"


def _page(parts: SplitResult) -> str:
    port = f":{parts.port}" if parts.port not in _DEFAULT_PORTS else ""
    return f"https://{_host(parts)}{port}{_path(parts.path)}"


def _host(parts: SplitResult) -> str:
    """Return a host as browsers write it: letters of other alphabets as `xn--`."""
    host = parts.hostname or ""
    if ":" in host:
        return f"[{host}]"
    return host if host.isascii() else ".".join(_label(label) for label in host.split("."))


def _label(label: str) -> str:
    label = normalize("NFKC", label).lower()
    return label if label.isascii() else f"xn--{label.encode('punycode').decode()}"


def _path(path: str) -> str:
    """Return a path in the one form it has, whoever escaped what of it."""
    if not _PLAIN_PATH.fullmatch(path):
        path = _ESCAPE.sub(_escape, quote(path, safe=_IN_A_PATH))
    return without_private_parts(path).rstrip("/") or "/"


def _escape(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if character in _UNRESERVED else found[0].upper()


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


def _goes(name: str, value: str) -> bool:
    """Say whether a parameter only tracks a click, or tells of a person."""
    name = name.lower()
    tracks = name in _CLICKS or name.startswith(_CLICK_PREFIXES)
    return tracks or is_private_parameter(name) or is_private(value)
