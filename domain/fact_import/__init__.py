"""Rows of a file become companies, touches, opportunities and costs, by the ordinary use cases."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from domain.errors import DomainError
from domain.fact_import.companies import take_companies
from domain.identity import Actor, Permission
from domain.import_results import ImportedRow
from domain.imports import FactKind, FactMapping, ImportedFact
from domain.ports import Work

Taker: TypeAlias = Callable[[Work, Actor, Sequence[ImportedFact]], Awaitable[Sequence[ImportedRow]]]

TAKERS: Mapping[FactKind, Taker] = {
    FactKind.COMPANY: take_companies,
}


async def take_facts(
    work: Work, actor: Actor, kind: FactKind, facts: Sequence[ImportedFact]
) -> Sequence[ImportedRow]:
    """Store what up to 500 rows say; a row is taken whole or refused whole, and spoils no other."""
    actor.require(Permission.IMPORT_LEADS)
    return await TAKERS[kind](work, actor, facts) if facts else ()


def column_of_fact(refusal: DomainError, mapping: FactMapping) -> str | None:
    """Return the column of a file that a refusal is about, if it is about one."""
    for part in reversed(refusal.path):
        if isinstance(part, int):
            continue
        cell = mapping.fields.get(_snake(part))
        if cell is not None:
            return cell.column
    return None


def _snake(name: str) -> str:
    return "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in name)
