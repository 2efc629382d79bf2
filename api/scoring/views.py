"""What is public of scoring."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry

import api.scoring.enums  # noqa: F401  # declares the words used here
from api.context import Info
from api.leads import LeadView
from api.types import Json
from api.views import related, shown, view
from domain.filters import describe, parsed
from domain.grades import Grade
from domain.identity import User
from domain.leads import LEAD_FIELDS
from domain.scoring import (
    SCORED_TOUCH_FIELDS,
    EngagementGroup,
    EngagementRule,
    FitGroup,
    FitRule,
    GradeShare,
    Grading,
    PreviewedLead,
    ScoredGroup,
    ScoredRule,
    ScorePart,
    ScoringModel,
    ScoringModelStatus,
    ScoringPreview,
    ScoringTerms,
    waiting_for,
)
from domain.scoring.proposing import MOST_SHOWN
from domain.scoring.terms import MOST_GROUPS, MOST_RULES_OF_GROUP


@view(FitRule, description="Points for a lead that matches; they may be taken away, too.")
class FitRuleView:
    name: str = shown("What to call it.")
    criterion: Json = shown("Which leads match, in the form of LeadFilter.")
    points: int = shown("How many points.")

    @strawberry.field(description="The criterion as a clause of a sentence.")
    def criterion_text(rule: strawberry.Parent[Any]) -> str:
        return describe(parsed(rule.criterion, LEAD_FIELDS))


@view(FitGroup, description="Rules about one thing, which together give so many points at most.")
class FitGroupView:
    name: str = shown("What to call it.")
    cap: int = shown("How many points the rules give (or take) together at most.")
    rules: list[FitRuleView] = shown("The rules.", metadata={"most": MOST_RULES_OF_GROUP})


@view(EngagementRule, description="Points for each touch that matches.")
class EngagementRuleView:
    name: str = shown("What to call it.")
    criterion: Json = shown("Which touches match, in the form of ScoredTouchFilter.")
    points: int = shown("How many points, on the instant of the touch.")
    half_life_days: int | None = shown(
        "After how many days half is left; null where the group's counts."
    )

    @strawberry.field(description="The criterion as a clause of a sentence.")
    def criterion_text(rule: strawberry.Parent[Any]) -> str:
        return describe(parsed(rule.criterion, SCORED_TOUCH_FIELDS))


@view(EngagementGroup, description="One type of touches.")
class EngagementGroupView:
    name: str = shown("What to call it.")
    cap: int = shown("How many points these touches are worth together at most.")
    half_life_days: int = shown("After how many days half of a touch's points are left.")
    rules: list[EngagementRuleView] = shown("The rules.", metadata={"most": MOST_RULES_OF_GROUP})


@view(
    ScoringTerms,
    description="How leads are scored.  A touch counts by the first rule it matches, and once.",
)
class ScoringTermsView:
    fit: list[FitGroupView] = shown(
        "How well a lead fits; this never fades.", metadata={"most": MOST_GROUPS}
    )
    engagement: list[EngagementGroupView] = shown(
        "How much a lead does; this fades.", metadata={"most": MOST_GROUPS}
    )
    engagement_cap: int = shown("How many points engagement gives in all at most.")
    fit_for_a: int = shown("From how many points of fit on a lead is an A.")
    fit_for_b: int = shown("From how many points of fit on a lead is a B; else it is a C.")
    engagement_for_1: int = shown("From how many points of engagement on a lead is a 1.")
    engagement_for_2: int = shown(
        "From how many points of engagement on a lead is a 2; else it is a 3."
    )


@view(ScoringModel, description="One version of how leads are scored.")
class ScoringModelView:
    number: int = shown("Which version, from 1.")
    name: str = shown("What people call it.")
    terms: ScoringTermsView = shown("How leads are scored.")
    status: ScoringModelStatus = shown("Whether leads are scored by it.")
    proposed_at: datetime = shown("When it was proposed.")
    activated_at: datetime | None = shown("When leads began to be scored by it.")
    ceased_at: datetime | None = shown("When a newer one took its place.")
    is_scoring: bool = shown("Whether some leads may still have the grade of the model before.")
    scored: int = shown("How many leads have been scored anew since it was activated.")
    proposed_by = related(
        "api.identity.UserView", User, by="proposed_by", description="Who proposed it."
    )
    activated_by = related(
        "api.identity.UserView", User, by="activated_by", description="Who activated it."
    )

    @strawberry.field(description="How many leads still wait to be scored anew by it.")
    async def waiting(model: strawberry.Parent[Any], info: Info) -> int:
        after = model.scoring_after
        number: int = await info.context.load_with("ScoringModel.waiting", waiting_for, after)
        return number


@view(ScoredRule, description="What one rule gives at an instant, before caps.")
class ScoredRuleView:
    name: str = shown("What the rule is called.")
    points: Decimal = shown("What it gives now; 0 where it does not hold.")
    touches: int | None = shown("How many touches count by it; null for fit.")
    half_life_days: int | None = shown("After how many days half is left; null for fit.")


@view(ScoredGroup, description="What the rules of a group give together.")
class ScoredGroupView:
    part: ScorePart = shown("Which part of the grade it makes.")
    name: str = shown("What the group is called.")
    cap: int = shown("What it gives at most.")
    points: Decimal = shown("What its rules give, before the cap.")
    counted: Decimal = shown("What counts of it.")
    capped: bool = shown("Whether the cap took something away.")
    rules: list[ScoredRuleView] = shown("Its rules.", metadata={"most": MOST_RULES_OF_GROUP})


@view(Grading, name="Grading", description="How a lead is graded at an instant, and why.")
class GradingView:
    fit: int = shown("How well it fits, in points.")
    engagement: int = shown("How much it does, in points, rounded down.")
    engagement_points: Decimal = shown(
        "What the groups of engagement count together, before the model's own cap."
    )
    engagement_cap: int = shown("The most that engagement gives in all.")
    grade: Grade = shown("Both in one word.")
    as_of: datetime = shown("The instant for which this was reckoned.")
    next_change_at: datetime | None = shown(
        "When engagement will have faded enough to show, if nothing happens; null if never."
    )
    explanation: list[ScoredGroupView] = shown(
        "Which rules gave what, group by group.", metadata={"most": MOST_GROUPS}
    )
    model = related(
        ScoringModelView,
        ScoringModel,
        by="model_id",
        description="The model it was graded by.",
        required=True,
    )


@view(GradeShare, name="GradeCount", description="How many leads of a sample have a grade.")
class GradeCountView:
    grade: Grade = shown("The grade.")
    now: int = shown("How many have it now.")
    then: int = shown("How many would have it by the model.")


@view(PreviewedLead, description="A lead whose grade a model would change.")
class PreviewedLeadView:
    lead: LeadView = shown("The lead.")
    now: Grade | None = shown("Its grade now; null if it has none.")
    then: GradingView = shown("How it would be graded.")


@view(ScoringPreview, description="What a model would make of the leads that came in last.")
class ScoringPreviewView:
    model: ScoringModelView = shown("The model.")
    as_of: datetime = shown("The instant for which this was reckoned.")
    sampled: int = shown("How many leads were looked at.")
    changed: int = shown("How many of them would have another grade.")
    grades: list[GradeCountView] = shown(
        "How many have each grade, and would have.", metadata={"most": len(Grade)}
    )
    leads: list[PreviewedLeadView] = shown(
        "The first of those that would change, the newest first.", metadata={"most": MOST_SHOWN}
    )


__all__ = ["GradingView", "ScoringModelView", "ScoringPreviewView", "ScoringTermsView"]
