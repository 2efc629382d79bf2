"""How a scoring model is proposed."""

from __future__ import annotations

import strawberry
from strawberry import UNSET

from api.filtering import criterion_json
from api.leads import LeadFilter
from api.scoring.filters import ScoredTouchFilter
from api.views import shown
from domain.scoring import (
    EngagementGroup,
    EngagementRule,
    FitGroup,
    FitRule,
    ScoringTerms,
)


@strawberry.input(description="Points for a lead that matches.")
class FitRuleInput:
    name: str = shown("What to call it; no two of a group alike.")
    criterion: LeadFilter = shown(
        "Which leads match, by who they are: not by stage, owner or grade."
    )
    points: int = shown("How many points, from -1000 to 1000, and not 0.")

    def rule(self) -> FitRule:
        """Return what was said."""
        return FitRule(name=self.name, criterion=criterion_json(self.criterion), points=self.points)


@strawberry.input(description="Rules about one thing.")
class FitGroupInput:
    name: str = shown("What to call it; no two alike.")
    cap: int = shown("How many points the rules give (or take) together at most: 1 to 1000.")
    rules: list[FitRuleInput] = shown("The rules.")

    def group(self) -> FitGroup:
        """Return what was said."""
        rules = tuple(each.rule() for each in self.rules)
        return FitGroup(name=self.name, cap=self.cap, rules=rules)


@strawberry.input(description="Points for each touch that matches.")
class EngagementRuleInput:
    name: str = shown("What to call it; no two of a group alike.")
    criterion: ScoredTouchFilter = shown("Which touches match.")
    points: int = shown("How many points on the instant of the touch: 1 to 1000.")
    half_life_days: int | None = shown(
        "After how many days half is left; the group's, if left out.", default=UNSET
    )

    def rule(self) -> EngagementRule:
        """Return what was said."""
        return EngagementRule(
            name=self.name,
            criterion=criterion_json(self.criterion),
            points=self.points,
            half_life_days=None if self.half_life_days is UNSET else self.half_life_days,
        )


@strawberry.input(description="One type of touches.")
class EngagementGroupInput:
    name: str = shown("What to call it; no two alike.")
    cap: int = shown("How many points these touches are worth together at most: 1 to 1000.")
    half_life_days: int = shown("After how many days half is left: 1 to 3650.")
    rules: list[EngagementRuleInput] = shown(
        "The rules; a touch counts by the first it matches in all of the model."
    )

    def group(self) -> EngagementGroup:
        """Return what was said."""
        return EngagementGroup(
            name=self.name,
            cap=self.cap,
            half_life_days=self.half_life_days,
            rules=tuple(each.rule() for each in self.rules),
        )


@strawberry.input(description="How leads are to be scored.")
class ScoringTermsInput:
    fit: list[FitGroupInput] = shown("How well a lead fits.")
    engagement: list[EngagementGroupInput] = shown("How much a lead does.")
    engagement_cap: int = shown("How many points engagement gives in all at most: 1 to 1000.")
    fit_for_a: int = shown("From how many points of fit on a lead is an A.")
    fit_for_b: int = shown("From how many points of fit on a lead is a B; less than for an A.")
    engagement_for_1: int = shown("From how many points of engagement on a lead is a 1.")
    engagement_for_2: int = shown(
        "From how many points of engagement on a lead is a 2; less than for a 1."
    )

    def terms(self) -> ScoringTerms:
        """Return what was said."""
        return ScoringTerms(
            fit=tuple(each.group() for each in self.fit),
            engagement=tuple(each.group() for each in self.engagement),
            engagement_cap=self.engagement_cap,
            fit_for_a=self.fit_for_a,
            fit_for_b=self.fit_for_b,
            engagement_for_1=self.engagement_for_1,
            engagement_for_2=self.engagement_for_2,
        )


@strawberry.input(description="The next version of how leads are scored.")
class ScoringModelProposeInput:
    name: str = shown("What to call it.")
    terms: ScoringTermsInput | None = shown(
        "How leads are to be scored; by the preset, if left out.", default=UNSET
    )


@strawberry.input(description="Which model leads are scored by from now on.")
class ScoringModelActivateInput:
    model: strawberry.ID = shown("The model; it must be PROPOSED.")
