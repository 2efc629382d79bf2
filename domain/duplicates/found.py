"""Pairs of leads that may be one person: proposed to people, turned down by them, or certain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from domain.duplicates.prints import LeadPrint, fingerprint
from domain.duplicates.scoring import Evidence, score
from domain.errors import DomainError
from domain.events import DuplicatesFound
from domain.filters import FieldType, FilterField, FilterFields
from domain.identity import Actor, Permission
from domain.ids import new_id
from domain.ports import Work, first

Pair = tuple[UUID, UUID]


class CandidateStatus(StrEnum):
    """What became of a pair that may be one person."""

    PROPOSED = "PROPOSED"
    DISMISSED = "DISMISSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateCandidate:
    """Two leads that may be one person; `other_id` is the elder by its id.

    `certain` pairs are merged by the tenant's rules, as soon as somebody gets to it.
    `fingerprint` tells whether what they were compared by has changed since.
    """

    id: UUID
    lead_id: UUID
    other_id: UUID
    score: Decimal
    evidence: tuple[Evidence, ...]
    fingerprint: str
    found_at: datetime
    status: CandidateStatus = CandidateStatus.PROPOSED
    certain: bool = False
    dismissed_at: datetime | None = None
    dismissed_by: UUID | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateRules:
    """From which score on leads are merged by themselves, and from which they are proposed.

    Without `merge_from` nothing is merged but by people.  As it usually is, nothing else than one
    mailbox, or one telephone with one name, is enough.  There is one for a tenant, of its id.
    `checked_to` is the last event of the log that was looked at for leads that have changed.
    """

    id: UUID
    merge_from: Decimal | None = Decimal("0.995")
    propose_from: Decimal = Decimal("0.75")
    checked_to: int = 0
    version: int = 1


@dataclass(frozen=True, slots=True)
class Match:
    """Two leads that were compared, and in what they agree."""

    prints: tuple[LeadPrint, LeadPrint]
    evidence: tuple[Evidence, ...]

    @property
    def pair(self) -> Pair:
        """The two, the younger by its id first."""
        first, second = sorted((each.lead_id for each in self.prints), reverse=True)
        return first, second


CANDIDATE_FIELDS = FilterFields(
    "duplicateCandidate",
    (
        FilterField(
            name="status",
            attribute="status",
            type=FieldType.CHOICE,
            choices=CandidateStatus,
            description="Whether somebody has turned it down.",
        ),
        FilterField(
            name="score",
            attribute="score",
            type=FieldType.NUMBER,
            description="How sure it is that the two are one person, from 0 to 1.",
        ),
        FilterField(
            name="leadId",
            attribute="lead_id",
            type=FieldType.ID,
            kind="Lead",
            description="The younger of the two leads.",
        ),
        FilterField(
            name="otherId",
            attribute="other_id",
            type=FieldType.ID,
            kind="Lead",
            description="The elder of the two leads.",
        ),
        FilterField(
            name="foundAt",
            attribute="found_at",
            type=FieldType.INSTANT,
            description="When the pair was found.",
        ),
    ),
)


class NotProposed(DomainError):
    """Only a pair that is proposed can be turned down."""

    code = "NOT_PROPOSED"

    def __init__(self) -> None:
        super().__init__("This pair was turned down already.", path=("candidate",))


async def dismiss_candidate(work: Work, actor: Actor, candidate_id: UUID) -> DuplicateCandidate:
    """Say that two leads are two people.

    They are not proposed again unless what they are compared by has changed, and they have become
    more alike by it.
    """
    actor.require(Permission.MERGE_LEADS)
    found = await work.get(DuplicateCandidate, candidate_id, lock=True)
    if found.status is not CandidateStatus.PROPOSED:
        raise NotProposed
    return await work.save(
        replace(
            found,
            status=CandidateStatus.DISMISSED,
            certain=False,
            dismissed_at=work.now,
            dismissed_by=actor.user_id,
        )
    )


async def keep_found(
    work: Work,
    rules: DuplicateRules,
    matches: Sequence[Match],
    known: Mapping[Pair, DuplicateCandidate],
) -> int:
    """Keep the pairs that were found among some leads; return how many are new.

    `known` are all pairs of these leads that were found before: those that are alike no more are
    dropped, unless somebody has turned them down, which is remembered.
    """
    judged = ((match, score(match.evidence)) for match in matches)
    wanted = {
        match.pair: _candidate(work, rules, match, sure)
        for match, sure in judged
        if sure >= rules.propose_from
    }
    fresh = [candidate for pair, candidate in wanted.items() if pair not in known]
    await work.add_all(fresh)
    changed = [_anew(old, wanted[pair]) for pair, old in known.items() if pair in wanted]
    await work.save_all([new for new in changed if new != known[new.lead_id, new.other_id]])
    for pair, old in known.items():
        if pair not in wanted and old.status is CandidateStatus.PROPOSED:
            await work.delete(DuplicateCandidate, id=old.id)
    if fresh:
        work.record(DuplicatesFound(at=work.now, proposed=len(fresh)))
    return len(fresh)


async def tell_apart(
    work: Work, lead_id: UUID, others: Sequence[UUID], *, by: UUID | None, sure: Decimal | None
) -> None:
    """Keep in mind that a lead and some others, which were merged and parted, are not one person.

    Else they would be merged by rule again.  Of a pair that nobody had found before, nothing can
    make it surer that they are one than that it was.
    """
    for other in others:
        younger, elder = max(lead_id, other), min(lead_id, other)
        pair = await first(work, DuplicateCandidate, lead_id=younger, other_id=elder)
        found = pair or DuplicateCandidate(
            id=new_id(),
            lead_id=younger,
            other_id=elder,
            score=Decimal(1) if sure is None else sure,
            evidence=(),
            fingerprint="",
            found_at=work.now,
        )
        dismissed = replace(
            found,
            status=CandidateStatus.DISMISSED,
            certain=False,
            dismissed_at=work.now,
            dismissed_by=by,
        )
        await (work.add(dismissed) if pair is None else work.save(dismissed))


async def take_over_dismissals(
    work: Work, lead_id: UUID, others: Sequence[UUID]
) -> tuple[UUID, ...]:
    """Let what somebody said of some leads, that they are not a third one, hold for a lead too.

    Returns the pairs that this makes.
    """
    dismissed = CandidateStatus.DISMISSED
    theirs = [
        *await work.find(DuplicateCandidate, lead_id=tuple(others), status=dismissed),
        *await work.find(DuplicateCandidate, other_id=tuple(others), status=dismissed),
    ]
    known = {
        *(c.other_id for c in await work.find(DuplicateCandidate, lead_id=lead_id)),
        *(c.lead_id for c in await work.find(DuplicateCandidate, other_id=lead_id)),
        *(lead_id, *others),
    }
    made = {}
    for pair in theirs:
        third = pair.lead_id if pair.other_id in others else pair.other_id
        if third not in known:
            younger, elder = max(third, lead_id), min(third, lead_id)
            made[third] = replace(
                pair, id=new_id(), lead_id=younger, other_id=elder, fingerprint="", version=1
            )
    await work.add_all(list(made.values()))
    return tuple(pair.id for pair in made.values())


def _candidate(
    work: Work, rules: DuplicateRules, match: Match, sure: Decimal
) -> DuplicateCandidate:
    lead_id, other_id = match.pair
    return DuplicateCandidate(
        id=new_id(),
        lead_id=lead_id,
        other_id=other_id,
        score=sure,
        evidence=match.evidence,
        fingerprint=fingerprint(match.prints),
        found_at=work.now,
        certain=rules.merge_from is not None and sure >= rules.merge_from,
    )


def _anew(old: DuplicateCandidate, new: DuplicateCandidate) -> DuplicateCandidate:
    """Return a pair as it is known, with what was found now; turned down, it mostly stays so.

    At most it is proposed again: what somebody has turned down no rule merges.
    """
    dismissed = old.status is CandidateStatus.DISMISSED
    certain = new.certain and not dismissed
    if old.fingerprint == new.fingerprint or (dismissed and new.score <= old.score):
        return replace(old, certain=certain)
    return replace(new, id=old.id, version=old.version, certain=certain)
