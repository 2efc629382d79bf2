"""The rows behind each number: they add up to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from uuid import UUID

from domain.attribution.performance.terms import Key, PerformanceMeasure, Scope
from domain.exchange import MissingRate
from domain.paging import PageRequest
from domain.ports import Question
from domain.values import Money

_FORMULAS: Mapping[PerformanceMeasure, str] = {
    PerformanceMeasure.COST: "the sum of the costs, or of their parts, dated in the period",
    PerformanceMeasure.TOUCHES: "the number of human touches",
    PerformanceMeasure.LEADS: "the number of leads",
    PerformanceMeasure.MQLS: "the number of leads that first came to MQL, or beyond it",
    PerformanceMeasure.ACCEPTED: "the number of leads that first came to SAL, or beyond it",
    PerformanceMeasure.SQLS: "the number of leads that first came to SQL, or beyond it",
    PerformanceMeasure.PIPELINE: "the sum of what the model credits here of the open deals",
    PerformanceMeasure.WON: "the sum of what the model credits here of the deals won",
    PerformanceMeasure.INFLUENCED: "the sum of the deals won after any human touch from here",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One number of a row, by the row's key."""

    scope: Scope
    measure: PerformanceMeasure
    key: Key

    @property
    def formula(self) -> str:
        return _FORMULAS[self.measure]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRow:
    """One row behind a number: a lead, a touch, a cost, or a deal with its credited share.

    `amount_minor` is what it adds to a sum of money, in the scope's currency.
    """

    measure: PerformanceMeasure
    currency: str
    lead_id: UUID | None = None
    touch_id: UUID | None = None
    cost_id: UUID | None = None
    opportunity_id: UUID | None = None
    credited_share: Decimal | None = None
    amount_minor: int | None = None

    @property
    def id(self) -> UUID:
        """What tells it from all others behind its number: which rows it is made of."""
        parts = (self.lead_id, self.touch_id, self.cost_id, self.opportunity_id)
        text = " ".join((self.measure, *(str(part) for part in parts)))
        return UUID(bytes=sha256(text.encode()).digest()[:16])

    @property
    def amount(self) -> Money | None:
        return None if self.amount_minor is None else Money(self.amount_minor, self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceCount(Question[int]):
    """How many rows there are behind a number."""

    number: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePage:
    """Some of the rows behind a number; `missing` is a rate there is not."""

    nodes: Sequence[EvidenceRow]
    cursors: Sequence[str]
    has_next_page: bool
    has_previous_page: bool
    counting: EvidenceCount
    missing: MissingRate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceOf(Question[EvidencePage]):
    """A page of the rows behind a number."""

    number: Number
    page: PageRequest
