"""One tenant's transaction: the `Work` that use cases are given, over PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, TypeVar, cast
from uuid import UUID

import orjson
import sqlalchemy as sa

from domain.audit import Cause
from domain.errors import NotFound, StaleWrite
from domain.events import Event
from domain.ids import new_id
from domain.ports import Question
from infra.audit.chaining import append
from infra.audit.trail import Trail
from infra.rows import plain, reader_of, table_of, values_of
from infra.statements import (
    INSERT_OUTBOX,
    arrays_of,
    count_text,
    insert_many_text,
    insert_text,
    of_tenant,
    select_text,
    shape_of,
    spoken,
    tally_columns,
    update_many_text,
    update_text,
)
from infra.tracing import traceparent

E = TypeVar("E")
A = TypeVar("A")

Record = Sequence[Any]


class PostgresWork:
    """One transaction of one tenant over one connection.  See `domain.ports.Work`."""

    def __init__(
        self,
        connection: Any,
        tenant_id: UUID,
        now: datetime,
        by: UUID | None = None,
        cause: Cause | None = None,
    ) -> None:
        self.connection = connection
        self.recorded = False
        self._tenant_id = tenant_id
        self._now = now
        self._by = by
        self.trail = Trail(cause)
        self._events: list[Event] = []
        self._counts: dict[tuple[type, tuple[Any, ...]], dict[str, int]] = {}

    @property
    def tenant_id(self) -> UUID:
        return self._tenant_id

    @property
    def now(self) -> datetime:
        return self._now

    async def get(self, kind: type[E], id: UUID, *, lock: bool = False) -> E:
        row = await self.connection.fetchrow(
            select_text(kind, ("id",), (), lock), self._tenant_id, id
        )
        if row is None:
            raise NotFound(spoken(kind), id=id)
        found: E = reader_of(kind)(row)
        self.trail.read(kind, (found,))
        return found

    async def find(self, kind: type[E], /, *, lock: bool = False, **equals: object) -> Sequence[E]:
        names = tuple(sorted(equals))
        values = [equals[name] for name in names]
        shapes = tuple(shape_of(value) for value in values)
        given = [list(v) if isinstance(v, set | frozenset | tuple) else v for v in values]
        statement = select_text(kind, names, shapes, lock)
        rows = await self.connection.fetch(
            statement, self._tenant_id, *(value for value in given if value is not None)
        )
        found = [reader_of(kind)(row) for row in rows]
        self.trail.read(kind, found)
        return found

    async def add(self, entity: E) -> E:
        await self.connection.execute(
            insert_text(type(entity)), self._tenant_id, *values_of(entity)
        )
        self.trail.added(type(entity), (entity,))
        return entity

    async def add_all(self, entities: Sequence[object]) -> None:
        by_kind: dict[type, list[object]] = {}
        for entity in entities:
            by_kind.setdefault(type(entity), []).append(entity)
        for kind, members in by_kind.items():
            await self._insert_many(kind, members)
            self.trail.added(kind, members)

    async def save(self, entity: E) -> E:
        version = cast(Any, entity).version
        await self._know(type(entity), (entity,))
        status = await self.connection.execute(
            update_text(type(entity)), self._tenant_id, version, *values_of(entity)
        )
        if status == "UPDATE 0":
            await self.get(type(entity), cast(Any, entity).id)
            raise StaleWrite(spoken(type(entity)))
        stored = _later(entity)
        self.trail.changed(type(entity), (stored,))
        return stored

    async def save_all(self, entities: Sequence[object]) -> None:
        by_kind: dict[type, list[object]] = {}
        for entity in entities:
            by_kind.setdefault(type(entity), []).append(entity)
        for kind, members in by_kind.items():
            await self._know(kind, members)
            status = await self.connection.execute(
                update_many_text(kind), self._tenant_id, *arrays_of(kind, members)
            )
            if status != f"UPDATE {len(members)}":
                raise StaleWrite(spoken(kind))
            self.trail.changed(kind, [_later(entity) for entity in members])

    async def ask(self, question: Question[A]) -> A:
        from infra.queries import answer  # the queries need this module

        return cast(A, await answer(self, question))

    def record(self, event: Event) -> None:
        self._events.append(event)

    def count(self, tally: type, *, on: date, by: Mapping[str, int], **key: object) -> None:
        place = (tally, tuple(sorted({**key, "on": on}.items())))
        counters = self._counts.setdefault(place, {})
        for name, amount in by.items():
            counters[name] = counters.get(name, 0) + amount

    async def delete(self, kind: type, **equals: object) -> None:
        """Remove rows.  Only what nobody refers to may go."""
        table = table_of(kind)
        gone = await self.find(kind, lock=True, **equals) if self.trail.follows(kind) else ()
        await self.execute(sa.delete(table).where(*(table.c[k] == v for k, v in equals.items())))
        self.trail.removed(kind, gone)

    def note(self, subject: object) -> None:
        """Have the audit log say that something was done which changed nothing of the subject."""
        self.trail.noted(subject)

    async def fetch(self, kind: type[E], statement: sa.Select[Any]) -> list[E]:
        """Return the entities that a statement over `rows_of(kind)` selects."""
        read = reader_of(kind)
        found = [read(row) for row in await self.rows(statement)]
        self.trail.read(kind, found)
        return found

    async def rows(self, statement: sa.Select[Any]) -> Sequence[Record]:
        """Return the records a statement selects among this tenant's rows."""
        text, values = of_tenant(statement, self._tenant_id)
        rows: Sequence[Record] = await self.connection.fetch(text, *values)
        return rows

    async def execute(self, statement: sa.Update | sa.Delete) -> int:
        """Change this tenant's rows and return how many were changed."""
        text, values = of_tenant(statement, self._tenant_id)
        status: str = await self.connection.execute(text, *values)
        return int(status.rpartition(" ")[2])

    async def flush(self) -> None:
        """Write counters, events and the audit log, in this order.

        Nothing more may be done with this work afterwards.
        """
        await self.flush_part()
        # Last, because from here on nobody else can write for the tenant until the commit.
        if records := self.trail.take(self._now):
            await append(self.connection, self._tenant_id, records)

    async def flush_part(self) -> None:
        """Write counters and events; the audit log is written by whoever ends the transaction."""
        for (tally, _), group in _grouped(self._counts).items():
            await self._add_counts(tally, group)
        self._counts.clear()
        if self._events:
            await self._write_outbox()

    async def _know(self, kind: type, entities: Sequence[object]) -> None:
        """Read what is about to be changed, where it was not read as it stands."""
        if missing := self.trail.unknown(kind, entities):
            await self.find(kind, id=missing)

    async def _insert_many(self, kind: type, members: list[object]) -> None:
        arrays = arrays_of(kind, members)
        await self.connection.execute(insert_many_text(kind), self._tenant_id, *arrays)

    async def _add_counts(
        self, tally: type, group: list[tuple[dict[str, Any], dict[str, int]]]
    ) -> None:
        keys, counters = tally_columns(tally)
        group.sort(key=lambda entry: [str(entry[0][name]) for name in keys])
        arrays = [[key[name] for key, _ in group] for name in keys]
        arrays += [[by.get(name, 0) for _, by in group] for name in counters]
        await self.connection.execute(count_text(tally), self._tenant_id, *arrays)

    async def _write_outbox(self) -> None:
        batch, events = new_id(), self._events
        await self.connection.execute(
            INSERT_OUTBOX,
            self._tenant_id,
            batch,
            list(range(len(events))),
            [new_id() for _ in events],
            [type(event).__name__ for event in events],
            [event.at for event in events],
            self._now,
            [event.by or self._by for event in events],
            [orjson.dumps(plain(event)).decode() for event in events],
            traceparent(),
        )
        self._events = []
        self.recorded = True


def _later(entity: E) -> E:
    """Return an entity as it is once it is saved."""
    stored: E = replace(cast(Any, entity), version=cast(Any, entity).version + 1)
    return stored


def _grouped(
    counts: Mapping[tuple[type, tuple[Any, ...]], dict[str, int]],
) -> dict[tuple[type, str], list[tuple[dict[str, Any], dict[str, int]]]]:
    """Return counters by tally, the tallies in one order for everybody."""
    groups: dict[tuple[type, str], list[tuple[dict[str, Any], dict[str, int]]]] = {}
    for (tally, key), by in sorted(counts.items(), key=lambda entry: entry[0][0].__name__):
        if any(by.values()):
            groups.setdefault((tally, tally.__name__), []).append((dict(key), by))
    return groups
