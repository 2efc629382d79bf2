"""What the domain asks of the outside world: one tenant-scoped transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from domain.events import Event

E = TypeVar("E")
A_co = TypeVar("A_co", covariant=True)
A = TypeVar("A")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Generic[A_co]):
    """A read that equality cannot express.  `infra/queries` answers each kind of question."""


class Work(Protocol):
    """One transaction of one tenant.  It commits when its block ends without an exception."""

    @property
    def tenant_id(self) -> UUID: ...

    @property
    def now(self) -> datetime:
        """The clock, read once."""

    async def get(self, kind: type[E], id: UUID, *, lock: bool = False) -> E:
        """Return an entity; with `lock`, nobody else changes it until the end.

        Raises:
            NotFound: if this tenant has none of that id.
        """

    async def find(self, kind: type[E], /, *, lock: bool = False, **equals: object) -> Sequence[E]:
        """Return all entities whose fields equal the values, oldest first.

        A tuple, list or set as a value means "any of these".
        """

    async def add(self, entity: E) -> E:
        """Store a new entity.

        Raises:
            AlreadyExists: if something unique about it is taken.
        """

    async def add_all(self, entities: Sequence[object]) -> None:
        """Store many new entities, each kind in one statement."""

    async def save(self, entity: E) -> E:
        """Store the whole changed entity and return the stored copy, which has the next version.

        Raises:
            StaleWrite: if it was saved by somebody else since it was read.
        """

    async def save_all(self, entities: Sequence[object]) -> None:
        """Store many changed entities, each kind in one statement; all of them or none.

        Raises:
            StaleWrite: if any of them was saved by somebody else since it was read.
        """

    async def delete(self, kind: type, **equals: object) -> None:
        """Remove the entities whose fields equal the values.  Only what nobody refers to may go."""

    async def ask(self, question: Question[A]) -> A:
        """Return the answer to a question."""

    def record(self, event: Event) -> None:
        """Have an event delivered if, and only if, this transaction commits."""

    def count(self, tally: type, *, on: date, by: dict[str, int], **key: object) -> None:
        """Add to the counters of one tally row, at the end of the transaction.

        Additions to the same row are merged, and rows are written in one order by everybody, so
        that transactions which count the same things wait for each other but never deadlock.
        """


async def first(work: Work, kind: type[E], /, *, lock: bool = False, **equals: object) -> E | None:
    """Return the oldest entity whose fields equal the values, or nothing."""
    found = await work.find(kind, lock=lock, **equals)
    return found[0] if found else None


def by_id(entities: Iterable[E]) -> dict[UUID, E]:
    """Return entities by their id."""
    return {entity.id: entity for entity in entities}  # type: ignore[attr-defined]  # every entity has an id
