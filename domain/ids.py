"""Typed ids: UUIDv7 inside, readable and globally unique outside (`lead_0192…`)."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from uuid import UUID

from domain.errors import Invalid

_last = 0


def new_id() -> UUID:
    """Return a fresh UUIDv7 (RFC 9562), later than any this process made before.

    48 bits of milliseconds, 12 bits of their fraction (method 3 of section 6.2), then chance.
    """
    global _last  # noqa: PLW0603  # the one place that must remember
    millis, nanos = divmod(time.time_ns(), 1_000_000)
    _last = max(_last + 1, millis << 12 | nanos * 4096 // 1_000_000)
    return UUID(
        int=(_last >> 12 & 0xFFFF_FFFF_FFFF) << 80
        | 0x7 << 76
        | (_last & 0xFFF) << 64
        | 0b10 << 62
        | int.from_bytes(os.urandom(8)) & 0x3FFF_FFFF_FFFF_FFFF
    )


# What stands before the underscore of a public id, by kind.  Kinds are entity class names.
PREFIXES = {
    "Tenant": "tenant",
    "User": "user",
    "Invitation": "invitation",
    "Team": "team",
    "TeamMember": "teammember",
    "ApiKey": "apikey",
    "Session": "session",
    "Calendar": "calendar",
    "CalendarVersion": "calversion",
    "StageDefinition": "definition",
    "StageEntry": "stageentry",
    "Persona": "persona",
    "PersonaVersion": "personaversion",
    "PersonaAcknowledgement": "personaack",
    "Photo": "photo",
    "Company": "company",
    "Lead": "lead",
    "LeadMerge": "merge",
    "DuplicateCandidate": "duplicate",
    "DuplicateRules": "duplicaterules",
    "DuplicateScan": "duplicatescan",
    "Activity": "activity",
    "Consent": "consent",
    "Handoff": "handoff",
    "NextStep": "nextstep",
    "Leak": "leak",
    "EvidenceRow": "evidence",
    "Figures": "figures",
    "LeakLimit": "leaklimit",
    "Thread": "thread",
    "ThreadMessage": "message",
    "Mention": "mention",
    "Rating": "rating",
    "ScoringModel": "scoringmodel",
    "PredictionModel": "predictionmodel",
    "ValueRecalibration": "recalibration",
    "Sla": "sla",
    "Commitment": "commitment",
    "SlaClock": "clock",
    "Goal": "goal",
    "Board": "board",
    "Upload": "upload",
    "ImportJob": "import",
    "ImportRowError": "importerror",
    "AuditEntry": "audit",
    "ContentAsset": "asset",
    "Campaign": "campaign",
    "CampaignCost": "campaigncost",
    "CampaignAsset": "campaignasset",
    "AttributionModel": "model",
    "Visitor": "visitor",
    "TouchRetentionRun": "retentionrun",
    "Touch": "touch",
    "TrackingSite": "site",
    "PipelineStage": "pipelinestage",
    "Opportunity": "opportunity",
    "OpportunityStep": "opportunitystep",
    "Customer": "customer",
    "CustomerStep": "customerstep",
    "RevenueEvent": "revenue",
    "ExchangeRate": "rate",
}
KINDS = {prefix: kind for kind, prefix in PREFIXES.items()}


class WrongId(Invalid):
    """Not an id at all, or the id of another kind of thing."""

    code = "BAD_USER_INPUT"


def public(kind: str, id: UUID) -> str:
    """Return the id that clients see."""
    return f"{PREFIXES[kind]}_{id.hex}"


def parse(text: str) -> tuple[str, UUID]:
    """Return the kind and the id behind a public id.

    Raises:
        WrongId: if it is not one of ours.
    """
    prefix, _, digits = text.rpartition("_")
    kind = KINDS.get(prefix)
    if kind is None or len(digits) != 32 or not set(digits) <= set("0123456789abcdef"):
        raise WrongId(f"{text[:80]!r} is not an id.")
    return kind, UUID(hex=digits)


def expect(kind: str, text: str, *, path: Sequence[str | int] = ()) -> UUID:
    """Return the id behind a public id of one kind.

    Raises:
        WrongId: "expected a lead id, got a user id".
    """
    try:
        found, id = parse(text)
    except WrongId as error:
        raise WrongId(error.message, path=path) from None
    if found != kind:
        raise WrongId(f"expected a {PREFIXES[kind]} id, got a {PREFIXES[found]} id", path=path)
    return id
