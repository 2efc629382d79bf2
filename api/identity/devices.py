"""Where somebody is signed in: the list of one's own open sessions."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry import UNSET

from api.context import Info
from api.views import PAGE_ARGUMENTS, PARENT, connection, page_of
from domain.filters import Comparator, Compare, FieldType, FilterField
from domain.identity import Session
from domain.paging import Listing, Order, Page

_EXPIRES = FilterField(
    name="expiresAt",
    attribute="expires_at",
    type=FieldType.INSTANT,
    description="When it ends unless it is refreshed before.",
)


def open_sessions(target: str) -> Any:
    """Declare the open sessions of the user who asks, the last used first; none for a key."""

    async def resolve(
        actor: Any,
        info: Info,
        first: Any = UNSET,
        after: Any = UNSET,
        last: Any = UNSET,
        before: Any = UNSET,
    ) -> Page[Any]:
        async with info.context.work() as work:
            listing: Listing[Any] = Listing(
                kind=Session,
                equals={"user_id": actor.user_id, "ended_at": None},
                filter=Compare(_EXPIRES, Comparator.GT, work.now),
                order=(Order("last_used_at", descending=True),),
                page=page_of(first, after, last, before),
            )
            return await work.ask(listing)

    resolve.__annotations__ = {
        "actor": PARENT,
        "info": Info,
        **PAGE_ARGUMENTS,
        "return": connection(target),
    }
    return strawberry.field(
        resolver=resolve,
        description="Where the user is signed in, the last used first; none for a key.",
    )
