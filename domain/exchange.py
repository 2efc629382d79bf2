"""What other currencies are worth in the tenant's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRate:
    """How much of the tenant's currency one unit of another buys, from a day on."""

    id: UUID
    currency: str
    to_currency: str
    starts_on: date
    rate: Decimal
    recorded_at: datetime
    recorded_by: UUID | None = None
    version: int = 1
