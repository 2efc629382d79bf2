"""What a stage means, since when, and whether a lead is what it says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.filters import (
    All,
    Explanation,
    FieldType,
    Filter,
    FilterField,
    FilterFields,
    describe,
    explain,
    normal_form,
    parsed,
)
from domain.leads import LEAD_FIELDS, Lead
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
    withdrawn_at: datetime | None = None
    version: int = 1

    @property
    def signed_at(self) -> datetime | None:
        """When the second side signed."""
        if self.marketing_signed_at is None or self.sales_signed_at is None:
            return None
        return max(self.marketing_signed_at, self.sales_signed_at)

    @property
    def is_pending(self) -> bool:
        """Whether it waits for a signature."""
        return self.signed_at is None and self.withdrawn_at is None

    @property
    def unsigned_sides(self) -> tuple[Side, ...]:
        """The sides that have not signed."""
        signatures = {Side.MARKETING: self.marketing_signed_at, Side.SALES: self.sales_signed_at}
        return tuple(side for side, signed_at in signatures.items() if signed_at is None)

    @property
    def criterion_text(self) -> str:
        """The criterion as a clause of a sentence."""
        return describe(criterion_of(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class StageMeaning:
    """All there is to say of one stage at an instant.

    `pending` waits for a signature; `upcoming` are signed and take effect later, soonest first.
    """

    stage: Stage
    in_force: StageDefinition | None
    pending: StageDefinition | None
    upcoming: tuple[StageDefinition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """What both teams mean by every stage, in the order of the stages."""

    as_of: datetime
    stages: tuple[StageMeaning, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionReport:
    """Whether a lead meets a criterion, and why or why not in sentences."""

    matched: bool
    sentences: tuple[str, ...]
    criterion_text: str


# What definitions can be filtered by.
DEFINITION_FIELDS = FilterFields(
    "stageDefinition",
    (
        FilterField(
            name="stage",
            attribute="stage",
            type=FieldType.CHOICE,
            choices=Stage,
            ordered=True,
            description="The stage that is defined.",
        ),
        FilterField(
            name="ownerSide",
            attribute="owner_side",
            type=FieldType.CHOICE,
            choices=Side,
            description="The side that owns the stage.",
        ),
        FilterField(
            name="effectiveAt",
            attribute="effective_at",
            type=FieldType.INSTANT,
            description="When it takes effect, once both sides have signed.",
        ),
        FilterField(
            name="proposedAt",
            attribute="proposed_at",
            type=FieldType.INSTANT,
            description="When it was proposed.",
        ),
    ),
)


def criterion_of(definition: StageDefinition) -> Filter:
    """Return a definition's criterion as a filter over leads."""
    return parsed(definition.criterion, LEAD_FIELDS)


def in_force(
    definitions: Iterable[StageDefinition], at: datetime
) -> Mapping[Stage, StageDefinition]:
    """Return for each stage the signed definition that took effect last, up to and with `at`.

    Of two that took effect at the same instant the later version counts.
    """
    agreed = (
        each for each in definitions if each.signed_at is not None and each.effective_at <= at
    )
    return {each.stage: each for each in sorted(agreed, key=_by_effect)}


def meanings(definitions: Sequence[StageDefinition], at: datetime) -> tuple[StageMeaning, ...]:
    """Return what every stage means at an instant, in the order of the stages."""
    current = in_force(definitions, at)
    pending = {each.stage: each for each in definitions if each.is_pending}
    upcoming = [each for each in definitions if each.signed_at and each.effective_at > at]
    upcoming.sort(key=_by_effect)
    return tuple(
        StageMeaning(
            stage=stage,
            in_force=current.get(stage),
            pending=pending.get(stage),
            upcoming=tuple(each for each in upcoming if each.stage is stage),
        )
        for stage in Stage
    )


def report(criterion: Filter, lead: Lead) -> CriterionReport:
    """Say whether a lead meets a criterion, with a sentence for each part that decided it."""
    explanation = explain(criterion, lead)
    return CriterionReport(
        matched=explanation.matched,
        sentences=_sentences(criterion, explanation),
        criterion_text=describe(criterion),
    )


def signed(definition: StageDefinition, side: Side, *, by: UUID, at: datetime) -> StageDefinition:
    """Return a definition with the signature of one side."""
    if side is Side.MARKETING:
        return replace(definition, marketing_signed_by=by, marketing_signed_at=at)
    return replace(definition, sales_signed_by=by, sales_signed_at=at)


def _by_effect(definition: StageDefinition) -> tuple[datetime, int]:
    return definition.effective_at, definition.number


def _sentences(criterion: Filter, explanation: Explanation) -> tuple[str, ...]:
    if not isinstance(normal_form(criterion), All) or not explanation.children:
        return (explanation.sentence,)
    deciding = (part for part in explanation.children if part.matched is explanation.matched)
    return tuple(part.sentence for part in deciding)
