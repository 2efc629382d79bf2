"""What comes back, in random working weeks, is what counting by hand would find."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.handoff import Handoff
from domain.ids import parse
from domain.outcomes import HandoffsWith, Outcome, outcomes_of
from domain.paging import Listing, PageRequest
from domain.sla.agreement import CommitmentKind
from tests.agreements import a_commitment, a_sla, sign
from tests.api.voices.counting import fruits, heard, leaking, told
from tests.api.voices.working_weeks import a_story
from tests.world import World

MONDAY = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
WHAT = """query($since: DateTime!, $silent: Duration!) {
  silent: handoffs(feedback: NONE, olderThan: $silent, first: 100) { totalCount nodes { id } }
  feedbackDigest(since: $since) { newsCount waitingCount counts { outcome count } }
  leaks(first: 100) { totalCount nodes { kind since age lead { id } team { id } } }
  leakReport { count totals { count } }
  fruitfulEfforts(by: CAMPAIGN) { key handedOff accepted acceptedShare feedbackShare won
    revenue { amount } leadRating { count average shrunk } campaignRating { count average shrunk }
  } }"""


@pytest.mark.parametrize("seed", range(1, 3))
async def test_every_hand_off_has_one_outcome_and_everybody_counts_the_same(
    world: World, seed: int
) -> None:
    world.at(MONDAY)
    sla = a_sla(world)
    await sign(world, a_commitment(sla, CommitmentKind.FEEDBACK, within_minutes=480), sla=sla)
    story = await a_story(world, seed)
    for _ in range(2):
        since = world.now
        await story.run(60)
        world.wait(hours=20)
        by_hand = await told(story)
        outcomes = {each.handoff.id: each.kind for each in by_hand}

        async with world.work() as work:
            handoffs = await work.find(Handoff)
            by_rule = await outcomes_of(work, handoffs)
            listed = {kind: await _ids(work, kind) for kind in Outcome}
        assert {h.id: o.kind for h, o in zip(handoffs, by_rule, strict=True)} == outcomes
        assert [o.attempts for o in by_rule] == [len(each.touches) for each in by_hand]
        # Each is in the list of its own outcome, and in no other.
        assert listed == {
            kind: sorted(id for id, each in outcomes.items() if each is kind) for kind in Outcome
        }
        await _check_counts(story, by_hand, since)


async def _ids(work: Any, kind: Outcome) -> list[UUID]:
    page = PageRequest(size=100)
    listing = Listing(kind=Handoff, only=HandoffsWith(outcome=kind), page=page)
    return sorted(handoff.id for handoff in (await work.ask(listing)).nodes)


async def _check_counts(story: Any, by_hand: Any, since: datetime) -> None:
    world, silent = story.world, timedelta(hours=5)
    answer = await world.data(WHAT, {"since": since.isoformat(), "silent": "PT5H"})
    quiet = [each.handoff for each in by_hand if each.kind is Outcome.NONE]
    old = {h.id for h in quiet if h.handed_off_at <= world.now - silent}
    assert {parse(each["id"])[1] for each in answer["silent"]["nodes"]} == old
    assert answer["silent"]["totalCount"] == len(old)

    digest, news = answer["feedbackDigest"], await heard(story, since)
    assert {each["outcome"]: each["count"] for each in digest["counts"]} == news
    assert (digest["newsCount"], digest["waitingCount"]) == (news.total(), len(quiet))

    leaks = {
        (
            each["kind"],
            parse(each["lead"]["id"])[1],
            parse(each["team"]["id"])[1],
            datetime.fromisoformat(each["since"]),
            _length(each["age"]),
        )
        for each in answer["leaks"]["nodes"]
    }
    assert leaks == await leaking(story)
    report = answer["leakReport"]
    assert report["count"] == len(leaks) == sum(each["count"] for each in report["totals"])

    efforts = {each.pop("key"): each for each in answer["fruitfulEfforts"]}
    assert efforts == await fruits(story)


def _length(text: str) -> timedelta:
    found = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", text)
    assert found is not None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
