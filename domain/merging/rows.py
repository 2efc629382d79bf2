"""Moving rows from one lead to another, and taking them away whole, whatever they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from domain.leads import Lead
from domain.merging.record import MovedRows, TakenRows
from domain.merging.rules import KINDS, RULES, Goes, Moves, OneEach, OneStory
from domain.ports import Question, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadsToMerge(Question[Mapping[UUID, Lead]]):
    """Leads by id, locked in one order, so that nothing can point at them anew until the end."""

    ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRows(Question[tuple[UUID, ...]]):
    """Let rows of a kind point at another thing; all of them, or some.  Answers with their ids.

    Told as a question, as the other two are, because it is one statement over rows nobody needs
    to see.
    """

    kind: type
    column: str
    from_id: UUID
    to_id: UUID
    only: tuple[UUID, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeRows(Question[tuple[str, ...]]):
    """Take rows of a kind away that have a value in a column.  Answers with them, each whole."""

    kind: type
    column: str
    values: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PutRows(Question[None]):
    """Put rows back that were taken away, exactly as they were."""

    kind: type
    rows: tuple[str, ...]
    about: tuple[str, ...] = ()
    """Columns that name leads: a row goes where one of them has gone meanwhile."""


@dataclass(slots=True)
class Moving:
    """What was moved and taken away so far."""

    moved: list[MovedRows] = field(default_factory=list)
    taken: list[TakenRows] = field(default_factory=list)

    async def take(self, work: Work, kind: type, column: str, *values: UUID) -> None:
        rows = await work.ask(TakeRows(kind=kind, column=column, values=values)) if values else ()
        if rows:
            self.taken.append(TakenRows(kind=kind.__name__, rows=rows))

    async def move(
        self,
        work: Work,
        kind: type,
        column: str,
        from_id: UUID,
        to_id: UUID,
        only: tuple[UUID, ...] | None = None,
    ) -> None:
        question = MoveRows(kind=kind, column=column, from_id=from_id, to_id=to_id, only=only)
        if ids := await work.ask(question):
            self.moved.append(
                MovedRows(kind=kind.__name__, column=column, from_id=from_id, to_id=to_id, ids=ids)
            )


async def follow(work: Work, moving: Moving, *, winner_id: UUID, loser_id: UUID) -> None:
    """Let everything that belongs to one lead belong to another, as the table of rules says."""
    for kind, rule in RULES.items():
        match rule:
            case Moves():
                await moving.move(work, kind, "lead_id", loser_id, winner_id)
            case Goes():
                for column in rule.columns:
                    await moving.take(work, kind, column, loser_id)
            case OneEach():
                await _keep_one_each(work, moving, kind, rule, winner_id, loser_id)
            case OneStory():
                pass  # all leads' at once, by whoever calls this


async def bring_back(work: Work, moved: Sequence[MovedRows], taken: Sequence[TakenRows]) -> None:
    """Undo what was done, the last first; what has been moved on since stays where it is."""
    for rows in reversed(taken):
        kind = KINDS[rows.kind]
        rule = RULES.get(kind)
        about = rule.columns if isinstance(rule, Goes) else ()
        await work.ask(PutRows(kind=kind, rows=rows.rows, about=about))
    for step in reversed(moved):
        await work.ask(
            MoveRows(
                kind=KINDS[step.kind],
                column=step.column,
                from_id=step.to_id,
                to_id=step.from_id,
                only=step.ids,
            )
        )


async def _keep_one_each(
    work: Work, moving: Moving, kind: type, rule: OneEach, winner_id: UUID, loser_id: UUID
) -> None:
    known: Sequence[Any] = await work.find(kind, lead_id=winner_id)
    theirs = {_key(row, rule): row for row in known}
    others: Sequence[Any] = await work.find(kind, lead_id=loser_id)
    double = {row.id: theirs[_key(row, rule)].id for row in others if _key(row, rule) in theirs}
    single = tuple(row.id for row in others if row.id not in double)
    for pointing, column in rule.pointers:
        for gone, kept in double.items():
            await moving.move(work, pointing, column, gone, kept)
    await moving.take(work, kind, "id", *double)
    await moving.move(work, kind, "lead_id", loser_id, winner_id, single)


def _key(row: Any, rule: OneEach) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in rule.of)
