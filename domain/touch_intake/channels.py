"""By which road a buyer came, where nobody says: the standard default channel grouping.

The first rule that fits decides; docs/touches.md has them as a table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from domain.touches import Channel, TouchKind
from domain.web_addresses import host_of

_SEARCH = frozenset(
    {
        *("google", "bing", "duckduckgo", "yahoo", "ecosia", "baidu", "yandex", "startpage"),
        *("qwant", "ask", "aol", "naver", "seznam", "search"),
    }
)
_SOCIAL = frozenset(
    {
        *("facebook", "fb", "instagram", "linkedin", "lnkd", "twitter", "x", "youtube", "tiktok"),
        *("pinterest", "reddit", "xing", "threads", "bsky", "mastodon", "quora", "snapchat", "vk"),
    }
)
_SHORT_HOSTS = {"t.co": "twitter", "youtu.be": "youtube", "lnkd.in": "linkedin", "x.com": "x"}
_WEB_MAIL = frozenset({"mail", "outlook", "webmail"})
_PAID = re.compile(r".*cp.*|ppc|retargeting|paid.*")
_DISPLAY = frozenset({"display", "banner", "expandable", "interstitial", "cpm"})
_EMAIL = frozenset({"email", "e-mail", "e_mail", "e mail", "newsletter"})
_SOCIAL_MEDIA = frozenset(
    {"social", "social-network", "social-media", "sm", "social network", "social media"}
)
_NO_ROAD = frozenset({"", "(none)", "(not set)"})

# Touches whose kind says by which road they came, whatever else is known of them.
_BY_KIND: Mapping[TouchKind, Channel] = {
    TouchKind.EMAIL_OPEN: Channel.EMAIL,
    TouchKind.EMAIL_CLICK: Channel.EMAIL,
    TouchKind.EVENT: Channel.EVENT,
    TouchKind.WEBINAR: Channel.EVENT,
    TouchKind.CALL: Channel.OFFLINE,
    TouchKind.MEETING: Channel.OFFLINE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clues:
    """What tells a channel: the UTM source and medium, an advertiser's click id, the page before.

    Addresses are in the form in which they are kept.
    """

    source: str | None = None
    medium: str | None = None
    click: Channel | None = None
    referrer: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class _Road:
    """Clues, made comparable."""

    kind: TouchKind
    source: str
    medium: str
    click: Channel | None
    host: str

    @property
    def paid(self) -> bool:
        unsaid = self.kind is TouchKind.AD_CLICK and not self.medium
        return unsaid or self.click is not None or bool(_PAID.fullmatch(self.medium))

    def is_from(self, sites: frozenset[str]) -> bool:
        return _is_one_of(self.source or self.host, sites)


_Rule: TypeAlias = tuple[Callable[[_Road], bool], Channel]
_RULES: Sequence[_Rule] = (
    (lambda road: road.paid and road.is_from(_SEARCH), Channel.PAID_SEARCH),
    (lambda road: road.paid and road.is_from(_SOCIAL), Channel.PAID_SOCIAL),
    (lambda road: road.click is Channel.PAID_SEARCH, Channel.PAID_SEARCH),
    (lambda road: road.click is Channel.PAID_SOCIAL, Channel.PAID_SOCIAL),
    (lambda road: road.medium in _DISPLAY, Channel.DISPLAY),
    (lambda road: road.kind is TouchKind.AD_CLICK, Channel.DISPLAY),
    (lambda road: road.paid, Channel.OTHER),
    (lambda road: road.medium in _EMAIL or road.source in _EMAIL, Channel.EMAIL),
    (lambda road: road.medium in _SOCIAL_MEDIA, Channel.SOCIAL),
    (lambda road: road.medium in {"organic", "search"}, Channel.ORGANIC_SEARCH),
    (lambda road: road.medium in {"affiliate", "affiliates", "partner"}, Channel.PARTNER),
    (lambda road: road.medium in {"referral", "app", "link"}, Channel.REFERRAL),
    (lambda road: road.medium in {"event", "fair", "webinar"}, Channel.EVENT),
    (lambda road: road.medium in {"offline", "print", "qr", "post"}, Channel.OFFLINE),
    (lambda road: road.is_from(_SOCIAL), Channel.SOCIAL),
    (lambda road: not road.source and _is_web_mail(road.host), Channel.EMAIL),
    (lambda road: road.is_from(_SEARCH), Channel.ORGANIC_SEARCH),
    (lambda road: road.source == "(direct)" and road.medium in _NO_ROAD, Channel.DIRECT),
    (lambda road: bool(road.source) or road.medium not in _NO_ROAD, Channel.OTHER),
    (lambda road: bool(road.host), Channel.REFERRAL),
)


def channel_of(kind: TouchKind, clues: Clues) -> Channel:
    """Return by which road a buyer came.  A page that leads to another of its site is no road."""
    if kind in _BY_KIND:
        return _BY_KIND[kind]
    road = _Road(
        kind,
        (clues.source or "").strip().lower(),
        (clues.medium or "").strip().lower(),
        clues.click,
        _foreign_host(clues),
    )
    return next((channel for fits, channel in _RULES if fits(road)), Channel.DIRECT)


def click_of(parameters: Mapping[str, str]) -> Channel | None:
    """Return what an advertiser's click id says.  (`fbclid` says nothing: every link has it.)"""
    if not parameters.keys().isdisjoint({"gclid", "gbraid", "wbraid", "msclkid", "yclid"}):
        return Channel.PAID_SEARCH
    if not parameters.keys().isdisjoint({"ttclid", "twclid", "li_fat_id"}):
        return Channel.PAID_SOCIAL
    return None


def _foreign_host(clues: Clues) -> str:
    host = host_of(clues.referrer) if clues.referrer else ""
    own = host_of(clues.url) if clues.url else ""
    return "" if _bare(host) == _bare(own) else host


def _bare(host: str) -> str:
    return host.removeprefix("www.")


def _is_one_of(name: str, sites: frozenset[str]) -> bool:
    """Say whether a UTM source or a host is one of some sites: `google`, `www.google.co.uk`."""
    bare = _bare(name)
    if bare in sites:
        return True
    named = _SHORT_HOSTS.get(bare, "")
    # A single letter is a whole source or host, never a part of one: x.com, and not x.acme.example.
    parts = {part for part in bare.split(".") if len(part) > 1}
    return named in sites or not parts.isdisjoint(sites)


def _is_web_mail(host: str) -> bool:
    return host.split(".", maxsplit=1)[0] in _WEB_MAIL
