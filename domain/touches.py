"""Touches: each time a buyer met us, known by name or not yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.leads import Agency


class TouchKind(StrEnum):
    """In what way the buyer met us."""

    PAGE_VIEW = "PAGE_VIEW"
    FORM = "FORM"
    DOWNLOAD = "DOWNLOAD"
    EMAIL_OPEN = "EMAIL_OPEN"
    EMAIL_CLICK = "EMAIL_CLICK"
    EVENT = "EVENT"
    WEBINAR = "WEBINAR"
    AD_CLICK = "AD_CLICK"
    CALL = "CALL"
    MEETING = "MEETING"
    CHAT = "CHAT"


class Channel(StrEnum):
    """By which road the buyer came; DIRECT is by no road that we know of."""

    DIRECT = "DIRECT"
    ORGANIC_SEARCH = "ORGANIC_SEARCH"
    PAID_SEARCH = "PAID_SEARCH"
    SOCIAL = "SOCIAL"
    PAID_SOCIAL = "PAID_SOCIAL"
    DISPLAY = "DISPLAY"
    EMAIL = "EMAIL"
    REFERRAL = "REFERRAL"
    PARTNER = "PARTNER"
    EVENT = "EVENT"
    OFFLINE = "OFFLINE"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A browser whose user we may not know yet.  `token` is the random id that its pages send.

    What a page says of its user is a claim that anybody could have made.  It is kept beside, and
    makes the visitor nobody's until somebody who may edit leads confirms it.
    """

    id: UUID
    token: str
    first_seen_at: datetime
    lead_id: UUID | None = None
    identified_at: datetime | None = None
    claimed_email: str | None = None
    claimed_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """One meeting of a buyer with us.

    It belongs to a visitor, a lead, or both: at identification a visitor's touches become the
    lead's.  `external_source` and `external_value` are another system's name for it, by which it
    is never taken twice.  A touch is reduced when it was kept long enough and a figure rests on it:
    from `reduced_at` on nothing is left but in what way it was, when, by which road and for what.
    """

    id: UUID
    kind: TouchKind
    channel: Channel
    agency: Agency
    occurred_at: datetime
    recorded_at: datetime
    lead_id: UUID | None = None
    visitor_id: UUID | None = None
    campaign_id: UUID | None = None
    asset_id: UUID | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_content: str | None = None
    utm_term: str | None = None
    url: str | None = None
    referrer: str | None = None
    external_source: str | None = None
    external_value: str | None = None
    reduced_at: datetime | None = None
    version: int = 1
