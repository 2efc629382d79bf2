"""Bringing leads together that share a key: block by block, or around a few of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from itertools import groupby
from typing import Any
from uuid import UUID

from domain.duplicates import Key, LeadPrint, Match
from domain.duplicates.comparing import (
    BlockMatches,
    BlocksAfter,
    Compared,
    KeepPrints,
    Neighbours,
    Place,
)
from domain.duplicates.found import Pair
from infra.database import PostgresWork
from infra.queries import answers
from infra.queries.duplicates.likeness import Block, Card, card_of, evidence_of, least_alike
from infra.rows import names_of, reader_of

# Of more that share a key, each is compared with so many before it in line and so many after it,
# so that no name, however common, makes the work grow with the square of the leads.
NEAREST = 100
# Two names share so much less of their trigrams than they agree, at most; what shares less is not
# worth fetching.
TRIGRAMS_SHORT = 0.6

_NAMES = names_of(LeadPrint)
_TEXTS = ", ".join(f"${place}::text[]" for place in range(3, len(_NAMES) + 2))
_KEEP = (
    f"INSERT INTO lead_prints AS p (tenant_id, {', '.join(_NAMES)})"
    f" SELECT $1, e.* FROM unnest($2::uuid[], {_TEXTS}) AS e({', '.join(_NAMES)})"
    " ON CONFLICT (tenant_id, lead_id) DO UPDATE SET "
    + ", ".join(f'"{name}" = excluded."{name}"' for name in _NAMES if name != "lead_id")
    + f" WHERE ({', '.join(f'p.{name}' for name in _NAMES)})"
    f" IS DISTINCT FROM ({', '.join(f'excluded.{name}' for name in _NAMES)})"
)


def _columns(alias: str) -> str:
    return ", ".join(f'{alias}."{name}"' for name in _NAMES)


def _page_text(key: Key) -> str:
    """Return the statement for the next prints in the order of a key, by the index on it.

    Of those that share it with nobody only the last is fetched: where the next page begins.
    """
    by = f'p."{key}", p."{key.line}", p.lead_id'
    page = (
        f"SELECT {_columns('p')} FROM lead_prints p WHERE p.tenant_id = $1"
        f' AND p."{key}" IS NOT NULL AND ({by}) > ($2, $3, $4) ORDER BY {by} LIMIT $5'
    )
    return (
        f"SELECT {_columns('p')}, p.number FROM (SELECT {_columns('p')},"
        f' row_number() OVER w AS number, lag(p."{key}") OVER w AS before,'
        f' lead(p."{key}") OVER w AS next FROM ({page}) p WINDOW w AS (ORDER BY {by})) p'
        f' WHERE p."{key}" IN (coalesce(p.before, $2), p.next) OR p.next IS NULL ORDER BY p.number'
    )


def _before_text(key: Key) -> str:
    by = f'p."{key.line}"', "p.lead_id"
    return (
        f'SELECT {_columns("p")} FROM lead_prints p WHERE p.tenant_id = $1 AND p."{key}" = $2'
        f" AND ({', '.join(by)}) <= ($3, $4) ORDER BY {' DESC, '.join(by)} DESC LIMIT {NEAREST}"
    )


def _near_text(key: Key) -> str:
    """Return the statement for those nearest to each of some leads in the line of a key.

    Keys are compared by equality, which an index can serve under row-level security; what it
    finds few of is then sifted by trigrams, which no index could (docs/adr/0026).
    """
    sides = []
    for sign, way in ((">", ""), ("<", " DESC")):
        sides.append(
            f"(SELECT {_columns('o')} FROM lead_prints o WHERE o.tenant_id = $1"
            f' AND o."{key}" = m."{key}"'
            f' AND (o."{key.line}", o.lead_id) {sign} (m."{key.line}", m.lead_id)'
            f' ORDER BY o."{key.line}"{way}, o.lead_id{way} LIMIT {NEAREST})'
        )
    sifted = " AND coalesce(trgm.similarity(n.person, m.person), 1) >= $3::float8"
    return (
        f"SELECT m.lead_id AS near, {_columns('n')} FROM lead_prints m"
        f" CROSS JOIN LATERAL ({' UNION ALL '.join(sides)}) n"
        f" WHERE m.tenant_id = $1 AND m.lead_id = ANY($2::uuid[])"
        f"{'' if key.is_strong else sifted}"
    )


_PAGES = {key: _page_text(key) for key in Key}
_BEFORE = {key: _before_text(key) for key in Key}
_NEAR = {
    strong: " UNION ALL ".join(_near_text(key) for key in Key if key.is_strong is strong)
    for strong in (True, False)
}
_SOME = f"SELECT {_columns('p')} FROM lead_prints p WHERE p.tenant_id = $1 AND p.lead_id = ANY($2)"


@answers(KeepPrints)
async def keep_prints(work: PostgresWork, question: KeepPrints) -> None:
    """Store prints in place of those there are, in one statement; what is the same is let be."""
    ordered = sorted(question.prints, key=lambda each: each.lead_id)
    columns = [[getattr(each, field.name) for each in ordered] for field in fields(LeadPrint)]
    await work.connection.execute(_KEEP, work.tenant_id, *columns)


@answers(BlocksAfter)
async def blocks_after(work: PostgresWork, question: BlocksAfter) -> BlockMatches:
    """Return the matches among the next prints in the order of a key, by the index on it.

    Two statements, whatever their number: a page, and those before it that share its first key.
    """
    key, at = question.key, question.after
    rows = await work.connection.fetch(
        _PAGES[key], work.tenant_id, at.key, at.line, at.lead_id, question.limit
    )
    if not rows:
        return BlockMatches((), 0, at)
    read, width = reader_of(LeadPrint), len(_NAMES)
    cards = [card_of(read(row)) for row in rows]
    earlier = await work.connection.fetch(_BEFORE[key], work.tenant_id, at.key, at.line, at.lead_id)
    known = [card_of(read(row)) for row in reversed(earlier)]
    last = cards[-1].print
    return BlockMatches(
        tuple(_within(key, known, cards, question.needed)),
        rows[-1][width],
        Place(key=getattr(last, key), line=getattr(last, key.line), lead_id=last.lead_id),
    )


def _within(
    key: Key, known: Sequence[Card], cards: Sequence[Card], needed: float
) -> Iterator[Match]:
    """Yield the matches of each print with those before it in line that share the key."""
    for value, group in groupby(cards, key=lambda card: getattr(card.print, key)):
        before = known if known and getattr(known[0].print, key) == value else ()
        members = [*before, *group]
        if len(members) > 1:
            block = Block(members, needed=needed, strong=key.is_strong)
            for place in range(len(before), len(members)):
                yield from block.matches(members[place], max(0, place - NEAREST), place)


@answers(Neighbours)
async def neighbours(work: PostgresWork, question: Neighbours) -> Sequence[Match]:
    """Return what some leads share a key with, compared; each pair once.

    At most a hundred on either side of each lead in the line of each key, by the indexes on them.
    """
    found: dict[Pair, Match] = {}
    for strong, text in _NEAR.items():
        sift = () if strong else (least_alike(question.needed) - TRIGRAMS_SHORT,)
        rows = await work.connection.fetch(text, work.tenant_id, list(question.lead_ids), *sift)
        found |= await _around(work, rows, strong, question)
    return list(found.values())


async def _around(
    work: PostgresWork, rows: Sequence[Sequence[Any]], strong: bool, question: Neighbours
) -> dict[Pair, Match]:
    read = reader_of(LeadPrint)
    near: dict[UUID, dict[UUID, Card]] = {}
    for lead_id, *said in rows:
        near.setdefault(lead_id, {}).setdefault(said[0], card_of(read(said)))
    cards = await _cards(work, near)
    found: dict[Pair, Match] = {}
    for lead_id, others in near.items():
        block = Block(list(others.values()), needed=question.needed, strong=strong)
        found |= {match.pair: match for match in block.matches(cards[lead_id], 0, len(others))}
    return found


@answers(Compared)
async def compared(work: PostgresWork, question: Compared) -> Sequence[Match]:
    """Return pairs, compared whatever they share; those of which one has no print are left out."""
    cards = await _cards(work, {lead_id for pair in question.pairs for lead_id in pair})
    return [
        Match((cards[one].print, cards[other].print), evidence_of(cards[one], cards[other]))
        for one, other in question.pairs
        if one in cards and other in cards
    ]


async def _cards(work: PostgresWork, lead_ids: Iterable[UUID]) -> dict[UUID, Card]:
    """Return the prints of leads, by the primary key."""
    rows = await work.connection.fetch(_SOME, work.tenant_id, list(lead_ids))
    read = reader_of(LeadPrint)
    return {row[0]: card_of(read(row)) for row in rows}
