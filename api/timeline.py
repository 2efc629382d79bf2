"""The story of a person, as every view of a lead shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from api.context import Info
from api.views import PAGE_ARGUMENTS, Node, connection, page_of
from domain.content_flow import MOST_CONSUMED, ConsumedAsset, ConsumedBy
from domain.ports import Work
from domain.timeline import TimelinesOf

if TYPE_CHECKING:
    from api.content import ContentConsumptionView


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
    graphql_type=connection(Node),
    description="The person's story, the latest first: touches (those of anonymous visits"
    " included), activities, stages and hand-offs.",
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
