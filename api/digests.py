"""Digests of feedback: what became of the leads marketing handed over."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import strawberry

from api.context import Info
from api.errors import SIGNED_IN, mutation, query
from api.filtering import enum
from api.handoff import HandoffView
from api.views import shown, view
from api.writing import written
from domain import digests
from domain.digests import MOST_LISTED, DigestFrequency, DigestSubscription, FeedbackDigest
from domain.outcomes import Outcome

enum(
    DigestFrequency,
    "How often a digest is mailed, at eight by the tenant's clocks.",
    DAILY="Every day.",
    WEEKLY="Every Monday.",
)


@strawberry.type(description="How many hand-offs came to the same.")
class OutcomeCount:
    outcome: Outcome = shown("To what.")
    count: int = shown("How many.")


@view(FeedbackDigest, description="What became of hand-offs in a time, and what still waits.")
class FeedbackDigestView:
    since: datetime = shown("After which instant things happened.")
    until: datetime = shown("Up to which instant they did.")
    news_count: int = shown("About how many hand-offs something happened in that time.")
    news: list[HandoffView] = shown(
        "The newest of them, at most 50.", metadata={"most": MOST_LISTED}
    )
    waiting_count: int = shown("How many hand-offs of all have no feedback yet.")
    waiting: list[HandoffView] = shown(
        "Those that wait longest, at most 50.", metadata={"most": MOST_LISTED}
    )

    @strawberry.field(description="What those with news came to.", metadata={"most": len(Outcome)})
    def counts(digest: strawberry.Parent[Any]) -> list[OutcomeCount]:
        return [OutcomeCount(outcome=o, count=n) for o, n in digest.counts.items()]


@view(DigestSubscription, description="That you have digests mailed to you.")
class DigestSubscriptionView:
    frequency: DigestFrequency = shown("How often.")
    subscribed_at: datetime = shown("Since when.")
    since: datetime = shown("From when on the next one tells.")
    next_at: datetime = shown("When the next one is due.")


@strawberry.input(description="How often you want to be told.")
class DigestSubscriptionStartInput:
    frequency: DigestFrequency = shown("How often.")


@strawberry.type
class Queries:
    @query(
        "What became of the leads your marketing teams (all, if you are in none) handed over.",
        shows=FeedbackDigestView,
    )
    async def feedback_digest(
        self,
        info: Info,
        since: Annotated[datetime, strawberry.argument(description="What happened after then.")],
    ) -> Any:
        async with info.context.work() as work:
            return await digests.feedback_digest(work, info.context.actor, since)

    @query(
        "Whether you have digests mailed to you; null if not.", shows=DigestSubscriptionView | None
    )
    async def digest_subscription(self, info: Info) -> Any:
        async with info.context.work() as work:
            return await digests.subscription_of(work, info.context.actor)


@strawberry.type
class Mutations:
    @mutation(
        DigestSubscriptionView,
        "Have digests of feedback mailed to you, or as often as you say now.",
        needs=SIGNED_IN,
    )
    async def digest_subscription_start(
        self, info: Info, input: DigestSubscriptionStartInput
    ) -> DigestSubscription:
        return await written(
            info, lambda work: digests.subscribe(work, info.context.actor, input.frequency)
        )

    @mutation(DigestSubscriptionView, "Have no more digests mailed to you.", needs=SIGNED_IN)
    async def digest_subscription_end(self, info: Info) -> DigestSubscription:
        async with info.context.writing() as work:
            return await digests.unsubscribe(work, info.context.actor)
