"""What may be said of a touch: by an integration's row, a line of a file or a web page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeAlias
from uuid import UUID

from domain.errors import DomainError, Invalid, Refusals
from domain.filters import FieldType, FilterField, FilterFields
from domain.lead_details import CLOCK_TOLERANCE, external_id, past
from domain.lead_intake.keys import kept_key
from domain.leads import Agency, ExternalId, LeadKey
from domain.page_secrets import is_private
from domain.touch_intake.channels import Clues, channel_of, click_of
from domain.touches import Channel, TouchKind
from domain.values import limited_text, told_instant
from domain.web_addresses import page_address, page_and_parameters, referring_page

# What tells a campaign: its id, or its code; and a content asset: its id, or its address.
CampaignKey: TypeAlias = UUID | str
AssetKey: TypeAlias = UUID | str

# What addresses of pages say, as `page_and_parameters` tells it.
Pages: TypeAlias = dict[str, tuple[str, Mapping[str, str]]]

# The name under which pages' own event ids are kept, and which nobody else may use.
BEACON = "beacon"

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)


class WhoseTouch(Invalid):
    """A touch of nobody, or of two."""

    code = "TOUCH_SUBJECT"


class BadVisitor(Invalid):
    """What is no visitor's token."""

    code = "BAD_VISITOR"


class TouchInFuture(Invalid):
    """A touch that has not been yet, by our clock."""

    code = "TOUCH_IN_FUTURE"

    def __init__(self, now: datetime) -> None:
        ahead = int(CLOCK_TOLERANCE.total_seconds()) // 60
        super().__init__(
            f"This lies in the future: our clock says {told_instant(now)}, and another may be "
            f"at most {ahead} minutes ahead of it.",
            path=("occurredAt",),
        )


def _field(name: str, attribute: str, type: FieldType, description: str) -> FilterField:
    kind = "Lead" if type is FieldType.ID else None
    return FilterField(
        name=name, attribute=attribute, type=type, description=description, kind=kind
    )


