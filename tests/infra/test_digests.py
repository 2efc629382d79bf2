"""Digests by mail, and the same by query."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog

from domain.digests import DigestSubscription
from domain.handoff_flow import reject_lead
from domain.identity import Tenant, User
from domain.ids import public
from domain.leads import ActivityKind
from domain.opportunities import (
    OpportunityDetails,
    OpportunityStatus,
    lose_opportunity,
    open_opportunity,
)
from infra.mail.letters import Letter
from infra.mail.queue import MailQueue
from tests.posting import Post, post
from tests.telling import accept, deal, hand_over, recycle, reject, touch
from tests.world import World

__all__ = ["post"]

SUBSCRIBE = """mutation($input: DigestSubscriptionStartInput!) {
  digestSubscriptionStart(input: $input) {
  digestSubscription { frequency since nextAt } userErrors { code } } }"""
UNSUBSCRIBE = """mutation { digestSubscriptionEnd {
  digestSubscription { frequency } userErrors { code } } }"""
MINE = "{ digestSubscription { frequency nextAt } }"
DIGEST = """query($since: DateTime!) { feedbackDigest(since: $since) {
  since until newsCount counts { outcome count } news { id outcome { kind } }
  waitingCount waiting { id } } }"""


async def subscribe(world: World, user: User, frequency: str = "DAILY") -> dict[str, Any]:
    input = {"input": {"frequency": frequency}}
    payload: dict[str, Any] = (await world.data(SUBSCRIBE, input, as_=user))[
        "digestSubscriptionStart"
    ]
    return payload


async def subscriptions(world: World) -> list[DigestSubscription]:
    async with world.work() as work:
        return list(await work.find(DigestSubscription))


async def test_a_digest_tells_what_became_of_every_lead(world: World, post: Post) -> None:
    await subscribe(world, world.marketer)
    names = ("Won", "Lost", "Met", "Called", "Refused", "Back", "Silent")
    handoffs = {name: await hand_over(world, first_name=name, last_name="Li") for name in names}
    world.wait(hours=1)
    await accept(world, handoffs["Won"])
    await deal(world, handoffs["Won"], OpportunityStatus.WON, 1_234_500)
    await deal(world, handoffs["Lost"], OpportunityStatus.LOST)
    await touch(world, handoffs["Met"], ActivityKind.MEETING)
    await touch(world, handoffs["Called"])
    await reject(world, handoffs["Refused"], "A student.\nNo budget.")
    await accept(world, handoffs["Back"])
    await recycle(world, handoffs["Back"])
    world.at(datetime(2026, 3, 11, 8, 0, tzinfo=UTC))

    await post.digests().queue_due()

    (letter,) = await post.letters(world.marketer)
    assert letter.subject == "What became of your leads"
    told = letter.text.splitlines()
    assert told[0] == (
        "Since 10 March 2026 you heard of 6 leads: 1 called or written to, 1 met,"
        " 1 recycled, 1 rejected, 1 won, 1 lost."
    )
    assert sorted(line for line in told if line.startswith("- ")) == [
        "- Back Li: recycled - Next year.",
        "- Called Li: called or written to, attempts: 1",
        "- Lost Li: lost, 100.00 EUR - Too dear.",
        "- Met Li: met",
        "- Refused Li: rejected - A student. No budget.",
        "- Silent Li, handed over on 10 March 2026",
        "- Won Li: won, 12,345.00 EUR",
    ]
    assert "Still waiting for sales: 1. Those that wait longest:" in told
    assert "https://app.example" in letter.text
    assert letter.html.count("<li>") == 7


async def test_the_same_is_there_to_be_asked_for(world: World) -> None:
    silent, answered = await hand_over(world), await hand_over(world)
    since = world.wait(hours=1).isoformat()
    world.wait(hours=1)
    await reject(world, answered)

    digest = (await world.data(DIGEST, {"since": since}, as_=world.marketer))["feedbackDigest"]
    nothing = await world.data(DIGEST, {"since": world.now.isoformat()}, as_=world.marketer)
    future = await world.ask(DIGEST, {"since": world.wait(hours=-1).isoformat()})
    later = (world.now + timedelta(hours=2)).isoformat()

    assert digest == {
        "since": "2026-03-10T13:00:00Z",
        "until": "2026-03-10T14:00:00Z",
        "newsCount": 1,
        "counts": [{"outcome": "REJECTED", "count": 1}],
        "news": [{"id": public("Handoff", answered.id), "outcome": {"kind": "REJECTED"}}],
        "waitingCount": 1,
        "waiting": [{"id": public("Handoff", silent.id)}],
    }
    assert nothing["feedbackDigest"]["newsCount"] == 0
    assert "errors" not in future
    refused = await world.ask(DIGEST, {"since": later})
    assert refused["errors"][0]["message"] == "This lies in the future."


async def test_each_digest_goes_on_where_the_last_one_ended(world: World, post: Post) -> None:
    await subscribe(world, world.marketer)
    handoff, silent = await hand_over(world, first_name="Ann"), await hand_over(world)
    world.wait(hours=1)
    await reject(world, handoff)
    for day in (11, 12, 13):
        world.at(datetime(2026, 3, day, 9, 30, tzinfo=UTC))
        await post.digests().queue_due()
    world.wait(hours=1)
    await accept(world, silent)
    world.at(datetime(2026, 3, 14, 9, 30, tzinfo=UTC))
    await post.digests().queue_due()
    world.at(datetime(2026, 3, 15, 9, 30, tzinfo=UTC))
    await post.digests().queue_due()

    letters = await post.letters(world.marketer)

    # On the last day there is nothing to tell, so nobody is bothered.
    assert [
        ("Ann" in letter.text, "no answer, no attempt" in letter.text) for letter in letters
    ] == [
        (True, False),
        (False, True),
        (False, True),
        (False, False),
    ]
    (subscription,) = await subscriptions(world)
    assert subscription.next_at == datetime(2026, 3, 16, 8, 0, tzinfo=UTC)


async def test_however_many_workers_there_are_each_digest_is_queued_once(
    world: World, post: Post
) -> None:
    people = (world.marketer, world.owner, world.analyst)
    for user in people:
        await subscribe(world, user)
    await hand_over(world)
    world.wait(days=1)

    await asyncio.gather(*(post.digests().queue_due() for _ in range(4)))

    assert sorted(letter.to for letter in await post.letters(*people)) == sorted(
        user.email for user in people
    )


async def test_a_worker_that_dies_before_the_end_leaves_the_digest_to_another(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    await subscribe(world, world.marketer)
    await hand_over(world, first_name="Ann", last_name="Secret")
    world.wait(days=1)
    put = MailQueue.put

    async def dying(*arguments: Any, **more: Any) -> None:
        await put(*arguments, **more)
        raise RuntimeError("Ann Secret")

    monkeypatch.setattr(MailQueue, "put", dying)
    with structlog.testing.capture_logs() as logs:
        await post.digests().queue_due()
    monkeypatch.undo()
    died = await post.letters(world.marketer)
    await post.digests().queue_due()

    assert died == []
    assert len(await post.letters(world.marketer)) == 1
    mine = [log for log in logs if log.get("tenant_id") == str(world.tenant.id)]
    assert [(log["event"], log["kind"], log["error"]) for log in mine] == [
        ("letter.failed", "digest", "RuntimeError")
    ]
    assert "Secret" not in str(logs)


async def test_a_digest_tells_of_ones_own_teams_and_nobody_elses_tenant(
    world: World, other_world: World, post: Post
) -> None:
    await subscribe(world, world.marketer)
    await hand_over(world, first_name="Ours")
    await hand_over(other_world, first_name="Theirs")
    foreign = await hand_over(world, first_name="Others")
    async with world.work() as work:
        team = replace(world.marketing, id=foreign.id, name="Other marketing")
        await work.add(team)
        await work.connection.execute(
            "UPDATE handoffs SET from_team_id = $1 WHERE id = $2", team.id, foreign.id
        )
    world.wait(days=1)

    await post.digests().queue_due()

    (letter,) = await post.letters(world.marketer)
    assert "Ours" in letter.text
    assert "Others" not in letter.text
    assert "Theirs" not in letter.text


async def test_a_digest_is_a_users_own_choice(world: World, post: Post) -> None:
    weekly = await subscribe(world, world.marketer, "WEEKLY")
    daily = await subscribe(world, world.marketer, "DAILY")
    mine = await world.data(MINE, as_=world.marketer)
    others = await world.data(MINE, as_=world.rep)
    await hand_over(world)
    over = await world.data(UNSUBSCRIBE, as_=world.marketer)
    again = await world.data(UNSUBSCRIBE, as_=world.marketer)
    world.wait(days=8)
    await post.digests().queue_due()

    def told(frequency: str, next_at: str) -> dict[str, Any]:
        subscription = {"frequency": frequency, "since": "2026-03-10T12:00:00Z", "nextAt": next_at}
        return {"digestSubscription": subscription, "userErrors": []}

    assert weekly == told("WEEKLY", "2026-03-16T08:00:00Z")
    assert daily == told("DAILY", "2026-03-11T08:00:00Z")
    assert mine == {"digestSubscription": {"frequency": "DAILY", "nextAt": "2026-03-11T08:00:00Z"}}
    assert others == {"digestSubscription": None}
    assert over["digestSubscriptionEnd"]["userErrors"] == []
    assert again["digestSubscriptionEnd"] == {
        "digestSubscription": None,
        "userErrors": [{"code": "NOT_FOUND"}],
    }
    assert await post.letters(world.marketer) == []


async def test_who_has_left_gets_no_digest(world: World, post: Post) -> None:
    await subscribe(world, world.marketer)
    await hand_over(world)
    async with world.work() as work:
        user = await work.get(User, world.marketer.id)
        await work.save(replace(user, active=False))
    world.wait(days=1)

    await post.digests().queue_due()

    assert await post.letters(world.marketer) == []


async def test_what_is_told_late_is_news_all_the_same(world: World, post: Post) -> None:
    """An integration tells after the digest what was before it."""
    await subscribe(world, world.marketer)
    handoff, sold = await hand_over(world, first_name="Ann"), await hand_over(world)
    await accept(world, sold)
    world.at(datetime(2026, 3, 11, 8, 0, tzinfo=UTC))
    await post.digests().queue_due()
    await post.letters(world.marketer)
    world.wait(hours=1)
    async with world.work() as work:
        actor, at = world.actor(world.rep), world.now - timedelta(hours=2)
        await reject_lead(work, actor, handoff.lead_id, reason="A student.", at=at)
        details = OpportunityDetails(name="Plant", opened_at=at)
        opened = await open_opportunity(work, actor, sold.lead_id, details)
        await lose_opportunity(work, actor, opened.id, reason="Too dear.", at=at)
    world.at(datetime(2026, 3, 12, 8, 0, tzinfo=UTC))

    await post.digests().queue_due()

    (letter,) = await post.letters(world.marketer)
    assert "you heard of 2 leads: 1 rejected, 1 lost." in letter.text
    assert "- Ann" in letter.text


async def test_what_is_just_being_stored_is_told_the_next_time(world: World, post: Post) -> None:
    """A transaction knows the time when it begins, and is seen when it ends."""
    await subscribe(world, world.marketer)
    handoff = await hand_over(world)
    world.at(datetime(2026, 3, 11, 8, 0, tzinfo=UTC))
    async with world.work() as storing:
        actor = world.actor(world.rep)
        await reject_lead(storing, actor, handoff.lead_id, reason="A student.")
        world.wait(seconds=5)
        await post.digests().queue_due()
    first = await post.letters(world.marketer)
    world.wait(days=1)

    await post.digests().queue_due()

    second = await post.letters(world.marketer)
    assert ["no answer, no attempt and no deal" in letter.text for letter in first] == [True]
    assert ["1 rejected" in letter.text for letter in second] == [True]


async def test_one_digest_that_cannot_be_made_keeps_nobody_elses(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = (world.marketer, world.owner, world.analyst)
    for user in people:
        await subscribe(world, user)
        world.wait(seconds=1)
    await hand_over(world)
    world.wait(days=1)
    put = MailQueue.put

    async def picky(self: MailQueue, connection: Any, letter: Any, **more: Any) -> None:
        if letter.to == world.marketer.email:
            raise RuntimeError
        await put(self, connection, letter, **more)

    monkeypatch.setattr(MailQueue, "put", picky)
    await post.digests().queue_due()
    monkeypatch.undo()
    others = await post.letters(*people)
    await post.digests().queue_due()

    assert {letter.to for letter in others} == {world.owner.email, world.analyst.email}
    assert [letter.to for letter in await post.letters(*people)] == [world.marketer.email]


async def test_days_are_those_of_the_tenants_clocks(world: World, post: Post) -> None:
    async with world.work() as work:
        tenant = await work.get(Tenant, world.tenant.id)
        await work.save(replace(tenant, time_zone="Pacific/Auckland"))
    await subscribe(world, world.marketer)
    await hand_over(world, first_name="Ann", last_name="Li")
    world.wait(days=1)

    await post.digests().queue_due()

    # Noon in Greenwich is an hour past midnight there.
    (letter,) = await post.letters(world.marketer)
    assert "Since 11 March 2026 there was no answer, no attempt and no deal." in letter.text
    assert "- Ann Li, handed over on 11 March 2026" in letter.text


async def test_a_letter_is_good_until_the_next_one(world: World, post: Post) -> None:
    await subscribe(world, world.marketer, "WEEKLY")
    await hand_over(world)
    world.at(datetime(2026, 3, 16, 8, 0, tzinfo=UTC))

    await post.digests().queue_due()

    taken = await post.queue.take(100)
    (mine,) = [
        each
        for each in taken
        if isinstance(each.errand, Letter) and each.errand.to == world.marketer.email
    ]
    assert mine.expires_at == datetime(2026, 3, 23, 8, 0, tzinfo=UTC)
    await post.queue.done(mine)
