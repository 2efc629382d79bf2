"""The call brief: what to know before calling a lead."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import strawberry

import api.content  # declares the words used here
import api.scoring.enums  # noqa: F401  # as above
from api.context import Info
from api.errors import query
from api.leads import LeadRef, lead_id_of
from api.types import EmailAddress
from api.views import related, shown, view
from domain import briefs
from domain.briefs import (
    MOST_READ,
    BriefedAsset,
    BriefedLead,
    BriefedPersona,
    BriefedReason,
    CallBrief,
    SuggestedAsset,
)
from domain.content import AssetKind, ContentAsset, JourneyStage
from domain.grades import Grade
from domain.scoring import ScorePart
from domain.scoring.terms import MOST_RULES
from domain.stages import Stage


@view(BriefedLead, description="Who is to be called, as far as it was known.")
class BriefedLeadView:
    name: str | None = shown("The name.")
    email: EmailAddress | None = shown("The e-mail address.")
    phone: str | None = shown("The telephone number.")
    job_title: str | None = shown("What the person does in the company.")
    company: str | None = shown("The company's name.")
    country: str | None = shown("Where the person is.")
    origin: str | None = shown("Source, medium and campaign that brought the person.")
    stage: Stage = shown("How far the person had come.")


@view(BriefedPersona, description="The kind of buyer the lead is, as its card read then.")
class BriefedPersonaView:
    name: str = shown("What the persona is called.")
    number: int = shown("Which version of its card.")
    job_title: str = shown("What such a person does.")
    goals: list[str] = shown("What such a person wants to reach.")
    challenges: list[str] = shown("What stands in the way.")


@view(BriefedAsset, description="What the lead read, heard or saw.")
class BriefedAssetView:
    title: str = shown("Its title.")
    kind: AssetKind = shown("What form it has.")
    topic: str | None = shown("What it is about.")
    journey_stage: JourneyStage | None = shown("How far on the buyer's way it helps.")
    times: int = shown("How often.")
    last_at: datetime = shown("When last.")
    asset = related(
        "api.content.ContentAssetView",
        ContentAsset,
        by="asset_id",
        description="The asset as it is now.",
    )


@view(BriefedReason, description="Why the lead has its score.")
class BriefedReasonView:
    part: ScorePart = shown("Which part of the grade.")
    rule: str = shown("The rule.")
    points: int = shown("What it gave then, its group's cap aside.")


@view(SuggestedAsset, description="What to send next.")
class SuggestedAssetView:
    title: str = shown("Its title.")
    kind: AssetKind = shown("What form it has.")
    url: str | None = shown("Where it is.")
    reason: str = shown("Why this one.")
    asset = related(
        "api.content.ContentAssetView",
        ContentAsset,
        by="asset_id",
        description="The asset as it is now.",
    )


@view(CallBrief, description="What was known of a lead at an instant; it claims nothing else.")
class CallBriefView:
    do_not_contact: bool = shown(
        "Whether the lead wishes to be left alone.  Then there is no opener and nothing to send."
    )
    may_be_called: bool = shown(
        "Whether the lead may be called: it need not be left alone, and has not withdrawn PHONE."
        "  If not, there is no opener."
    )
    may_be_written_to: bool = shown(
        "Whether the lead may be written to: it need not be left alone, and has not withdrawn"
        " EMAIL.  If not, there is nothing to send."
    )
    phone_withdrawn_at: datetime | None = shown(
        "Since when the lead does not wish to be called; null if it has not said so."
    )
    email_withdrawn_at: datetime | None = shown(
        "Since when the lead does not wish to be written to; null if it has not said so."
    )
    as_of: datetime = shown("The instant.")
    who: BriefedLeadView = shown("Who it is.")
    persona: BriefedPersonaView | None = shown("What kind of buyer it is.")
    read: list[BriefedAssetView] = shown(
        "What it read, heard or saw, the latest first.", metadata={"most": MOST_READ}
    )
    grade: Grade | None = shown("Its grade; null without a scoring model.")
    fit: int | None = shown("How well it fits, in points.")
    engagement: int | None = shown("How much it does, in points.")
    reasons: list[BriefedReasonView] = shown(
        "Why it has this grade, what weighs most first.", metadata={"most": MOST_RULES}
    )
    open_questions: list[str] = shown("What is not known of it, and what such a buyer asks.")
    suggestion: SuggestedAssetView | None = shown("What to send next; null if nothing fits.")
    opener: str | None = shown("A first sentence and a question, from what is known alone.")


@strawberry.type
class Queries:
    @query("What to know before calling a lead, as it is known now.", shows=CallBriefView)
    async def call_brief(
        self,
        info: Info,
        lead: Annotated[LeadRef, strawberry.argument(description="Which lead.")],
    ) -> Any:
        async with info.context.work() as work:
            lead_id = await lead_id_of(work, lead)
            return await briefs.call_brief(work, info.context.actor, lead_id)
