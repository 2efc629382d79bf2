"""Scoring models as stored: versions of one tenant's terms, and what each lead got by them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from domain.errors import DomainError
from domain.grades import Grade
from domain.leads import Lead
from domain.scoring.points import (
    Engagement,
    counted_points,
    engagement_at,
    engagement_groups,
    engagement_points,
    fit_groups,
    fit_points,
    grade_of,
    matching_fit,
    next_change,
)
from domain.scoring.terms import EngagementGroup, FitGroup, ScoringTerms


class ScoringModelStatus(StrEnum):
    """Whether leads are scored by a model."""

    PROPOSED = "PROPOSED"
    ACTIVE = "ACTIVE"
    CEASED = "CEASED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringModel:
    """One version of how leads are scored.  Its terms never change: a change is a new version.

    Once it is active, leads are scored anew in the order of their ids: those beyond `scoring_after`
    still wait for it, and `scored` have been.
    """

    id: UUID
    number: int
    name: str
    terms: ScoringTerms
    proposed_at: datetime
    proposed_by: UUID | None = None
    status: ScoringModelStatus = ScoringModelStatus.PROPOSED
    activated_at: datetime | None = None
    activated_by: UUID | None = None
    ceased_at: datetime | None = None
    scoring_after: UUID | None = None
    scored: int = 0
    version: int = 1

    @property
    def is_scoring(self) -> bool:
        """Whether some leads may still have the grade of the model before."""
        return self.scoring_after is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadGrading:
    """What one lead got by a model.

    `matched` are the places of the fit rules that hold; `sums` and `touches` what was touched gave
    by each rule of engagement, as it was worth at `graded_at`.  `changes_at` is when the lead is to
    be looked at next if nothing happens.
    """

    id: UUID
    lead_id: UUID
    model_id: UUID
    fit: int
    engagement: int
    grade: Grade
    matched: tuple[int, ...]
    sums: tuple[Decimal, ...]
    touches: tuple[int, ...]
    graded_at: datetime
    changes_at: datetime | None = None
    version: int = 1


class ScorePart(StrEnum):
    """Which of the two a group of rules is about."""

    FIT = "FIT"
    ENGAGEMENT = "ENGAGEMENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredRule:
    """What one rule gives at an instant, before caps; of a fit rule that does not hold, 0."""

    name: str
    points: Decimal
    touches: int | None = None
    half_life_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredGroup:
    """What the rules of a group give together: `points` before the cap, `counted` after it."""

    part: ScorePart
    name: str
    cap: int
    points: Decimal
    counted: Decimal
    rules: tuple[ScoredRule, ...]

    @property
    def capped(self) -> bool:
        return self.points != self.counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Grading:
    """How a lead is graded at an instant, and why.

    `fit` is what the groups of fit count together, `engagement` what those of engagement do
    (`engagement_points`), at most `engagement_cap`, rounded down.
    """

    lead_id: UUID
    model_id: UUID
    fit: int
    engagement: int
    engagement_points: Decimal
    engagement_cap: int
    grade: Grade
    as_of: datetime
    next_change_at: datetime | None
    explanation: tuple[ScoredGroup, ...]


class ScoringModelNotProposed(DomainError):
    """Only a proposed model is activated; what was in force is proposed again as a new version."""

    code = "SCORING_MODEL_NOT_PROPOSED"

    def __init__(self, model: ScoringModel) -> None:
        super().__init__(
            f"Version {model.number} is {model.status} already; propose it anew.", path=("model",)
        )


def graded(
    model: ScoringModel, lead: Lead, engagement: Engagement, *, id: UUID, version: int = 1
) -> LeadGrading:
    """Return what a lead gets by a model, as of its engagement."""
    matched = matching_fit(model.terms, lead)
    fit = fit_points(model.terms, matched)
    points = engagement_points(model.terms, engagement.sums)
    return LeadGrading(
        id=id,
        lead_id=lead.id,
        model_id=model.id,
        fit=fit,
        engagement=points,
        grade=grade_of(model.terms, fit=fit, engagement=points),
        matched=matched,
        sums=engagement.sums,
        touches=engagement.touches,
        graded_at=engagement.as_of,
        changes_at=next_change(model.terms, engagement),
        version=version,
    )


def engagement_of(grading: LeadGrading) -> Engagement:
    """Return the engagement that a grading keeps."""
    return Engagement(sums=grading.sums, touches=grading.touches, as_of=grading.graded_at)


def is_due(grading: LeadGrading, now: datetime) -> bool:
    """Say whether a lead is to be looked at again: it has touched something, or faded."""
    return grading.changes_at is not None and grading.changes_at <= now


def grading_at(model: ScoringModel, stored: LeadGrading, now: datetime) -> Grading:
    """Return how a lead is graded now, by what is stored; engagement has faded since."""
    engagement = engagement_at(model.terms, engagement_of(stored), now)
    points = engagement_points(model.terms, engagement.sums)
    return Grading(
        lead_id=stored.lead_id,
        model_id=model.id,
        fit=stored.fit,
        engagement=points,
        engagement_points=counted_points(model.terms, engagement.sums),
        engagement_cap=model.terms.engagement_cap,
        grade=grade_of(model.terms, fit=stored.fit, engagement=points),
        as_of=engagement.as_of,
        next_change_at=next_change(model.terms, engagement),
        explanation=(
            *_fit_explained(model.terms, stored.matched),
            *_engagement_explained(model.terms, engagement),
        ),
    )


def _fit_explained(terms: ScoringTerms, matched: tuple[int, ...]) -> list[ScoredGroup]:
    explained, place = [], 0
    for group, (given, counted) in zip(terms.fit, fit_groups(terms, matched), strict=True):
        held = [n + place in matched for n in range(len(group.rules))]
        explained.append(_explained_fit(group, held, given, counted))
        place += len(group.rules)
    return explained


def _explained_fit(group: FitGroup, held: list[bool], given: int, counted: int) -> ScoredGroup:
    return ScoredGroup(
        part=ScorePart.FIT,
        name=group.name,
        cap=group.cap,
        points=Decimal(given),
        counted=Decimal(counted),
        rules=tuple(
            ScoredRule(name=rule.name, points=Decimal(rule.points if holds else 0))
            for rule, holds in zip(group.rules, held, strict=True)
        ),
    )


def _engagement_explained(terms: ScoringTerms, engagement: Engagement) -> list[ScoredGroup]:
    explained, place = [], 0
    groups = engagement_groups(terms, engagement.sums)
    for group, (given, counted) in zip(terms.engagement, groups, strict=True):
        explained.append(_explained_engagement(group, engagement, place, given, counted))
        place += len(group.rules)
    return explained


def _explained_engagement(
    group: EngagementGroup, engagement: Engagement, place: int, given: Decimal, counted: Decimal
) -> ScoredGroup:
    return ScoredGroup(
        part=ScorePart.ENGAGEMENT,
        name=group.name,
        cap=group.cap,
        points=given,
        counted=counted,
        rules=tuple(
            ScoredRule(
                name=rule.name,
                points=engagement.sums[place + n],
                touches=engagement.touches[place + n],
                half_life_days=rule.half_life_days or group.half_life_days,
            )
            for n, rule in enumerate(group.rules)
        ),
    )
