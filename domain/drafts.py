"""Many use cases in few statements: what they read is read ahead, what they write waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, TypeVar, cast
from uuid import UUID

from domain.errors import NotFound, StaleWrite
from domain.events import Event
from domain.ports import Question, Work

E = TypeVar("E")
A = TypeVar("A")
Place = tuple[type, UUID]
Sorting = Mapping[type, Callable[[Any], Any]]
Answers = Mapping[type, Callable[..., Awaitable[Any]]]

# The fields by which the parts of a lead are looked for.  They never change.
_BY = ("id", "lead_id", "handoff_id", "opportunity_id", "customer_id")
# Of what kind they hold the id; `id` holds the thing's own.
_WHOSE = {
    "lead_id": "Lead",
    "handoff_id": "Handoff",
    "opportunity_id": "Opportunity",
    "customer_id": "Customer",
}
# So few calls that nobody waits long, so many that the transaction does not wait for everybody.
_CALLS_A_TURN = 25


class Draft:
    """A work kept in memory until it is flushed, or thrown away.

    Every read sees what was written before.  What was read ahead is never asked for again, and
    neither is what could only belong to something that the draft made itself: so the ordinary use
    cases, one lead after the other, take no statement at all.  An entity takes its next version
    once a flush, however often it is saved.

    A call that waits for no database would let nobody else in the process go on; so now and then
    one gives the others a turn.

    Questions are put to the outer work, which knows nothing of the draft, unless `answers` has a
    function for them.  `order` names the kinds that others refer to, first things first, each with
    a sort key; with rows of unique indexes always written in one order, two drafts never deadlock.
    """

    def __init__(
        self, outer: Work, *, order: Sorting | None = None, answers: Answers | None = None
    ) -> None:
        self._outer = outer
        self._order = order or {}
        self._answers = answers or {}
        self._held: dict[type, dict[UUID, Any]] = {}
        self._shelves: dict[tuple[type, str, UUID], dict[UUID, None]] = {}
        self._whole: dict[tuple[type, str], set[UUID]] = {}
        self._made: set[tuple[str, UUID]] = set()
        self._new: dict[Place, None] = {}
        self._changed: dict[Place, int] = {}  # by the version that was read
        self._gone: list[tuple[type, Mapping[str, object]]] = []
        self._got: dict[tuple[Place, bool], Any] = {}
        self._found: dict[tuple[type, Hashable], Sequence[Any]] = {}
        self._calls = 0
        self._events: list[Event] = []
        self._counts: list[tuple[type, date, dict[str, int], dict[str, object]]] = []

    @property
    def tenant_id(self) -> UUID:
        return self._outer.tenant_id

    @property
    def now(self) -> datetime:
        return self._outer.now

    @property
    def size(self) -> int:
        """How many entities are kept in memory."""
        return sum(len(held) for held in self._held.values())

    def over(self, outer: Work) -> None:
        """Go on in another transaction, with everything that was read or written so far."""
        self._outer = outer
        self._got.clear()
        self._found.clear()

    async def read_ahead(
        self, kind: type[E], *, lock: bool = False, **keys: Iterable[UUID]
    ) -> Sequence[E]:
        """Read all entities of a kind with one of the keys in a field, and remember them all."""
        ((name, wanted),) = keys.items()
        known = self._whole.setdefault((kind, name), set())
        whose = _WHOSE.get(name, kind.__name__)
        missing = sorted(key for key in set(wanted) - known if (whose, key) not in self._made)
        found = await self._outer.find(kind, lock=lock, **{name: missing}) if missing else ()
        for entity in self._left(kind, found):
            if cast(Any, entity).id not in self._held.get(kind, ()):
                self._hold(entity)
        known.update(missing)
        return self._on_shelves(kind, name, {name: tuple(wanted)})

    async def get(self, kind: type[E], id: UUID, *, lock: bool = False) -> E:
        await self._give_a_turn()
        held = self._held.get(kind, {}).get(id)
        if held is not None:
            return cast("E", held)
        place = ((kind, id), lock)
        if place not in self._got:
            self._got[place] = await self._outer.get(kind, id, lock=lock)
        if not self._left(kind, (self._got[place],)):
            raise NotFound(kind.__name__.lower(), id=id)
        return cast("E", self._got[place])

    async def find(self, kind: type[E], /, *, lock: bool = False, **equals: object) -> Sequence[E]:
        await self._give_a_turn()
        for name in _BY:
            if name in equals and self._knows(kind, name, _values(equals[name])):
                return self._on_shelves(kind, name, equals)
        stored = self._left(kind, await self._search(kind, lock, equals))
        held = self._held.get(kind)
        if not held:
            return stored
        wanted = _looked_for(equals)
        mine = [entity for entity in held.values() if _fits(entity, wanted)]
        theirs = [entity for entity in stored if cast(Any, entity).id not in held]
        return sorted([*theirs, *mine], key=lambda entity: cast(Any, entity).id)

    async def add(self, entity: E) -> E:
        await self._give_a_turn()
        self._new[_place(entity)] = None
        self._made.add((type(entity).__name__, cast(Any, entity).id))
        self._hold(entity)
        return entity

    async def add_all(self, entities: Sequence[object]) -> None:
        for entity in entities:
            await self.add(entity)

    async def save(self, entity: E) -> E:
        await self._give_a_turn()
        place = _place(entity)
        held, version = self._held.get(place[0], {}).get(place[1]), cast(Any, entity).version
        if held is not None and held.version != version:
            raise StaleWrite(place[0].__name__.lower())
        if not self._waits(place):
            entity = cast("E", replace(cast(Any, entity), version=self._after(place, version)))
            self._changed[place] = version
        self._hold(entity)
        return entity

    async def save_all(self, entities: Sequence[object]) -> None:
        for entity in entities:
            await self.save(entity)

    async def delete(self, kind: type, **equals: object) -> None:
        await self._give_a_turn()
        self._gone.append((kind, equals))
        held = self._held.get(kind, {})
        wanted = _looked_for(equals)
        gone = [id for id, entity in held.items() if _fits(entity, wanted)]
        for id in gone:
            for name in _BY:
                self._shelves.get((kind, name, getattr(held[id], name, id)), {}).pop(id, None)
            del held[id]
            self._new.pop((kind, id), None)
            self._changed.pop((kind, id), None)

    async def ask(self, question: Question[A]) -> A:
        answer = self._answers.get(type(question))
        if answer is None:
            return await self._outer.ask(question)
        return cast("A", await answer(self, question))

    def record(self, event: Event) -> None:
        self._events.append(event)

    def count(self, tally: type, *, on: date, by: dict[str, int], **key: object) -> None:
        self._counts.append((tally, on, by, key))

    def forget_events(self, stale: Callable[[Event], bool]) -> None:
        """Leave unsaid what turned out not to have happened."""
        self._events = [event for event in self._events if not stale(event)]

    def made(self, kind: type[E]) -> Sequence[E]:
        """Return what was made of a kind and is not written yet."""
        return [self._held[kind][id] for waiting, id in self._new if waiting is kind]

    async def flush(self) -> None:
        """Write everything: what goes, and then each kind in one statement."""
        for kind, equals in self._gone:
            await self._outer.delete(kind, **equals)
        if self._gone:
            self._got.clear()
            self._found.clear()
            self._gone = []
        new = [self._held[kind][id] for kind, id in self._new]
        changed = [
            replace(self._held[kind][id], version=version)
            for (kind, id), version in self._changed.items()
        ]
        if new:
            await self._outer.add_all(self._sorted(new))
        if changed:
            await self._outer.save_all(self._sorted(changed))
        for event in self._events:
            self._outer.record(event)
        for tally, on, by, key in self._counts:
            self._outer.count(tally, on=on, by=by, **key)
        self._events, self._counts, self._new, self._changed = [], [], {}, {}

    async def _give_a_turn(self) -> None:
        """Let everybody else in the process go on first, now and then."""
        self._calls += 1
        if self._calls % _CALLS_A_TURN == 0:
            await asyncio.sleep(0)

    def _left(self, kind: type, entities: Sequence[Any]) -> Sequence[Any]:
        """Return what is not to go of what the outer work has."""
        gone = [_looked_for(equals) for other, equals in self._gone if other is kind]
        if not gone:
            return entities
        return [each for each in entities if not any(_fits(each, wanted) for wanted in gone)]

    def _waits(self, place: Place) -> bool:
        return place in self._new or place in self._changed

    def _after(self, place: Place, version: int) -> int:
        """Return the version of an entity once it is saved: while it waits, it keeps the one."""
        if self._waits(place):
            return version
        outer = self._outer
        return outer._after(place, version) if isinstance(outer, Draft) else version + 1

    def _hold(self, entity: object) -> None:
        kind, id = _place(entity)
        self._held.setdefault(kind, {})[id] = entity
        for name in _BY:
            key = getattr(entity, name, None)
            if key is not None:
                self._shelves.setdefault((kind, name, key), {})[id] = None

    def _knows(self, kind: type, name: str, keys: Sequence[Any]) -> bool:
        whole = self._whole.get((kind, name), ())
        # By kind: what is kept under the lead's own id is not the lead.
        whose = _WHOSE.get(name, kind.__name__)
        return all((whose, key) in self._made or key in whole for key in keys)

    def _on_shelves(self, kind: type, name: str, equals: Mapping[str, object]) -> list[Any]:
        held = self._held.get(kind, {})
        keys = dict.fromkeys(_values(equals[name]))
        ids = [id for key in keys for id in self._shelves.get((kind, name, key), ())]
        rest = _looked_for({field: value for field, value in equals.items() if field != name})
        found = [held[id] for id in ids if _fits(held[id], rest)]
        return found if len(keys) == 1 else sorted(found, key=lambda entity: entity.id)

    async def _search(self, kind: type, lock: bool, equals: Mapping[str, object]) -> Sequence[Any]:
        search = (lock, frozenset((name, _hashable(value)) for name, value in equals.items()))
        if (kind, search) not in self._found:
            self._found[kind, search] = await self._outer.find(kind, lock=lock, **equals)
        return self._found[kind, search]

    def _sorted(self, entities: list[Any]) -> list[Any]:
        ranks = {kind: rank for rank, kind in enumerate(self._order)}

        def key(entity: Any) -> tuple[int, Any]:
            sort = self._order.get(type(entity))
            return ranks.get(type(entity), len(ranks)), sort(entity) if sort else ()

        return sorted(entities, key=key)


def _place(entity: object) -> Place:
    return type(entity), cast(Any, entity).id


def _values(value: object) -> Sequence[Any]:
    return tuple(value) if isinstance(value, list | tuple | set | frozenset) else (value,)


def _hashable(value: object) -> Hashable:
    many = isinstance(value, list | tuple | set | frozenset)
    return frozenset(_values(value)) if many else value


def _looked_for(equals: Mapping[str, object]) -> Mapping[str, frozenset[Any]]:
    """Return the values that each field may have."""
    return {name: frozenset(_values(value)) for name, value in equals.items()}


def _fits(entity: object, wanted: Mapping[str, frozenset[Any]]) -> bool:
    return all(getattr(entity, name) in values for name, values in wanted.items())
