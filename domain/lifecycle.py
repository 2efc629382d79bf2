"""The stages from stranger to fan, and what both teams agreed each of them means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.stages import Side, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class StageDefinition:
    """What a stage means: words both teams agree on and a criterion a machine can check.

    It takes effect at `effective_at`, once both sides have signed; until then the one before it
    stays in force.
    """

    id: UUID
    stage: Stage
    number: int
    words: str
    owner_side: Side
    criterion: Mapping[str, Any]
    effective_at: datetime
    proposed_by: UUID
    proposed_at: datetime
    marketing_signed_by: UUID | None = None
    marketing_signed_at: datetime | None = None
    sales_signed_by: UUID | None = None
    sales_signed_at: datetime | None = None
    version: int = 1

    @property
    def signed_at(self) -> datetime | None:
        """When the second side signed."""
        if self.marketing_signed_at is None or self.sales_signed_at is None:
            return None
        return max(self.marketing_signed_at, self.sales_signed_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEntry:
    """One step of a lead's history: the stage it entered, and the definition it was judged by."""

    id: UUID
    lead_id: UUID
    stage: Stage
    previous: Stage | None
    entered_at: datetime
    recorded_at: datetime
    definition_id: UUID | None = None
    by: UUID | None = None
    reason: str | None = None
