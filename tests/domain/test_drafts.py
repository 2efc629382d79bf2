"""A draft is the same work in fewer statements."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import pairwise
from uuid import UUID

import pytest

from domain.drafts import Draft
from domain.errors import NotFound, StaleWrite
from domain.events import LeadCreated
from domain.goals.targets import MetricTally
from domain.ids import new_id
from domain.leads import LeadExternalId
from domain.ports import Question
from domain.provenance import LeadProvenance
from tests.agreements import an_mql
from tests.fakes import FakeWork

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    id: UUID
    lead_id: UUID
    text: str
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class HowMany(Question[int]):
    pass


class CountingWork(FakeWork):
    """Counts what it is asked for, and notes what is written at once."""

    statements = 0

    def __init__(self, *given, **options):
        super().__init__(*given, **options)
        self.written = []

    async def get(self, *given, **options):
        self.statements += 1
        return await super().get(*given, **options)

    async def find(self, *given, **options):
        self.statements += 1
        return await super().find(*given, **options)

    async def add_all(self, entities):
        self.written.append(("added", *entities))
        await super().add_all(entities)

    async def save_all(self, entities):
        self.written.append(("saved", *entities))
        await super().save_all(entities)


def a_note(text: str = "a", lead_id: UUID | None = None) -> Note:
    return Note(id=new_id(), lead_id=lead_id or new_id(), text=text)


async def test_what_is_written_waits_for_the_flush_and_is_seen_before():
    old, new = a_note("old"), a_note("new")
    outer = FakeWork(NOON, old)
    draft = Draft(outer)

    await draft.add(new)
    changed = await draft.save(replace(old, text="changed"))

    assert await draft.get(Note, new.id) == new
    assert await draft.get(Note, old.id) == changed
    assert await draft.find(Note) == [changed, new]
    assert await outer.find(Note) == [old]
    await draft.flush()
    assert await outer.find(Note) == [replace(old, text="changed", version=2), new]


async def test_nothing_is_written_before_the_flush_and_then_everything_once():
    old = a_note("old")
    outer = CountingWork(NOON, old)
    draft = Draft(outer)
    first, second = a_note(), a_note()

    await draft.add(first)
    await draft.add_all([second])
    await draft.save(replace(old, text="changed"))
    await draft.save(replace(second, text="changed at once"))
    assert (outer.written, outer.statements) == ([], 0)
    await draft.flush()
    await draft.flush()

    assert outer.written == [
        ("added", first, replace(second, text="changed at once")),
        ("saved", replace(old, text="changed")),
    ]


async def test_an_entity_takes_its_next_version_once_a_flush():
    old, new = a_note(), a_note()
    outer = FakeWork(NOON, old)
    draft = Draft(outer)

    once = await draft.save(replace(old, text="b"))
    twice = await draft.save(replace(once, text="c"))
    new = await draft.save(replace(await draft.add(new), text="b"))

    assert (once.version, twice.version, new.version) == (2, 2, 1)
    with pytest.raises(StaleWrite):
        await draft.save(replace(old, text="d"))
    await draft.flush()
    again = await draft.save(replace(await draft.get(Note, old.id), text="e"))
    await draft.flush()
    assert again == replace(old, text="e", version=3)
    assert await outer.find(Note) == [again, new]


async def test_what_somebody_else_has_saved_since_is_not_overwritten():
    old = a_note()
    outer = FakeWork(NOON, old)
    draft = Draft(outer)
    await draft.save(replace(old, text="b"))
    theirs = await outer.save(replace(old, text="theirs"))

    with pytest.raises(StaleWrite):
        await draft.flush()

    assert await outer.find(Note) == [theirs]


async def test_what_no_longer_matches_is_not_found_and_what_does_now_is():
    one, two = a_note("a"), a_note("b")
    draft = Draft(FakeWork(NOON, one, two))

    moved = await draft.save(replace(one, text="b"))

    assert await draft.find(Note, text="a") == []
    assert await draft.find(Note, text=("b", "c")) == [moved, two]


async def test_what_was_read_ahead_is_not_asked_for_again():
    lead_id = new_id()
    one, two, other = a_note("a", lead_id), a_note("b", lead_id), a_note()
    outer = CountingWork(NOON, one, two, other)
    draft = Draft(outer)

    assert await draft.read_ahead(Note, lead_id=[lead_id]) == [one, two]
    assert await draft.find(Note, lead_id=lead_id) == [one, two]
    assert await draft.find(Note, lead_id=lead_id, text="b") == [two]
    assert await draft.get(Note, one.id) == one
    assert outer.statements == 1
    assert await draft.find(Note, lead_id=(lead_id, other.lead_id)) == [one, two, other]
    assert outer.statements == 2


async def test_the_same_is_asked_for_once():
    note = a_note("a")
    outer = CountingWork(NOON, note)
    draft = Draft(outer)

    for _ in range(3):
        assert await draft.get(Note, note.id) == note
        assert await draft.find(Note, text=["a", "b"]) == [note]
        assert await draft.find(Note, text="c") == []

    assert outer.statements == 3


async def test_what_belongs_to_something_new_can_only_be_new():
    outer = CountingWork(NOON)
    draft = Draft(outer)
    lead = await draft.add(an_mql(NOON))
    part = await draft.add(a_note(lead_id=lead.id))

    assert await draft.find(Note, lead_id=lead.id) == [part]
    assert outer.statements == 0


async def test_what_is_kept_under_a_leads_own_id_does_not_make_the_lead_new():
    lead = an_mql(NOON)
    note = a_note(lead_id=lead.id)
    draft = Draft(CountingWork(NOON, lead, note))
    await draft.add(LeadProvenance(id=lead.id, facts=()))

    assert await draft.find(Note, lead_id=lead.id) == [note]


async def test_events_and_counters_are_told_at_the_flush_and_once():
    outer = FakeWork(NOON)
    draft = Draft(outer)
    kept, stale = (LeadCreated(at=NOON, lead_id=new_id()) for _ in range(2))
    draft.record(kept)
    draft.record(stale)
    draft.count(MetricTally, on=date(2026, 3, 10), by={"amount": 1}, metric="MQLS")

    draft.forget_events(lambda event: event is stale)
    assert (outer.events, outer.counts) == ([], {})
    await draft.flush()
    await draft.flush()

    assert outer.events == [kept]
    assert list(outer.counts.values()) == [{"amount": 1}]


async def test_unique_values_are_written_in_one_order_and_parents_first():
    outer = FakeWork(NOON)
    draft = Draft(outer, order={Note: lambda note: note.text, LeadExternalId: lambda n: n.value})
    name = LeadExternalId(id=new_id(), lead_id=new_id(), source="s", value="v", created_at=NOON)
    late, early = a_note("b"), a_note("a")

    await draft.add_all([name, late, early])
    await draft.flush()

    assert list(outer._stored.values()) == [early, late, name]


async def test_changes_are_written_in_the_same_order():
    one, two = a_note("1"), a_note("2")
    outer = CountingWork(NOON, one, two)
    draft = Draft(outer, order={Note: lambda note: note.text})

    await draft.save(replace(one, text="b"))
    await draft.save(replace(two, text="a"))
    await draft.flush()

    assert outer.written == [("saved", replace(two, text="a"), replace(one, text="b"))]


async def test_a_draft_of_a_draft_is_kept_until_both_are_flushed():
    old = a_note("old")
    outer = FakeWork(NOON, old)
    draft = Draft(outer)
    await draft.save(replace(old, text="b"))
    inner = Draft(draft)

    changed = await inner.save(replace(await inner.get(Note, old.id), text="c"))
    new = await inner.add(a_note("new"))
    inner.record(LeadCreated(at=NOON, lead_id=new.id))
    assert await draft.find(Note, text=("c", "new")) == []
    await inner.flush()

    again = await inner.save(replace(changed, text="d"))
    await inner.flush()

    assert again == replace(old, text="d", version=2)
    assert (await draft.find(Note), outer.events) == ([again, new], [])
    assert await outer.find(Note) == [old]
    await draft.flush()
    assert await outer.find(Note) == [again, new]
    assert outer.events == [LeadCreated(at=NOON, lead_id=new.id)]


async def test_a_long_draft_does_not_keep_others_waiting_to_its_end():
    draft, seen = Draft(FakeWork(NOON)), []

    async def write() -> None:
        for _ in range(1000):
            await draft.add(a_note())

    writing = asyncio.create_task(write())
    while not writing.done():
        await asyncio.sleep(0)
        seen.append(draft.size)

    assert seen == sorted(seen)
    assert max(after - before for before, after in pairwise(seen)) <= 25


async def test_a_draft_can_go_on_in_another_transaction_and_be_thrown_away():
    old = a_note()
    first, second = FakeWork(NOON, old), FakeWork(NOON, old)
    draft = Draft(first)
    new = await draft.add(a_note())
    draft.over(second)

    assert await draft.find(Note) == [old, new]
    assert await second.find(Note) == [old]
    assert draft.size == 1


async def test_a_question_is_answered_by_the_draft_if_it_can():
    async def two(draft: Draft, question: HowMany) -> int:
        return 2

    outer = FakeWork(NOON, answers={HowMany: lambda question: 1})

    assert await Draft(outer).ask(HowMany()) == 1
    assert await Draft(outer, answers={HowMany: two}).ask(HowMany()) == 2


async def test_what_is_not_there_is_not_found():
    with pytest.raises(NotFound):
        await Draft(FakeWork(NOON)).get(Note, new_id())


async def test_what_was_removed_is_gone_from_memory_too():
    lead_id = new_id()
    one, two = a_note("a", lead_id), a_note("b", lead_id)
    outer = FakeWork(NOON, one)
    draft = Draft(outer)
    await draft.read_ahead(Note, lead_id=[lead_id])
    await draft.add(two)

    await draft.delete(Note, text="a")

    assert await draft.find(Note, lead_id=lead_id) == [two]
    with pytest.raises(NotFound):
        await draft.get(Note, one.id)
    assert await outer.find(Note) == [one]
    await draft.flush()
    assert await outer.find(Note) == [two]


async def test_a_draft_that_is_thrown_away_removes_nothing():
    lead_id = new_id()
    one, two = a_note("a", lead_id), a_note("b", lead_id)
    draft = Draft(FakeWork(NOON, one))
    await draft.add(two)
    own = Draft(draft)

    await own.delete(Note, lead_id=lead_id)

    assert await own.find(Note, lead_id=lead_id) == []
    assert await draft.find(Note, lead_id=lead_id) == [one, two]


async def test_what_is_removed_and_made_anew_is_there_anew():
    one = a_note("a", new_id())
    outer = FakeWork(NOON, one)
    draft = Draft(outer)
    own = Draft(draft)
    await own.find(Note)

    await own.delete(Note, id=one.id)
    await own.add(replace(one, text="b"))
    await own.flush()
    await draft.flush()

    assert await draft.find(Note) == await outer.find(Note) == [replace(one, text="b")]
