"""What may be said of a touch: by an integration's row, a line of a file or a web page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from domain.errors import DomainError, Invalid, Refusals
from domain.filters import FieldType, FilterField, FilterFields
from domain.lead_details import external_id, past
from domain.leads import Agency, ExternalId, LeadKey
from domain.touch_intake.channels import Clues, channel_of, click_of
from domain.touches import Channel, TouchKind
from domain.values import limited_text
from domain.web_addresses import page_address, parameters_of, referring_page

# What tells a campaign: its id, or its code; and a content asset: its id, or its address.
CampaignKey: TypeAlias = UUID | str
AssetKey: TypeAlias = UUID | str

# The name under which pages' own event ids are kept, and which nobody else may use.
BEACON = "beacon"

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)


class WhoseTouch(Invalid):
    """A touch of nobody, or of two."""

    code = "TOUCH_SUBJECT"


class BadVisitor(Invalid):
    """What is no visitor's token."""

    code = "BAD_VISITOR"


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


def checked(details: TouchDetails, *, now: datetime, own: bool = False) -> TouchDetails:
    """Return details as they are kept, with the channel and what the address says of the campaign.

    `own` touches come from our own script, whose event ids are told apart by a name of ours.

    Raises:
        Invalid: if something in them cannot be right.
        Refusals: if several things cannot.
    """
    checks: Mapping[str, Any] = {
        "visitor": _visitor,
        "occurred_at": lambda at: past(at, now, path=("occurredAt",)),
        "campaign": _campaign,
        "asset": _asset,
        "utm": _utm,
        "referrer": referring_page,
        "external": external_id_of_beacon if own else _external,
    }
    kept: dict[str, Any] = {}
    parameters: Mapping[str, str] = {}
    refusals: list[DomainError] = []
    try:
        _check_subject(details)
    except WhoseTouch as refusal:
        refusals.append(refusal)
    for name, check in checks.items():
        try:
            said = getattr(details, name)
            kept[name] = None if said is None else check(said)
        except Invalid as refusal:
            refusals.append(refusal)
    try:
        kept["url"] = page_address(details.url) if details.url else None
        parameters = parameters_of(details.url) if details.url else {}
    except Invalid as refusal:
        refusals.append(refusal)
    if refusals:
        raise refusals[0] if len(refusals) == 1 else Refusals(refusals)
    return _completed(replace(details, **kept), parameters)


def checked_token(token: str) -> str:
    """Return a visitor's token.

    Raises:
        BadVisitor: if it is not one.
    """
    return _visitor(token)


def _completed(details: TouchDetails, parameters: Mapping[str, str]) -> TouchDetails:
    """Return details with what follows from them."""
    utm = _utm(_filled(details.utm, parameters), cut=True)
    clues = Clues(
        source=utm.source,
        medium=utm.medium,
        click=click_of(parameters),
        referrer=details.referrer,
        url=details.url,
    )
    channel = details.channel or channel_of(details.kind, clues)
    return replace(details, utm=utm, channel=channel)


def _filled(utm: Utm, parameters: Mapping[str, str]) -> Utm:
    """Return the UTM values that were said, or else those of the address."""
    said = {each.name: getattr(utm, each.name) for each in fields(Utm)}
    return Utm(**{name: value or parameters.get(f"utm_{name}") for name, value in said.items()})


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


def _campaign(key: CampaignKey) -> CampaignKey:
    if isinstance(key, UUID):
        return key
    return limited_text(key.strip(), name="The campaign's code", path=("campaign", "code"))


def _asset(key: AssetKey) -> AssetKey:
    return key if isinstance(key, UUID) else page_address(key, path=("asset", "url"))


def _utm(utm: Utm, *, cut: bool = False) -> Utm:
    """Return UTM values without blanks.  What an address says of them is cut where it is long."""
    kept: dict[str, str | None] = {}
    for each in fields(Utm):
        text = (getattr(utm, each.name) or "").strip()
        path = ("utm", each.name)
        text = text[:200].replace("\x00", "") if cut else text
        kept[each.name] = limited_text(text, name=f"utm_{each.name}", path=path) or None
    return Utm(**kept)


def _external(name: ExternalId) -> ExternalId:
    kept = external_id(name, path=("external",))
    if kept.source == BEACON:
        raise Invalid(f"{BEACON!r} is a name of ours; take another.", path=("external", "source"))
    return kept


def external_id_of_beacon(name: ExternalId) -> ExternalId:
    """Return the name of a page's own event."""
    return external_id(name, path=("external",))
