"""What happened, live and in order: feeds from a cursor on, of which nothing is left out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry import UNSET

import api.clocks  # noqa: F401  # declares ClockState
from api.context import Context, Info
from api.engine import held_on
from api.errors import query, subscription
from api.views import related, shown, view
from domain import feed, ids
from domain.feed import ClockTransitionEvent
from domain.handoff import Handoff
from domain.identity import Permission, User
from domain.leads import Lead
from domain.sla.agreement import Commitment, Sla
from domain.sla.clock import ClockState
from domain.sla.clocks import SlaClock


@view(
    ClockTransitionEvent,
    name="ClockTransitionEvent",
    description="A change of a clock's state, in the order in which the changes were recorded.",
)
class ClockTransitionEventView:
    cursor: str = shown("Where it stands in the log: subscribe after it to go on from here.")
    at: datetime = shown("When, by the rules, however late it was noticed.")
    recorded_at: datetime = shown("When it was noticed.")
    state: ClockState = shown("The state the clock entered.")
    reason: str | None = shown("Why it was excused, cancelled or transferred.")
    clock = related(
        "api.clocks.ClockView", SlaClock, by="clock_id", description="The clock, as it is now."
    )
    sla = related("api.sla.SlaView", Sla, by="sla_id", description="The agreement.")
    commitment = related(
        "api.sla.CommitmentView", Commitment, by="commitment_id", description="The promise."
    )
    handoff = related(
        "api.handoff.HandoffView", Handoff, by="handoff_id", description="The hand-off."
    )
    lead = related("api.leads.LeadView", Lead, by="lead_id", description="The lead.")
    user = related(
        "api.identity.UserView", User, by="user_id", description="Who worked the lead, if anybody."
    )
    caused_by = related(
        "api.identity.UserView",
        User,
        by="by",
        description="Who caused it; null if it came by itself.",
    )


@strawberry.input(description="Which changes of clocks are wanted; all keys given must hold.")
class ClockTransitionFilter:
    sla: strawberry.ID | None = shown("Those of one agreement.", default=UNSET)
    commitment: strawberry.ID | None = shown("Those of one promise.", default=UNSET)
    user: strawberry.ID | None = shown("Those of one person's clocks.", default=UNSET)
    states: list[ClockState] | None = shown("Those into one of these states.", default=UNSET)


Wanted = Annotated[
    ClockTransitionFilter | None, strawberry.argument(description="Only those that match.")
]
After = Annotated[
    str | None,
    strawberry.argument(description="Everything behind this cursor; from now on if left out."),
]


@strawberry.type
class Queries:
    @query("Where the log of events ends: follow a feed from here on, and nothing is missed.")
    async def feed_cursor(self, info: Info) -> str:
        async with info.context.work() as work:
            return feed.cursor_at(await feed.feed_start(work, info.context.actor, None))


@strawberry.type
class Subscriptions:
    @subscription(
        "Changes of clocks as they are recorded, each once and in order.  After a lost connection "
        "subscribe again after the last cursor: nothing is missed and nothing comes twice.",
        needs=Permission.VIEW,
        feed=True,
        shared=False,
    )
    async def clock_transitions(
        self, info: Info, filter: Wanted = UNSET, after: After = UNSET
    ) -> AsyncIterator[ClockTransitionEventView]:
        context, wanted = info.context, _wanted(filter)
        with context.live.watch(context.actor.tenant_id) as watch:
            async with context.work() as work:
                number = await feed.feed_start(
                    work, context.actor, None if after is UNSET else after
                )
            while True:
                stretch = await held_on(partial(_stretch, context, number, wanted))
                # No connection is held here, however long the reader takes.
                for event in stretch.events:
                    yield event  # type: ignore[misc]  # views are not made
                number = stretch.until
                if stretch.is_last:
                    await watch.news()


async def _stretch(
    context: Context, number: int, wanted: feed.ClockTransitionFilter
) -> feed.Stretch:
    async with context.work() as work:
        return await feed.clock_transitions_after(work, context.actor, number, wanted)


def _wanted(given: Any) -> feed.ClockTransitionFilter:
    if not given:
        return feed.ClockTransitionFilter()
    return feed.ClockTransitionFilter(
        sla_id=_id("Sla", given.sla, "sla"),
        commitment_id=_id("Commitment", given.commitment, "commitment"),
        user_id=_id("User", given.user, "user"),
        states=frozenset(given.states or ()),
    )


def _id(kind: str, text: Any, name: str) -> UUID | None:
    return ids.expect(kind, text, path=("filter", name)) if text else None
