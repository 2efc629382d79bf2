"""Rows of a file become companies, touches, opportunities and costs, by the ordinary use cases."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from domain.errors import DomainError, NotFound
from domain.fact_import.companies import take_companies
from domain.fact_import.costs import cost_print, take_costs
from domain.fact_import.opportunities import take_opportunities
from domain.fact_import.touches import take_touches, touch_print
from domain.identity import Actor, Permission
from domain.import_results import ImportedRow
from domain.imports import FactKind, FactMapping, ImportedFact
from domain.leads import ExternalId
from domain.ports import Work

__all__ = ["PRINTS", "TAKERS", "column_of_fact", "take_facts", "value_not_found"]

Taker: TypeAlias = Callable[[Work, Actor, Sequence[ImportedFact]], Awaitable[Sequence[ImportedRow]]]

TAKERS: Mapping[FactKind, Taker] = {
    FactKind.COMPANY: take_companies,
    FactKind.TOUCH: take_touches,
    FactKind.OPPORTUNITY: take_opportunities,
    FactKind.COST: take_costs,
}

# Rows that may go without a name, and are then known by what they say.
PRINTS: Mapping[FactKind, Callable[[ImportedFact], str]] = {
    FactKind.TOUCH: touch_print,
    FactKind.COST: cost_print,
}


async def take_facts(
    work: Work, actor: Actor, kind: FactKind, facts: Sequence[ImportedFact]
) -> Sequence[ImportedRow]:
    """Store what up to 500 rows say; a row is taken whole or refused whole, and spoils no other."""
    actor.require(Permission.IMPORT_LEADS)
    return await TAKERS[kind](work, actor, facts) if facts else ()


# What the use cases call what a mapping calls otherwise; the first that the row has is meant.
_CALLED: Mapping[str, tuple[str, ...]] = {
    "asset": ("asset_url",),
    "lead": ("lead_external_id", "lead_email"),
    "owner": ("owner_email",),
}


def column_of_fact(refusal: DomainError, fact: ImportedFact, mapping: FactMapping) -> str | None:
    """Return the column of a file that a refusal is about, if it is about one."""
    field = _field_of(refusal, fact, mapping)
    return None if field is None else mapping.fields[field].column


def value_not_found(refusal: DomainError, fact: ImportedFact, mapping: FactMapping) -> str | None:
    """Return what a row names that there is not, as the file has it, if that is why."""
    field = _field_of(refusal, fact, mapping) if isinstance(refusal, NotFound) else None
    value = None if field is None else fact.values.get(field)
    if isinstance(value, ExternalId):
        return value.value
    return value if isinstance(value, str) else None


def _field_of(refusal: DomainError, fact: ImportedFact, mapping: FactMapping) -> str | None:
    """Return the field that a refusal is about, if it is about one.

    Of several that may be meant it is the first in which the row says something.
    """
    named = [name for name in _names(refusal) if name in mapping.fields]
    said = [name for name in named if name in fact.values]
    return next(iter((*said, *named)), None)


def _names(refusal: DomainError) -> Iterator[str]:
    """Return what a mapping may call the input at fault, the most exact first."""
    path = [_snake(part) for part in refusal.path if isinstance(part, str)]
    for end in range(len(path), 0, -1):
        # Such as `utm_source`.
        yield "_".join(path[max(end - 2, 0) : end])
        yield path[end - 1]
        yield from _CALLED.get(path[end - 1], ())


def _snake(name: str) -> str:
    return "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in name)
