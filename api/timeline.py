"""The story of a person, as every view of a lead shows it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from api.context import Info
from api.filtering import enum
from api.views import PAGE_ARGUMENTS, connection, page_of, related, shown, view
from domain.content_flow import MOST_CONSUMED, ConsumedAsset, ConsumedBy
from domain.handoff import Handoff
from domain.leads import Activity
from domain.lifecycle import StageEntry
from domain.ports import Work
from domain.timeline import TimelineEntry, TimelineKind, TimelinesOf
from domain.touches import Touch

if TYPE_CHECKING:
    from api.content import ContentConsumptionView

enum(
    TimelineKind,
    "What an entry of a timeline is.",
    TOUCH="The person met us.",
    ACTIVITY="Something was done about the person.",
    STAGE="The person entered a stage.",
    HANDOFF="Marketing handed the person to sales.",
)


@view(TimelineEntry, description="One thing that happened.  Exactly one of its parts is not null.")
class TimelineEntryView:
    kind: TimelineKind = shown("What it is.")
    at: datetime = shown("When it was.")
    touch = related(
        "api.touches.TouchView", Touch, by="touch_id", description="How the person met us."
    )
    activity = related(
        "api.leads.ActivityView", Activity, by="activity_id", description="What was done."
    )
    stage_entry = related(
        "api.lifecycle.StageEntryView",
        StageEntry,
        by="stage_entry_id",
        description="Which stage the person entered.",
    )
    handoff = related(
        "api.handoff.HandoffView", Handoff, by="handoff_id", description="Who got the person."
    )


def _timeline(
    lead: strawberry.Parent[Any],
    info: Info,
    first: Any = UNSET,
    after: Any = UNSET,
    last: Any = UNSET,
    before: Any = UNSET,
) -> Any:
    page = page_of(first, after, last, before)

    async def batch(work: Work, keys: Any) -> Any:
        return await work.ask(TimelinesOf(lead_ids=tuple(keys), page=page))

    return info.context.load_with(f"Lead.timeline {page}", batch, lead.id)


_timeline.__annotations__.update(PAGE_ARGUMENTS)
timeline = strawberry.field(
    resolver=_timeline,
    graphql_type=connection(TimelineEntryView),
    description="The person's story, anonymous visits included, the latest first.",
)


async def _consumed(work: Work, lead_ids: Sequence[UUID]) -> Sequence[Sequence[ConsumedAsset]]:
    return await work.ask(ConsumedBy(lead_ids=tuple(lead_ids)))


@strawberry.field(
    description="What the person consumed, the latest first.",
    metadata={"most": MOST_CONSUMED},
)
async def content_consumed(
    lead: strawberry.Parent[Any], info: Info
) -> list[Annotated[ContentConsumptionView, strawberry.lazy("api.content")]]:
    return await info.context.load_with("Lead.contentConsumed", _consumed, lead.id)  # type: ignore[no-any-return]  # ConsumedAssets
