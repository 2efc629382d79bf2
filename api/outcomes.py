"""What became of hand-offs, as marketing sees it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

import strawberry

from api.context import Context
from api.filtering import enum
from api.types import MoneyView
from api.views import related, shown, view
from domain.opportunities import Opportunity
from domain.outcomes import HandoffOutcome, HandoffsWith, Outcome

enum(
    Outcome,
    "What became of a hand-off: the furthest thing that happened.",
    NONE="Nothing yet: marketing has heard nothing.",
    ACCEPTED="Sales took the lead, and no more is known.",
    ATTEMPTED="Sales has tried to reach the buyer.",
    MEETING="Sales met the buyer.",
    RECYCLED="Sales sent it back because it needs more time.",
    REJECTED="Sales sent it back because it should not have come.",
    OPPORTUNITY="A deal is being negotiated.",
    WON="A deal was won.",
    LOST="The deal was lost.",
    MERGED="The person had been handed off already, as another lead, and that hand-off goes on.",
)


@view(HandoffOutcome, description="What became of a hand-off: exactly one thing.")
class HandoffOutcomeView:
    kind: Outcome = shown("What.")
    at: datetime | None = shown("When it came to that; null while nothing has.")
    reason: str | None = shown("Why it was rejected, recycled or lost.")
    attempts: int = shown("Human calls, e-mails and meetings of those who got it.")
    first_touch_at: datetime | None = shown("When the first of them was.")
    meeting_at: datetime | None = shown("When the first meeting was.")
    amounts: list[MoneyView] = shown(
        "What its deals of this kind (won, open or lost) are worth together, by currency."
    )

    opportunity = related(
        "api.opportunities.OpportunityView",
        Opportunity,
        by="opportunity_id",
        description="The deal that decided it.",
    )


HANDOFF_ARGUMENTS: Mapping[str, Any] = {
    "feedback": Annotated[
        Outcome | None,
        strawberry.argument(description="Only those that came to this; NONE waits for feedback."),
    ],
    "older_than": Annotated[
        timedelta | None,
        strawberry.argument(description="Only those made at least so long ago, by the clock."),
    ],
}


def handoffs_with(_: Context, given: Mapping[str, Any]) -> HandoffsWith | None:
    """Return which hand-offs the arguments ask for."""
    if not given:
        return None
    return HandoffsWith(outcome=given.get("feedback"), older_than=given.get("older_than"))