# What visitors can be filtered by.
VISITOR_FIELDS = FilterFields(
    "visitor",
    (
        _field("token", "token", FieldType.TEXT, "The random id that its pages send."),
        _field("leadId", "lead_id", FieldType.ID, "Whose browser it is."),
        _field("firstSeenAt", "first_seen_at", FieldType.INSTANT, "When it was first seen."),
        _field("claimedEmail", "claimed_email", FieldType.TEXT, "Whom a page says it is."),
        _field("claimedAt", "claimed_at", FieldType.INSTANT, "When the page said so."),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Utm:
    """The five parameters by which links say which effort they belong to."""

    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    content: str | None = None
    term: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchDetails:
    """What somebody says of a touch.

    It is a lead's or a visitor's.  A form may name both: by it a visitor says who he is.
    """

    kind: TouchKind
    lead: LeadKey | None = None
    visitor: str | None = None
    agency: Agency = Agency.HUMAN
    channel: Channel | None = None
    occurred_at: datetime | None = None
    campaign: CampaignKey | None = None
    asset: AssetKey | None = None
    utm: Utm = Utm()
    url: str | None = None
    referrer: str | None = None
    external: ExternalId | None = None


def checked(
    details: TouchDetails, *, now: datetime, own: bool = False, pages: Pages | None = None
) -> TouchDetails:
    """Return details as they are kept, with the channel and what the address says of the campaign.

    `own` touches come from our own script, whose event ids are told apart by a name of ours.
    `pages` remembers what the addresses of one request say, as many touches are of one page.

    Raises:
        Invalid: if something in them cannot be right.
        Refusals: if several things cannot.
    """
    kept: dict[str, Any] = {}
    refusals: list[DomainError] = []
    parameters: Mapping[str, str] = _NO_PARAMETERS
    try:
        _check_subject(details)
    except WhoseTouch as refusal:
        refusals.append(refusal)
    for name, check in (_OWN_CHECKS if own else _CHECKS).items():
        said = getattr(details, name)
        if said is not None:
            try:
                kept[name] = check(said, now)
            except Invalid as refusal:
                refusals.append(refusal)
    try:
        if details.url:
            kept["url"], parameters = _page(details.url, {} if pages is None else pages)
    except Invalid as refusal:
        refusals.append(refusal)
    if refusals:
        raise refusals[0] if len(refusals) == 1 else Refusals(refusals)
    return _completed(details, kept, parameters)


def checked_token(token: str) -> str:
    """Return a visitor's token.

    Raises:
        BadVisitor: if it is not one.
    """
    return _visitor(token)


def _page(url: str, pages: Pages) -> tuple[str, Mapping[str, str]]:
    if url not in pages:
        pages[url] = page_and_parameters(url)
    return pages[url]


def _completed(
    details: TouchDetails, kept: dict[str, Any], parameters: Mapping[str, str]
) -> TouchDetails:
    """Return details as they are kept, with what follows from them."""
    utm: Utm = kept["utm"]
    if parameters:
        utm = kept["utm"] = _filled(utm, parameters)
    if details.channel is None:
        clues = Clues(
            source=utm.source,
            medium=utm.medium,
            click=click_of(parameters),
            referrer=kept.get("referrer"),
            url=kept.get("url"),
        )
        kept["channel"] = channel_of(details.kind, clues)
    if details.url == "":
        kept["url"] = None
    return replace(details, **kept)


def _filled(utm: Utm, parameters: Mapping[str, str]) -> Utm:
    """Return the UTM values that were said, or else those of the address, cut where they are long.

    What looks like a person there is a mailer's mistake, and is not kept.
    """
    found = {
        name: text[:200].replace("\x00", "").strip()
        for name, parameter in _UTM_PARAMETERS
        if (text := parameters.get(parameter, "").strip()) and getattr(utm, name) is None
    }
    if not found:
        return utm
    known = {name: text for name in _UTM if (text := getattr(utm, name)) is not None}
    return Utm(**known, **_nobodys(found))


def _nobodys(values: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in values.items() if text and not is_private(text)}


def _check_subject(details: TouchDetails) -> None:
    if details.lead is None and details.visitor is None:
        raise WhoseTouch("A touch is a lead's or a visitor's: say whose.", path=("lead",))
    both = details.lead is not None and details.visitor is not None
    if both and details.kind is not TouchKind.FORM:
        raise WhoseTouch(
            "A touch is a lead's or a visitor's; only a form says that they are the same.",
            path=("visitor",),
        )


def _visitor(token: str) -> str:
    if not _TOKEN.fullmatch(token):
        raise BadVisitor(
            "A visitor's token has 16 to 64 letters, digits, hyphens and underscores.",
            path=("visitor",),
        )
    return token


def _occurred(at: datetime, now: datetime) -> datetime:
    if at > now + CLOCK_TOLERANCE:
        raise TouchInFuture(now)
    return past(at, now, path=("occurredAt",))


def _campaign(key: CampaignKey) -> CampaignKey:
    if isinstance(key, UUID):
        return key
    return limited_text(key.strip(), name="The campaign's code", path=("campaign", "code"))


def _asset(key: AssetKey) -> AssetKey:
    return key if isinstance(key, UUID) else page_address(key, path=("asset", "url"))


def _utm(utm: Utm) -> Utm:
    """Return UTM values without blanks, nor what looks like a person."""
    if utm == _NO_UTM:
        return utm
    said = {name: text.strip() for name in _UTM if (text := getattr(utm, name)) is not None}
    for name, text in said.items():
        limited_text(text, name=f"utm_{name}", path=("utm", name))
    return Utm(**_nobodys(said))


def _external(name: ExternalId) -> ExternalId:
    kept = external_id(name, path=("externalId",))
    if kept.source == BEACON:
        raise Invalid(f"{BEACON!r} is a name of ours; take another.", path=("externalId", "source"))
    return kept


def external_id_of_beacon(name: ExternalId) -> ExternalId:
    """Return the name of a page's own event."""
    return external_id(name, path=("externalId",))


Check: TypeAlias = Callable[[Any, datetime], Any]

_UTM = tuple(each.name for each in fields(Utm))
_UTM_PARAMETERS = tuple((name, f"utm_{name}") for name in _UTM)
_NO_UTM = Utm()
_NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})
_CHECKS: Mapping[str, Check] = {
    "lead": lambda key, _: kept_key(key, path=("lead",)),
    "visitor": lambda token, _: _visitor(token),
    "occurred_at": _occurred,
    "campaign": lambda key, _: _campaign(key),
    "asset": lambda key, _: _asset(key),
    "utm": lambda utm, _: _utm(utm),
    "referrer": lambda address, _: referring_page(address),
    "external": lambda name, _: _external(name),
}
_OWN_CHECKS: Mapping[str, Check] = {
    **_CHECKS,
    "external": lambda name, _: external_id_of_beacon(name),
}
