"""What a merge keeps, so that it can be undone: who was merged, and every row that it touched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain.customers import Customer
from domain.filters import FieldType, FilterField, FilterFields
from domain.handoff import Handoff
from domain.leads import Lead
from domain.provenance import FactRecord
from domain.sla.clocks import SlaClock


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedLead:
    """Who a lead was that was merged into another."""

    id: UUID
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadMerge:
    """That some leads turned out to be one person, and became one lead: the winner.

    `automatic` merges were made by the tenant's rules; `score` is how sure they were.  One that
    was undone stays on record.
    """

    id: UUID
    winner_id: UUID
    losers: tuple[MergedLead, ...]
    merged_at: datetime
    merged_by: UUID | None = None
    automatic: bool = False
    score: Decimal | None = None
    undone_at: datetime | None = None
    undone_by: UUID | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedRows:
    """Rows of a kind that pointed at one thing and now point at another, by a column."""

    kind: str
    column: str
    from_id: UUID
    to_id: UUID
    ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenRows:
    """Rows of a kind that were taken away, each whole, as the database spells it."""

    kind: str
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRecord:
    """All that a merge changed, under the merge's id.

    The leads, hand-offs and clocks are as they were before; of the latter those that were open.
    `history` are the stage entries that the winner then had, `moved` and `taken` stand in the
    order in which it was done.
    """

    id: UUID
    winner: Lead
    survivor: Lead
    losers: tuple[Lead, ...]
    handoffs: tuple[Handoff, ...]
    clocks: tuple[SlaClock, ...]
    history: tuple[UUID, ...]
    moved: tuple[MovedRows, ...]
    taken: tuple[TakenRows, ...]
    customers: tuple[tuple[Customer, Customer], ...]
    """Each customer that goes on, before and after what was learnt from another."""
    provenance: tuple[tuple[tuple[FactRecord, ...], tuple[FactRecord, ...]], ...] = ()
    """Where the winner's facts came from before, and after, if that is another."""
    dismissals: tuple[UUID, ...] = ()
    """Pairs that the winner took over from a loser, of which somebody said that they are two."""
    withdrawals: tuple[UUID, ...] = ()
    """Consents that were withdrawn for the winner because a loser had withdrawn them."""
    steps: tuple[UUID, ...] = ()
    """Next steps that were open, and in whose place another one stood."""


def merged_lead(lead: Lead) -> MergedLead:
    """Return what is told of a lead that is merged into another."""
    return MergedLead(
        id=lead.id, email=lead.email, first_name=lead.first_name, last_name=lead.last_name
    )


def moved_ids(record: MergeRecord, kind: type) -> frozenset[UUID]:
    """Return the rows of a kind that came from the losers."""
    name = kind.__name__
    return frozenset(
        id for m in record.moved if m.kind == name and m.column == "lead_id" for id in m.ids
    )


def plain(entity: Any) -> dict[str, Any]:
    """Return what an entity says, without what changes whenever it is stored."""
    names = (field.name for field in fields(entity))
    changing = ("version", "derived", "updated_at")
    return {name: getattr(entity, name) for name in names if name not in changing}


def three_way(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    now: Mapping[str, Any],
    *,
    together: Iterable[Sequence[str]] = (),
) -> dict[str, Any]:
    """Return what is as a change left it and was otherwise before: what undoing it gives back.

    What somebody has changed since is theirs, and is left out.  Of what is said `together` all is,
    if any of it was changed: half of it would be true of nobody.
    """
    changed = {name for name in before if now[name] != after[name]}
    for names in together:
        if changed & set(names):
            changed |= set(names)
    return {
        name: before[name] for name in before if before[name] != after[name] and name not in changed
    }


MERGE_FIELDS = FilterFields(
    "leadMerge",
    (
        FilterField(
            name="mergedAt",
            attribute="merged_at",
            type=FieldType.INSTANT,
            description="When the leads were merged.",
        ),
        FilterField(
            name="winnerId",
            attribute="winner_id",
            type=FieldType.ID,
            kind="Lead",
            description="The lead that goes on.",
        ),
        FilterField(
            name="undoneAt",
            attribute="undone_at",
            type=FieldType.INSTANT,
            description="When it was undone; missing where it was not.",
        ),
    ),
)
