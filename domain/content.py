"""Content assets: what marketing made for the buyer to read, hear or see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class AssetKind(StrEnum):
    """What form a content asset has."""

    PAGE = "PAGE"
    ARTICLE = "ARTICLE"
    WHITEPAPER = "WHITEPAPER"
    CASE_STUDY = "CASE_STUDY"
    VIDEO = "VIDEO"
    WEBINAR = "WEBINAR"
    TOOL = "TOOL"
    EMAIL = "EMAIL"
    OTHER = "OTHER"


class JourneyStage(StrEnum):
    """How far on the buyer's way an asset helps."""

    AWARENESS = "AWARENESS"
    CONSIDERATION = "CONSIDERATION"
    DECISION = "DECISION"
    RETENTION = "RETENTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentAsset:
    """Something to read, hear or see.  `url` is how touches of web pages find it.

    `matching_after` is how far, by id, it has looked for touches of before it had that address, and
    `matching_started_at` when it got it; None once it has seen all.
    """

    id: UUID
    title: str
    kind: AssetKind
    created_at: datetime
    created_by: UUID | None = None
    url: str | None = None
    topic: str | None = None
    journey_stage: JourneyStage | None = None
    persona_id: UUID | None = None
    archived_at: datetime | None = None
    matching_after: UUID | None = None
    matching_started_at: datetime | None = None
    version: int = 1
