"""What is known of a lead, from whom, since when, and what others say instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain.provenance.trust import Fact, SourceKind, Trust

# How many other values are kept of one fact: the newest, one of each source.
MOST_CANDIDATES: Final = 5
# Whoever says the same again within a day is not written down again.
_SAME_AGAIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Source:
    """Who says something: `hubspot`, an integration."""

    name: str
    kind: SourceKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one source said, and when it was so.  None: there is no such thing."""

    value: str | None
    source: str
    kind: SourceKind
    observed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRecord:
    """The value that is believed, and what others say instead, the newest first."""

    fact: Fact
    said: Observation
    candidates: tuple[Observation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFact:
    """One fact of a lead as it is shown; `stale` says that it is doubtful by now."""

    fact: Fact
    value: str | None
    source: str
    kind: SourceKind
    observed_at: datetime
    stale: bool
    candidates: tuple[Observation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadProvenance:
    """Where the facts of one lead come from.  It has the lead's own id."""

    id: UUID
    facts: tuple[FactRecord, ...]
    version: int = 1

    def shown(self, trust: Trust) -> tuple[LeadFact, ...]:
        """Return the facts as they stand at an instant."""
        return tuple(
            LeadFact(
                fact=record.fact,
                value=record.said.value,
                source=record.said.source,
                kind=record.said.kind,
                observed_at=record.said.observed_at,
                stale=trust.is_stale(record.fact, record.said.observed_at),
                candidates=record.candidates,
            )
            for record in self.facts
        )


def first_told(
    values: Mapping[Fact, str | None], source: Source, observed_at: datetime
) -> tuple[FactRecord, ...]:
    """Return what is written of a new lead: what was said of it, and not what was left out."""
    return tuple(
        FactRecord(fact=fact, said=_observation(value, source, observed_at))
        for fact, value in values.items()
        if value is not None
    )


def settled(
    known: Sequence[FactRecord],
    values: Mapping[Fact, str | None],
    source: Source,
    observed_at: datetime,
    trust: Trust,
) -> tuple[frozenset[Fact], tuple[FactRecord, ...]]:
    """Return which of the values said are believed, and what is written down then.

    A fact of which nothing is written is anybody's to tell.  What is not believed is kept as a
    candidate, unless it only says that there is no such thing.
    """
    records = {record.fact: record for record in known}
    believed = set()
    for fact, value in values.items():
        said, record = _observation(value, source, observed_at), records.get(fact)
        if record is None or _outweighs(fact, said, record.said, trust):
            believed.add(fact)
            records[fact] = _believed(fact, said, record, trust)
        else:
            records[fact] = _doubted(record, said)
    return frozenset(believed), tuple(records[fact] for fact in Fact if fact in records)


def combined(
    winner: Sequence[FactRecord], loser: Sequence[FactRecord], trust: Trust
) -> tuple[FactRecord, ...]:
    """Return what is written once two leads are one: of each fact the value of most weight.

    Of two of the same weight the winner's.  What is not believed any more is a candidate.
    """
    records = {record.fact: record for record in winner}
    for record in loser:
        mine = records.get(record.fact)
        if mine is None:
            records[record.fact] = record
            continue
        first, second = (
            (record, mine)
            if mine.said != record.said and not _outweighs(mine.fact, mine.said, record.said, trust)
            else (mine, record)
        )
        for said in (*reversed(second.candidates), second.said):
            first = _doubted(first, said)
        records[record.fact] = first
    return tuple(records[fact] for fact in Fact if fact in records)


def _observation(value: str | None, source: Source, observed_at: datetime) -> Observation:
    return Observation(value=value, source=source.name, kind=source.kind, observed_at=observed_at)


def _outweighs(fact: Fact, said: Observation, other: Observation, trust: Trust) -> bool:
    """Say whether something said is believed rather than what was said before it."""
    mine = trust.weight(fact, said.source, said.kind, said.observed_at)
    return mine >= trust.weight(fact, other.source, other.kind, other.observed_at)


def _believed(fact: Fact, said: Observation, before: FactRecord | None, trust: Trust) -> FactRecord:
    if before is None:
        return FactRecord(fact=fact, said=said)
    if _says_the_same_again(said, before.said):
        return before
    others = [each for each in before.candidates if each.source != said.source]
    return _with_candidates(FactRecord(fact=fact, said=said), [before.said, *others])


def _says_the_same_again(said: Observation, before: Observation) -> bool:
    same = replace(said, observed_at=before.observed_at) == before
    return same and said.observed_at - before.observed_at < _SAME_AGAIN


def _doubted(record: FactRecord, said: Observation) -> FactRecord:
    """Return what is written once somebody who is believed less has said something else."""
    others = [each for each in record.candidates if each.source != said.source]
    older = [each for each in record.candidates if each.source == said.source]
    if older and older[0].observed_at > said.observed_at:
        return record
    if older and _says_the_same_again(said, older[0]):
        return record
    return _with_candidates(record, [said, *others])


def _with_candidates(record: FactRecord, others: Sequence[Observation]) -> FactRecord:
    """Return what is written with what others say, of those who say something else."""
    said = record.said
    kept = [
        each
        for each in others
        if each.value is not None and each.value != said.value and each.source != said.source
    ]
    newest = sorted(kept, key=lambda each: (each.observed_at, each.source), reverse=True)
    return replace(record, candidates=tuple(newest[:MOST_CANDIDATES]))
