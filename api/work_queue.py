"""The work queue: whom to call next, and why."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from api.context import Info
from api.errors import query, subscription
from api.exchange import MissingRateView
from api.identity import UserRef, user_id_of
from api.leads import LeadView
from api.sla_status import until
from api.types import MoneyView
from api.views import related, shown, view
from domain import work_queue
from domain.identity import Permission, User
from domain.paging import LARGEST_PAGE
from domain.work_queue import QueuedLead, WorkQueue


@view(QueuedLead, description="A lead in the queue.  rank = chance × deal × urgency.")
class QueuedLeadView:
    lead: LeadView = shown("The lead.")
    rank: Decimal = shown("What it is ranked by; only its order means anything.")
    chance: Decimal = shown("The chance of winning it, 0 to 1: predicted, or usual for its grade.")
    deal: MoneyView | None = shown(
        "Its open opportunity, or an average deal; null while nothing was won."
    )
    expected_value: MoneyView | None = shown("The deal times the chance.")
    urgency: Decimal = shown(
        "4 when a promise is late, 3 with an hour of working time left, 2 with four,"
        " 1.5 with eight, else 1."
    )
    due_at: datetime | None = shown("When its first open promise is due.")
    reasons: list[str] = shown("Why it stands where it does.", metadata={"most": 3})


@view(WorkQueue, description="A page of what somebody is to work, the most rewarding first.")
class WorkQueueView:
    owner = related(
        "api.identity.UserView", User, by="owner_id", description="Whose queue.", required=True
    )
    as_of: datetime = shown("The instant for which it was ranked.")
    total: int = shown("How many leads are in the queue; of more than 10,000, the first due.")
    average_deal: MoneyView | None = shown(
        "The mean of the deals won in the last 365 days, in the tenant's currency: each by the rate"
        " of the day it was closed on, without those that lack one."
    )
    missing: MissingRateView | None = shown(
        "The rate to set first, where deals lack one; null if none is missing."
    )
    entries: list[QueuedLeadView] = shown(
        "The leads of this page, in order.", metadata={"most": LARGEST_PAGE}
    )
    cursor: str | None = shown(
        "Give this as `after` for what ranks highest then and was on no page yet; null at the end."
    )
    next_at: datetime | None = shown("When the order may change by itself.")


_First = Annotated[
    int | None, strawberry.argument(description="How many; 25 if left out, at most 100.")
]
_Owner = Annotated[
    UserRef | None,
    strawberry.argument(
        description="Whose queue, if not your own: for those who may reassign leads.  A key has to"
        " name somebody."
    ),
]


@strawberry.type
class Queries:
    @query(
        "What you are to work: your leads by expected value and urgency.  Whoever must not be"
        " contacted is left out.",
        shows=WorkQueueView,
    )
    async def work_queue(
        self,
        info: Info,
        first: _First = None,
        after: Annotated[
            str | None, strawberry.argument(description="The cursor of the page before.")
        ] = None,
        owner: _Owner = None,
    ) -> Any:
        return await _read(info, first, after, owner)


@strawberry.type
class Subscriptions:
    @subscription(
        "What you are to work, whenever that changes: when something happens, and as promises"
        " come due.  Of 10,000 leads at most every three seconds, of fewer as much more often.",
        needs=Permission.VIEW,
        shared=False,
        shows=WorkQueueView,
    )
    async def work_queue(
        self, info: Info, first: _First = None, owner: _Owner = None
    ) -> AsyncIterator[Any]:
        with info.context.live.watch(info.context.actor.tenant_id) as watch:
            while True:
                queue = await _read(info, first, None, owner)
                yield queue
                await sleep(queue.rest.total_seconds())
                await watch.news(within=until(queue.as_of + queue.rest, queue.next_at))


async def _read(
    info: Info, first: int | None, after: str | None, owner: UserRef | None
) -> WorkQueue:
    async with info.context.work() as work:
        owner_id = await user_id_of(work, owner, path=("owner",))
        return await work_queue.work_queue(
            work, info.context.actor, owner_id=owner_id, first=first, after=after
        )
