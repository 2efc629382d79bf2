"""Bringing leads together that may be one person, and comparing them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler
from rapidfuzz.utils import default_process

from domain.duplicates import DuplicateCandidate, Evidence, LeadPrint, Match, Trait, weighed
from domain.duplicates.comparing import Changes, ChangesAfter, KeepPrints, Matches
from domain.duplicates.found import CandidateStatus
from domain.duplicates.scanning import CertainPair, DuplicateScan, NextLeads, WaitingScan
from domain.feed import LoggedEvent
from domain.leads import Lead
from domain.uploads import JobStatus
from infra.database import PostgresWork, rows_of
from infra.queries import answers
from infra.rows import names_of, reader_of, table_of
from infra.tables import feeds

leads = table_of(Lead)
scans = table_of(DuplicateScan)
candidates = table_of(DuplicateCandidate)
log = table_of(LoggedEvent)

# Of so many that share a key only the latest are compared, so that no name, however common, makes
# the work grow with the square of the leads.
MOST_NEIGHBOURS = 100
# Names that share fewer of their trigrams are not worth comparing more closely.
LEAST_ALIKE = 0.3
# Of two leads without a strong key, what agrees less than that is less likely than one in fifty.
LEAST_NAMES = 0.6
# Two mailboxes are never as good as one, and less so at two places.
NEXT_TO_ONE, ELSEWHERE = 0.99, 0.95

# Prints that share one of these are compared whatever they are called.
_STRONG = ("mailbox", "phone")
_WEAK = ("sound_key", "local_key", "work_sound_key", "work_initial_key")
_NAMES = names_of(LeadPrint)


def _columns(alias: str) -> str:
    return ", ".join(f'{alias}."{name}"' for name in _NAMES)


def _neighbours(key: str, elder: bool) -> str:
    """Return the statement for those that share a key with `m`, by the index on it.

    Keys are compared by equality, which an index can serve under row-level security; what it
    finds few of is then sifted by trigrams, which no index could (docs/adr/0021).
    """
    before = "AND o.lead_id < m.lead_id" if elder else "AND o.lead_id <> m.lead_id"
    near = f"(SELECT o.* FROM lead_prints o WHERE o.tenant_id = $1 AND o.{key} = m.{key} {before}"
    near += f" ORDER BY o.lead_id DESC LIMIT {MOST_NEIGHBOURS})"
    if key in _STRONG:
        return near
    return (
        f"(SELECT n.* FROM {near} n WHERE m.person IS NULL OR n.person IS NULL"
        f" OR trgm.similarity(n.person, m.person) >= {LEAST_ALIKE})"
    )


def _matches_text(elder: bool) -> str:
    near = " UNION ".join(_neighbours(key, elder) for key in (*_STRONG, *_WEAK))
    return (
        f"SELECT {_columns('m')}, {_columns('n')} FROM lead_prints m CROSS JOIN LATERAL ({near}) n"
        " WHERE m.tenant_id = $1 AND m.lead_id = ANY($2::uuid[])"
    )


_MATCHES = {elder: _matches_text(elder) for elder in (True, False)}
_TEXTS = ", ".join(f"${place}::text[]" for place in range(3, len(_NAMES) + 2))
_KEEP = (
    f"INSERT INTO lead_prints (tenant_id, {', '.join(_NAMES)})"
    f" SELECT $1, e.* FROM unnest($2::uuid[], {_TEXTS}) AS e({', '.join(_NAMES)})"
    " ON CONFLICT (tenant_id, lead_id) DO UPDATE SET "
    + ", ".join(f'"{name}" = excluded."{name}"' for name in _NAMES if name != "lead_id")
)


@answers(KeepPrints)
async def keep_prints(work: PostgresWork, question: KeepPrints) -> None:
    """Store prints in place of those there are, in one statement."""
    ordered = sorted(question.prints, key=lambda each: each.lead_id)
    columns = [[getattr(each, field.name) for each in ordered] for field in fields(LeadPrint)]
    await work.connection.execute(_KEEP, work.tenant_id, *columns)


@answers(Matches)
async def matches(work: PostgresWork, question: Matches) -> Sequence[Match]:
    """Return what leads share a key with, compared; each pair once.

    At most a hundred for each lead and key, the latest by their ids, by the indexes
    lead_prints_<key>.
    """
    rows = await work.connection.fetch(
        _MATCHES[question.elder], work.tenant_id, list(question.lead_ids)
    )
    read, width = reader_of(LeadPrint), len(_NAMES)
    pairs = [(read(row[:width]), read(row[width:])) for row in map(tuple, rows)]
    compared = (Match(pair, evidence_of(*pair)) for pair in pairs if _may_be_one(*pair))
    return list({match.pair: match for match in compared}.values())


def _may_be_one(one: LeadPrint, other: LeadPrint) -> bool:
    """Say whether it is worth weighing what two leads have in common.

    Of two whose names differ that much, nothing makes up for it but a strong key.
    """
    if one.person is None or other.person is None:
        return True
    if any(getattr(one, key) and getattr(one, key) == getattr(other, key) for key in _STRONG):
        return True
    return _names(one.person, other.person) >= LEAST_NAMES


def evidence_of(one: LeadPrint, other: LeadPrint) -> tuple[Evidence, ...]:
    """Return in what two leads agree and how far; of what one of them does not say, nothing."""
    found = []
    for trait, agreement in (
        (Trait.EMAIL, _both(one.mailbox, other.mailbox, _mailboxes)),
        (Trait.PHONE, _both(one.phone, other.phone, _same)),
        (Trait.NAME, _both(one.person, other.person, _names)),
        (Trait.COMPANY, _companies(one, other)),
    ):
        if agreement is not None:
            found.append(weighed(trait, agreement))
    return tuple(found)


def _both(one: str | None, other: str | None, compare: Any) -> Decimal | None:
    if one is None or other is None:
        return None
    return Decimal(str(round(compare(one, other), 4)))


def _same(one: str, other: str) -> float:
    return float(one == other)


def _mailboxes(one: str, other: str) -> float:
    """Return how alike two mailboxes are that are not the same: by the words before the @."""
    if one == other:
        return 1.0
    (mine, here), (theirs, there) = one.rsplit("@", 1), other.rsplit("@", 1)
    alike = fuzz.token_sort_ratio(mine, theirs, processor=default_process) / 100
    return min(float(alike), NEXT_TO_ONE) * (1 if here == there else ELSEWHERE)


def _names(one: str, other: str) -> float:
    """Return how alike two names are, in whichever order their parts stand.

    A slip near the end of a long name weighs less than one at its beginning.
    """
    in_order = JaroWinkler.normalized_similarity(one, other)
    turned = float(fuzz.token_sort_ratio(one, other)) / 100
    return max(float(in_order) if turned > LEAST_ALIKE else 0.0, turned)


def _companies(one: LeadPrint, other: LeadPrint) -> Decimal | None:
    """Return how alike two companies are: by their domain, and where one has none by name."""
    if one.domain is not None and one.domain == other.domain:
        return Decimal(1)
    return _both(one.employer, other.employer, _employers)


def _employers(one: str, other: str) -> float:
    return float(fuzz.token_sort_ratio(one, other)) / 100


@answers(ChangesAfter)
async def changes_after(work: PostgresWork, question: ChangesAfter) -> Changes:
    """Return the leads of the next events of some kinds, by the index event_log_by_kind.

    Where there are no more, the log was read to its end.
    """
    kinds = sa.literal(list(question.kinds), sa.ARRAY(sa.Text))
    statement = (
        sa.select(log.c.number, log.c.payload)
        .where(log.c.kind == sa.any_(kinds), log.c.number > question.after)
        .order_by(log.c.number)
        .limit(question.limit)
    )
    # First, because what is logged meanwhile is not read.
    last = await work.rows(sa.select(feeds.c.last_number))
    rows = await work.rows(statement)
    until = rows[-1][0] if len(rows) == question.limit else (last[0][0] if last else 0)
    told = [row[1] for row in rows]
    ids = {UUID(each["lead_id"]) for each in told}
    ids |= {UUID(id) for each in told for id in each.get("loser_ids", ())}
    return Changes(frozenset(ids), max(until, question.after, *(row[0] for row in rows), 0))


@answers(NextLeads)
async def next_leads(work: PostgresWork, question: NextLeads) -> Sequence[Lead]:
    """Return the next leads by id, by the primary key."""
    statement = (
        rows_of(Lead).where(leads.c.id > question.after).order_by(leads.c.id).limit(question.limit)
    )
    return await work.fetch(Lead, statement)


@answers(WaitingScan)
async def waiting_scan(work: PostgresWork, question: WaitingScan) -> DuplicateScan | None:
    """Return the oldest scan that nobody is at, locked; others' are skipped.

    Uses the partial index duplicate_scans_waiting (tenant_id, created_at).
    """
    unfinished = (JobStatus.QUEUED, JobStatus.RUNNING)
    statement = (
        rows_of(DuplicateScan)
        .where(
            sa.or_(*(scans.c.status == status.value for status in unfinished)),
            sa.or_(scans.c.claimed_until.is_(None), scans.c.claimed_until < work.now),
        )
        .order_by(scans.c.created_at, scans.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    found = await work.fetch(DuplicateScan, statement)
    return found[0] if found else None


@answers(CertainPair)
async def certain_pair(work: PostgresWork, question: CertainPair) -> DuplicateCandidate | None:
    """Return the oldest pair that is to be merged, by the index duplicate_candidates_certain."""
    statement = (
        rows_of(DuplicateCandidate)
        .where(candidates.c.certain, candidates.c.status == CandidateStatus.PROPOSED.value)
        .order_by(candidates.c.id)
        .limit(1)
    )
    found = await work.fetch(DuplicateCandidate, statement)
    return found[0] if found else None
