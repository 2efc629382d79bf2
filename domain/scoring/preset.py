"""The model we offer to begin with.  Nothing is scored by it until a tenant activates it."""

from __future__ import annotations

from typing import Any

from domain.scoring.terms import (
    EngagementGroup,
    EngagementRule,
    FitGroup,
    FitRule,
    ScoringTerms,
)


def _touch(name: str, points: int, *kinds: str, **more: Any) -> EngagementRule:
    return EngagementRule(name=name, criterion={"kind": {"in": list(kinds)}, **more}, points=points)


def _title(*words: str) -> dict[str, Any]:
    return {"or": [{"jobTitle": {"contains": word}} for word in words]}


PRESET_NAME = "Preset"
PRESET = ScoringTerms(
    fit=(
        FitGroup(
            name="Role",
            cap=50,
            rules=(
                FitRule(
                    name="One of our personas",
                    criterion={"personaId": {"isNull": False}},
                    points=30,
                ),
                FitRule(
                    name="Decides",
                    criterion=_title("chief", "owner", "founder", "ceo", "vp"),
                    points=25,
                ),
                FitRule(
                    name="Leads a team", criterion=_title("head", "director", "manager"), points=15
                ),
                FitRule(
                    name="Learns or looks for work",
                    criterion=_title("student", "intern", "seeking"),
                    points=-40,
                ),
            ),
        ),
        FitGroup(
            name="Company",
            cap=20,
            rules=(
                FitRule(
                    name="Company known", criterion={"companyId": {"isNull": False}}, points=20
                ),
            ),
        ),
        FitGroup(
            name="Reach",
            cap=20,
            rules=(
                FitRule(name="Address known", criterion={"email": {"isNull": False}}, points=10),
                FitRule(name="Country known", criterion={"country": {"isNull": False}}, points=10),
            ),
        ),
        FitGroup(
            name="What others say",
            cap=10,
            rules=(
                FitRule(name="Score of 50 or more", criterion={"score": {"gte": 50}}, points=10),
            ),
        ),
    ),
    engagement=(
        EngagementGroup(
            name="Talks",
            cap=60,
            half_life_days=30,
            rules=(
                _touch("Meeting or event", 30, "MEETING", "EVENT"),
                _touch("Webinar", 20, "WEBINAR"),
                _touch("Call or chat", 15, "CALL", "CHAT"),
            ),
        ),
        EngagementGroup(
            name="Forms and downloads",
            cap=50,
            half_life_days=21,
            rules=(_touch("Form", 20, "FORM"), _touch("Download", 15, "DOWNLOAD")),
        ),
        EngagementGroup(
            name="Pages",
            cap=25,
            half_life_days=7,
            rules=(
                _touch("Page with prices", 8, "PAGE_VIEW", url={"contains": "pric"}),
                _touch("Page", 2, "PAGE_VIEW"),
            ),
        ),
        EngagementGroup(
            name="Mail and advertisements",
            cap=20,
            half_life_days=14,
            rules=(
                _touch("Click in a mail", 6, "EMAIL_CLICK"),
                _touch("Advertisement", 4, "AD_CLICK"),
                _touch("Mail opened by a person", 1, "EMAIL_OPEN", agency={"eq": "HUMAN"}),
            ),
        ),
    ),
    engagement_cap=100,
    fit_for_a=60,
    fit_for_b=30,
    engagement_for_1=50,
    engagement_for_2=15,
)
