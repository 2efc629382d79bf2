"""Threads: what the two teams say to each other about a thing, and who was called."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry import UNSET

import api.stages  # noqa: F401  # declares the enum Side
from api.campaigns import CampaignRef, campaign_id_of
from api.context import Context, Info
from api.errors import SIGNED_IN, mutation, query, subscription
from api.filtering import collection, filter_input, order_input
from api.identity import TeamRef, UserRef
from api.leads import LeadRef, lead_id_of
from api.node import load_node
from api.sla_status import until
from api.views import Node, listed, related, shown, view
from domain import ids, threads
from domain.identity import Permission, Team, User, resolve_team, resolve_user
from domain.paging import Order
from domain.ports import Work
from domain.stages import Side
from domain.threads import (
    MOST_WAITING,
    THREAD_FIELDS,
    Asked,
    Called,
    Mention,
    MentionsFor,
    Subject,
    Thread,
    ThreadMessage,
    ThreadsThat,
    Waiting,
)
from domain.threads.entities import SUBJECTS, USUAL_ANSWER


@view(ThreadMessage, description="One message of a thread.")
class ThreadMessageView:
    text: str = shown("What it says; empty if it was taken back.")
    sent_at: datetime = shown("When it was sent.")
    asks: Side | None = shown("Which side is to answer, if it asks.")
    due_at: datetime | None = shown("By when, if it asks.")
    edited_at: datetime | None = shown("When it was put in other words last; null if never.")
    retracted_at: datetime | None = shown("When it was taken back; null if it was not.")
    version: int = shown("How often it was changed.")
    author = related("api.identity.UserView", User, by="author_id", description="Who wrote it.")
    thread = related(
        "api.threads.ThreadView", Thread, by="thread_id", description="Where it was said."
    )
    answer = related(
        "api.threads.ThreadMessageView",
        ThreadMessage,
        by="answered_by_id",
        description="The message that answered it.",
    )
    mentions = listed(
        "api.threads.MentionView", Mention, by="message_id", description="Whom it calls."
    )


@view(Mention, description="That a message calls somebody.")
class MentionView:
    called_at: datetime = shown("When.")
    read_at: datetime | None = shown("When they read it; null until then.")
    user = related("api.identity.UserView", User, by="user_id", description="Who is called.")
    team = related(
        "api.identity.TeamView",
        Team,
        by="team_id",
        description="As somebody of which team they are called; null if they are named.",
    )
    message = related(
        ThreadMessageView, ThreadMessage, by="message_id", description="The message that calls."
    )
    thread = related(
        "api.threads.ThreadView", Thread, by="thread_id", description="Where it was said."
    )


async def _overdue(work: Work, found: Sequence[Thread]) -> list[bool]:
    return [thread.is_overdue(work.now) for thread in found]


@view(Thread, description="What the teams say to each other about one thing.")
class ThreadView:
    started_at: datetime = shown("When it began.")
    last_message_at: datetime = shown("When something was said last.")
    awaiting: Side | None = shown("Which side owes an answer, if any.")
    due_at: datetime | None = shown(
        "By when it owes it, in its own working time; the instant itself is in time."
    )
    version: int = shown("How often it was changed.")
    started_by = related(
        "api.identity.UserView", User, by="started_by", description="Who began it."
    )
    ask = related(
        ThreadMessageView,
        ThreadMessage,
        by="ask_id",
        description="The message that waits for an answer.",
    )
    messages = listed(
        ThreadMessageView,
        ThreadMessage,
        by="thread_id",
        description="What was said, the first message first.",
        order=(Order("sent_at"),),
    )

    @strawberry.field(description="Whether the answer is late this instant.")
    async def overdue(thread: strawberry.Parent[Any], info: Info) -> bool:
        return await info.context.load_with("Thread.overdue", _overdue, thread)  # type: ignore[no-any-return]  # a flag

    @strawberry.field(description="What it is about: a lead, hand-off, campaign or content asset.")
    async def about(thread: strawberry.Parent[Any], info: Info) -> Node | None:
        for name, kind in SUBJECTS.items():
            if (key := getattr(thread, name)) is not None:
                return await load_node(info, kind, key)  # type: ignore[no-any-return]  # any entity
        raise ValueError("a thread is about something")


@view(Waiting, name="WaitingForYou", description="What waits for you in the teams' threads.")
class WaitingView:
    as_of: datetime = shown("When it was read.")
    mention_count: int = shown("How many calls you have not read.")
    mentions: list[MentionView] = shown(
        "The latest of them, at most 25.", metadata={"most": MOST_WAITING}
    )
    question_count: int = shown("How many threads wait for an answer of a side you are of.")
    overdue_count: int = shown("In how many of them it is late.")
    questions: list[ThreadView] = shown(
        "Those that are due first, at most 25.", metadata={"most": MOST_WAITING}
    )
    next_at: datetime | None = shown(
        "When the next answer begins to be late if nobody gives it; null if none will."
    )


ThreadFilter = filter_input(THREAD_FIELDS)
ThreadOrder = order_input(
    "Thread", {"LAST_MESSAGE_AT": "last_message_at", "DUE_AT": "due_at"}, "How threads are ordered"
)
_ARGUMENTS: Mapping[str, Any] = {
    "awaiting": Annotated[
        Side | None, strawberry.argument(description="Only those that wait for this side.")
    ],
    "overdue": Annotated[
        bool | None, strawberry.argument(description="Only those whose answer is (or is not) late.")
    ],
}


def _mine(context: Context, given: Mapping[str, Any]) -> MentionsFor:
    nobody = UUID(int=0)
    return MentionsFor(user_id=context.actor.user_id or nobody, unread=given.get("unread"))


def _threads_that(_: Context, given: Mapping[str, Any]) -> ThreadsThat | None:
    if not given:
        return None
    return ThreadsThat(awaiting=given.get("awaiting"), overdue=given.get("overdue"))


_Which = Annotated[strawberry.ID, strawberry.argument(description="Which thread.")]


@strawberry.type
class Queries:
    threads = collection(
        ThreadView,
        Thread,
        description="Threads, those with news first.",
        default=(Order("last_message_at", descending=True),),
        fields=THREAD_FIELDS,
        filter=ThreadFilter,
        order=ThreadOrder,
        arguments=_ARGUMENTS,
        only=_threads_that,
    )("threads")

    @query("What waits for you: calls you have not read, and questions.", shows=WaitingView)
    async def waiting_for_you(self, info: Info) -> Any:
        return await _waiting(info)

    @query("One thread, or null if there is none of that id.", shows=ThreadView | None)
    async def thread(self, info: Info, id: strawberry.ID) -> Any:
        return await info.context.load(Thread, ids.expect("Thread", id, path=("id",)))

    mentions = collection(
        MentionView,
        Mention,
        description="Where you are called, the latest first; nowhere for a key.",
        default=(Order("called_at", descending=True),),
        arguments={
            "unread": Annotated[
                bool | None,
                strawberry.argument(description="Only what you have (or have not) yet to read."),
            ]
        },
        only=_mine,
    )("mentions")


@strawberry.type
class Subscriptions:
    @subscription(
        "A thread, whenever something is said in it, and when an answer begins to be late.",
        needs=Permission.VIEW,
        shows=ThreadView,
    )
    async def thread(self, info: Info, id: _Which) -> AsyncIterator[Any]:
        thread_id = ids.expect("Thread", id, path=("id",))
        with info.context.live.watch(info.context.actor.tenant_id) as watch:
            while True:
                async with info.context.work() as work:
                    found = await threads.read_thread(work, info.context.actor, thread_id)
                    now = work.now
                yield found
                await watch.news(within=until(now, found.next_change(now)))

    @subscription(
        "What waits for you: whenever that changes, and when an answer begins to be late.",
        needs=Permission.VIEW,
        shared=False,
        shows=WaitingView,
    )
    async def waiting_for_you(self, info: Info) -> AsyncIterator[Any]:
        with info.context.live.watch(info.context.actor.tenant_id) as watch:
            while True:
                waiting = await _waiting(info)
                yield waiting
                await watch.news(within=until(waiting.as_of, waiting.next_at))


async def _waiting(info: Info) -> Waiting:
    async with info.context.work() as work:
        return await threads.waiting_for(work, info.context.actor)


@strawberry.input(one_of=True, description="What a thread is about: exactly one of these.")
class SubjectInput:
    lead: strawberry.Maybe[LeadRef] = shown("A lead.", default=None)
    handoff: strawberry.Maybe[strawberry.ID] = shown("A hand-off.", default=None)
    campaign: strawberry.Maybe[CampaignRef] = shown("A campaign.", default=None)
    asset: strawberry.Maybe[strawberry.ID] = shown("A content asset.", default=None)

    async def subject(self, work: Work) -> Subject:
        """Return what is meant."""
        if self.lead is not None:
            path = ("about", "lead")
            return Subject(lead_id=await lead_id_of(work, self.lead.value, path=path, lock=True))
        if self.handoff is not None:
            return Subject(handoff_id=_id("Handoff", self.handoff.value, "handoff"))
        if self.campaign is not None:
            path = ("about", "campaign")
            return Subject(campaign_id=await campaign_id_of(work, self.campaign.value, path=path))
        if self.asset is not None:
            return Subject(asset_id=_id("ContentAsset", self.asset.value, "asset"))
        raise ValueError("GraphQL lets exactly one key of a @oneOf input through")


def _id(kind: str, text: str, name: str) -> UUID:
    return ids.expect(kind, text, path=("about", name))


@strawberry.input(description="Which side is to answer, and how soon.")
class AskInput:
    side: Side = shown("Who is to answer.")
    within: timedelta = shown("Within how much of its working time.", default=USUAL_ANSWER)

    def asked(self) -> Asked:
        """Return what is asked."""
        return Asked(side=self.side, within=self.within)


@strawberry.input(description="What to talk about, and the first message.")
class ThreadStartInput:
    about: SubjectInput = shown("What it is about.")
    text: str = shown("What you say.")
    asks: AskInput | None = shown("Who is to answer; nobody if left out.", default=UNSET)
    mentions: list[UserRef] = shown("Whom you call; at most 20.", default_factory=list)
    mention_teams: list[TeamRef] = shown(
        "Of which teams you call everybody who is active; at most 5, and 200 people.",
        default_factory=list,
    )


@strawberry.input(description="A message in a thread.")
class ThreadReplyInput:
    thread: strawberry.ID = shown("The thread.")
    text: str = shown("What you say.")
    asks: AskInput | None = shown("Who is to answer; nobody if left out.", default=UNSET)
    mentions: list[UserRef] = shown("Whom you call; at most 20.", default_factory=list)
    mention_teams: list[TeamRef] = shown(
        "Of which teams you call everybody who is active; at most 5, and 200 people.",
        default_factory=list,
    )


@strawberry.input(description="Which of your messages says what instead.")
class ThreadMessageEditInput:
    message: strawberry.ID = shown("The message; it must be yours.")
    text: str = shown("What it says from now on.")


@strawberry.input(description="Which of your messages you take back.")
class ThreadMessageRetractInput:
    message: strawberry.ID = shown("The message; it must be yours.")


@strawberry.input(description="Where you are called, and have read it.")
class MentionReadInput:
    mention: strawberry.ID = shown("The mention; it must be of you.")


async def _called(work: Work, input: ThreadStartInput | ThreadReplyInput) -> Called:
    # Before they are looked up one by one.
    threads.mention_allowed(users=len(input.mentions), teams=len(input.mention_teams))
    users, teams = list[UUID](), list[UUID]()
    for place, user in enumerate(input.mentions):
        path = ("mentions", place)
        users.append(await resolve_user(work, user.key(path), path=path))
    for place, team in enumerate(input.mention_teams):
        path = ("mentionTeams", place)
        teams.append(await resolve_team(work, team.key(path), path=path))
    return Called(users=users, teams=teams)


@strawberry.type
class Mutations:
    @mutation(ThreadView, "Begin to talk about something.", needs=Permission.DISCUSS)
    async def thread_start(self, info: Info, input: ThreadStartInput) -> Thread:
        async with info.context.writing() as work:
            return await threads.start_thread(
                work,
                info.context.actor,
                await input.about.subject(work),
                text=input.text,
                asks=input.asks.asked() if input.asks else None,
                mentions=await _called(work, input),
            )

    @mutation(ThreadView, "Say something in a thread.", needs=Permission.DISCUSS)
    async def thread_reply(self, info: Info, input: ThreadReplyInput) -> Thread:
        async with info.context.writing() as work:
            return await threads.reply(
                work,
                info.context.actor,
                ids.expect("Thread", input.thread, path=("thread",)),
                text=input.text,
                asks=input.asks.asked() if input.asks else None,
                mentions=await _called(work, input),
            )

    @mutation(ThreadMessageView, "Put what you said in other words.", needs=Permission.DISCUSS)
    async def thread_message_edit(self, info: Info, input: ThreadMessageEditInput) -> ThreadMessage:
        message_id = ids.expect("ThreadMessage", input.message, path=("message",))
        async with info.context.writing() as work:
            return await threads.change_message(
                work, info.context.actor, message_id, text=input.text
            )

    @mutation(ThreadMessageView, "Take back what you said.", needs=Permission.DISCUSS)
    async def thread_message_retract(
        self, info: Info, input: ThreadMessageRetractInput
    ) -> ThreadMessage:
        message_id = ids.expect("ThreadMessage", input.message, path=("message",))
        async with info.context.writing() as work:
            return await threads.retract_message(work, info.context.actor, message_id)

    @mutation(MentionView, "Say that you have read where you are called.", needs=SIGNED_IN)
    async def mention_read(self, info: Info, input: MentionReadInput) -> Mention:
        mention_id = ids.expect("Mention", input.mention, path=("mention",))
        async with info.context.writing() as work:
            return await threads.read_mention(work, info.context.actor, mention_id)
