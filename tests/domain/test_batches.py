"""A batch is the same work in fewer statements."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.batches import Batch
from domain.errors import NotFound, StaleWrite
from domain.events import LeadCreated
from domain.ids import new_id
from domain.leads import Company, Lead
from domain.ports import Question
from domain.sla.clocks import SlaTally
from domain.stages import Stage
from tests.fakes import FakeWork

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


class Listening(FakeWork):
    """A fake that notes what it is asked to do."""

    def __init__(self, *entities: Any, **more: Any) -> None:
        super().__init__(NOON, *entities, **more)
        self.calls: list[tuple[Any, ...]] = []

    async def get(self, kind, id, *, lock=False):
        self.calls.append(("get", kind))
        return await super().get(kind, id, lock=lock)

    async def find(self, kind, /, *, lock=False, **equals):
        self.calls.append(("find", kind, equals))
        return await super().find(kind, lock=lock, **equals)

    async def add_all(self, entities):
        self.calls.append(("add_all", *entities))
        await super().add_all(entities)

    async def save_all(self, entities):
        self.calls.append(("save_all", *entities))
        await super().save_all(entities)


def a_lead(**values):
    return Lead(
        id=new_id(),
        stage=Stage.VISITOR,
        stage_entered_at=NOON,
        created_at=NOON,
        updated_at=NOON,
        **values,
    )


def a_company(**values):
    return Company(id=new_id(), name="Acme", created_at=NOON, **values)


async def test_nothing_is_written_before_the_flush_and_then_each_kind_once():
    old = a_lead(email="old@x.example")
    work = Listening(old)
    batch = Batch(work)
    first, second = a_lead(), a_lead()

    await batch.add(first)
    await batch.add_all([second])
    saved = await batch.save(replace(old, score=5))
    assert work.calls == []
    await batch.flush()
    await batch.flush()

    writes = [call for call in work.calls if call[0] in ("add_all", "save_all")]
    assert writes == [("add_all", first, second), ("save_all", replace(old, score=5))]
    assert saved == await work.get(Lead, old.id) == replace(old, score=5, version=2)


async def test_an_entity_takes_one_version_a_flush_however_often_it_is_saved():
    new, old = a_lead(), a_lead()
    work = Listening(old)
    batch = Batch(work)

    await batch.add(new)
    new = await batch.save(replace(new, score=1))
    new = await batch.save(replace(new, score=2))
    old = await batch.save(replace(old, score=1))
    await batch.save_all([replace(old, score=2)])
    await batch.flush()
    old = await batch.save(replace(await batch.get(Lead, old.id), score=3))
    await batch.flush()

    assert await work.get(Lead, new.id) == new
    assert (new.score, new.version) == (2, 1)
    assert await work.get(Lead, old.id) == old
    assert (old.score, old.version) == (3, 3)


async def test_a_stale_copy_cannot_be_saved():
    old = a_lead()
    batch = Batch(Listening(old))
    await batch.save(replace(old, score=1))

    with pytest.raises(StaleWrite):
        await batch.save(replace(old, score=2))


async def test_what_was_read_is_not_read_again():
    lead = a_lead(email="a@x.example")
    work = Listening(lead)
    batch = Batch(work)

    for _ in range(3):
        assert await batch.get(Lead, lead.id) == lead
        assert await batch.find(Lead, email=["a@x.example"]) == [lead]

    assert work.calls == [("get", Lead), ("find", Lead, {"email": ["a@x.example"]})]


async def test_what_was_written_is_seen_by_later_reads():
    old = a_lead()
    work = Listening(old)
    batch = Batch(work)
    assert await batch.find(Lead, score=0) == [old]
    new = await batch.add(a_lead())
    changed = await batch.save(replace(await batch.get(Lead, old.id), score=9))

    assert await batch.get(Lead, new.id) == new
    assert await batch.get(Lead, old.id) == changed
    assert await batch.find(Lead, score=0) == [new]
    assert await batch.find(Lead, score=9) == [changed]


async def test_what_does_not_exist_is_not_found():
    with pytest.raises(NotFound):
        await Batch(Listening()).get(Lead, new_id())


async def test_parents_are_written_first_and_each_kind_in_its_order():
    work = Listening()
    batch = Batch(
        work, order={Company: lambda company: company.domain, Lead: lambda lead: lead.email}
    )
    leads = [a_lead(email="b@x.example"), a_lead(email="a@x.example")]
    companies = [a_company(domain="b.example"), a_company(domain="a.example")]

    await batch.add_all([*leads, *companies])
    await batch.flush()

    assert work.calls == [("add_all", *reversed(companies), *reversed(leads))]


async def test_a_question_sees_what_was_written_before_it():
    class Everybody(Question[int]):
        pass

    work = Listening()
    work._answers = {Everybody: lambda question: len(work._stored)}
    batch = Batch(work)
    await batch.add(a_lead())

    assert await batch.ask(Everybody()) == 1


async def test_what_is_deleted_is_gone():
    old = a_lead()
    batch = Batch(Listening(old))
    new = await batch.add(a_lead())
    assert await batch.find(Lead) == [old, new]

    await batch.delete(Lead, id=new.id)

    assert await batch.find(Lead) == [old]


async def test_events_and_counts_are_the_outer_works():
    work = Listening()
    batch = Batch(work)
    event = LeadCreated(at=NOON, lead_id=new_id())
    commitment_id, day = new_id(), date(2026, 3, 10)

    batch.record(event)
    batch.count(SlaTally, on=day, by={"met": 1}, commitment_id=commitment_id)

    assert work.events == [event]
    assert work.counts == {(SlaTally, day, (("commitment_id", commitment_id),)): {"met": 1}}
    assert (batch.tenant_id, batch.now) == (work.tenant_id, NOON)
