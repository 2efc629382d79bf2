"""Many changes in few statements: the same use cases, row by row, over a work that writes last."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, TypeVar, cast
from uuid import UUID

from domain.errors import StaleWrite
from domain.events import Event
from domain.ports import Question, Work

E = TypeVar("E")
A = TypeVar("A")
Place = tuple[type, UUID]
Waiting = dict[type, dict[UUID, Any]]


class Batch:
    """A work that reads everything once and writes each kind in one statement, when flushed.

    What was written is seen by later reads: an entity from memory, and a search for a kind that
    waits to be written flushes first.  An entity takes its next version once a flush, however
    often it is saved.

    `order` names the kinds that others refer to, first things first, each with a sort key; with
    the rows of unique indexes always written in one order, two batches never deadlock over them.
    """

    def __init__(
        self, outer: Work, *, order: Mapping[type, Callable[[Any], Any]] | None = None
    ) -> None:
        self._outer = outer
        self._order = order or {}
        self._new: Waiting = {}
        self._changed: Waiting = {}
        self._got: dict[tuple[Place, bool], Any] = {}
        self._found: dict[type, dict[Hashable, Sequence[Any]]] = {}

    @property
    def tenant_id(self) -> UUID:
        return self._outer.tenant_id

    @property
    def now(self) -> datetime:
        return self._outer.now

    async def get(self, kind: type[E], id: UUID, *, lock: bool = False) -> E:
        place = (kind, id)
        held = self._held(place)
        if held is not None:
            return cast("E", held)
        if (place, lock) not in self._got:
            self._got[place, lock] = await self._outer.get(kind, id, lock=lock)
        return cast("E", self._got[place, lock])

    async def find(self, kind: type[E], /, *, lock: bool = False, **equals: object) -> Sequence[E]:
        if kind in self._new or kind in self._changed:
            await self.flush()
        search = (lock, tuple((name, _hashable(value)) for name, value in sorted(equals.items())))
        found = self._found.setdefault(kind, {})
        if search not in found:
            found[search] = await self._outer.find(kind, lock=lock, **equals)
        return found[search]

    async def add(self, entity: E) -> E:
        kind, id = _place(entity)
        self._forget((kind, id))
        self._new.setdefault(kind, {})[id] = entity
        return entity

    async def add_all(self, entities: Sequence[object]) -> None:
        for entity in entities:
            await self.add(entity)

    async def save(self, entity: E) -> E:
        kind, id = place = _place(entity)
        held, version = self._held(place), cast("Any", entity).version
        if held is not None and held.version != version:
            raise StaleWrite(kind.__name__.lower())
        self._forget(place)
        if id in self._new.get(kind, {}):
            self._new[kind][id] = entity
            return entity
        if held is None:
            entity = cast("E", replace(cast("Any", entity), version=version + 1))
        self._changed.setdefault(kind, {})[id] = entity
        return entity

    async def save_all(self, entities: Sequence[object]) -> None:
        for entity in entities:
            await self.save(entity)

    async def delete(self, kind: type, **equals: object) -> None:
        await self.flush()
        self._got, self._found = {}, {}
        await self._outer.delete(kind, **equals)

    async def ask(self, question: Question[A]) -> A:
        await self.flush()
        return await self._outer.ask(question)

    def record(self, event: Event) -> None:
        self._outer.record(event)

    def count(self, tally: type, *, on: date, by: dict[str, int], **key: object) -> None:
        self._outer.count(tally, on=on, by=by, **key)

    async def flush(self) -> None:
        """Write what waits to be written."""
        new, changed = self._in_order(self._new), self._in_order(self._changed)
        self._new, self._changed = {}, {}
        if new:
            await self._outer.add_all(new)
        if changed:
            read = [replace(entity, version=entity.version - 1) for entity in changed]
            await self._outer.save_all(read)

    def _held(self, place: Place) -> Any:
        kind, id = place
        return self._new.get(kind, {}).get(id) or self._changed.get(kind, {}).get(id)

    def _forget(self, place: Place) -> None:
        """Drop what was read and is no longer so."""
        for lock in (False, True):
            self._got.pop((place, lock), None)
        self._found.pop(place[0], None)

    def _in_order(self, waiting: Waiting) -> list[Any]:
        first = [kind for kind in self._order if kind in waiting]
        kinds = [*first, *(kind for kind in waiting if kind not in self._order)]
        return [
            entity
            for kind in kinds
            for entity in sorted(waiting[kind].values(), key=self._order.get(kind, _as_it_came))
        ]


def _as_it_came(entity: object) -> int:
    return 0


def _place(entity: object) -> Place:
    return type(entity), cast("Any", entity).id


def _hashable(value: object) -> Hashable:
    return tuple(value) if isinstance(value, list | set) else value
