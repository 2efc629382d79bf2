"""A work without a database, for tests of use cases.  One contract suite runs against both."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from domain.attribution import LeadsWithDeals, SettleCampaigns
from domain.errors import NotFound, StaleWrite
from domain.events import Event
from domain.ids import new_id
from domain.leads import Lead
from domain.locking import GiveBackLocks, MarkLocks
from domain.normal_forms import DomainsOf, PhonesOf
from domain.ports import Question
from domain.scoring.rescoring import MarkDue
from domain.touch_intake import LeadsAtAddresses, LockedLeads
from infra.queries.normal_forms import domains_of, phones_of

E = TypeVar("E")
A = TypeVar("A")


# What libraries answer, and no database has to.
_WITHOUT_A_DATABASE: dict[type, Callable[[Any], Any]] = {
    PhonesOf: partial(phones_of, None),
    DomainsOf: partial(domains_of, None),
    # Attribution is tested against the database; here nobody has a deal to credit.
    SettleCampaigns: lambda _: None,
    LeadsWithDeals: lambda _: (),
    # Nobody else is here who could hold a lock.
    MarkLocks: lambda _: None,
    GiveBackLocks: lambda _: None,
    # So are gradings; here none has come due.
    MarkDue: lambda _: 0,
}


class FakeWork:
    """Keeps entities in a dict.  Questions are answered by functions the test gives."""

    def __init__(
        self,
        now: datetime,
        *entities: Any,
        answers: dict[type, Callable[[Any], Awaitable[Any] | Any]] | None = None,
    ) -> None:
        self.now = now
        self.tenant_id = new_id()
        self.events: list[Event] = []
        self.counts: dict[tuple[type, date, tuple[tuple[str, object], ...]], dict[str, int]] = {}
        self._answers = {
            **_WITHOUT_A_DATABASE,
            LeadsAtAddresses: self._leads_at_addresses,
            LockedLeads: self._locked_leads,
            **(answers or {}),
        }
        self._stored: dict[tuple[type, UUID], Any] = {(type(e), e.id): e for e in entities}

    async def get(self, kind: type[E], id: UUID, *, lock: bool = False) -> E:
        if (kind, id) not in self._stored:
            raise NotFound(kind.__name__.lower(), id=id)
        found: E = self._stored[kind, id]
        return found

    async def find(self, kind: type[E], /, *, lock: bool = False, **equals: object) -> Sequence[E]:
        def fits(value: object, wanted: object) -> bool:
            return value in wanted if isinstance(wanted, list | tuple | set) else value == wanted

        kept = [e for (k, _), e in sorted(self._stored.items(), key=_by_id) if k is kind]
        return [e for e in kept if all(fits(getattr(e, n), v) for n, v in equals.items())]

    async def add(self, entity: E) -> E:
        self._stored[type(entity), entity.id] = entity  # type: ignore[attr-defined]  # every entity has an id
        return entity

    async def add_all(self, entities: Sequence[object]) -> None:
        for entity in entities:
            await self.add(entity)

    async def save(self, entity: E) -> E:
        kept: Any = await self.get(type(entity), entity.id)  # type: ignore[attr-defined]  # as above
        if kept.version != entity.version:  # type: ignore[attr-defined]  # as above
            raise StaleWrite(type(entity).__name__.lower())
        return await self.add(replace(entity, version=kept.version + 1))  # type: ignore[type-var]  # a dataclass

    async def save_all(self, entities: Sequence[object]) -> None:
        for entity in entities:
            await self.save(entity)

    async def delete(self, kind: type, **equals: object) -> None:
        for entity in await self.find(kind, **equals):
            del self._stored[kind, entity.id]  # type: ignore[attr-defined]  # as above

    async def ask(self, question: Question[A]) -> A:
        answer = self._answers[type(question)](question)
        return (await answer) if isinstance(answer, Awaitable) else answer  # type: ignore[no-any-return]  # the test's own

    async def _leads_at_addresses(self, question: LeadsAtAddresses) -> dict[str, UUID]:
        found = await self.find(Lead, email=question.emails)
        return {lead.email: lead.id for lead in found if lead.email is not None}

    async def _locked_leads(self, question: LockedLeads) -> dict[UUID, str | None]:
        return {lead.id: lead.email for lead in await self.find(Lead, id=question.ids)}

    def record(self, event: Event) -> None:
        self.events.append(event)

    def count(self, tally: type, *, on: date, by: dict[str, int], **key: object) -> None:
        counters = self.counts.setdefault((tally, on, tuple(sorted(key.items()))), {})
        for name, amount in by.items():
            counters[name] = counters.get(name, 0) + amount


def _by_id(entry: tuple[tuple[type, UUID], Any]) -> UUID:
    return entry[0][1]
