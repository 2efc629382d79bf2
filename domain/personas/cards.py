"""What a persona is, and what may be said of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.errors import DomainError, Invalid
from domain.filters import FilterFields, comparisons, describe, parse, parsed, to_json
from domain.ids import new_id
from domain.lead_details import UNSAID, Said, Unsaid
from domain.leads import LEAD_FIELDS
from domain.values import require_text

MOST_PERSONAS = 100
MOST_COMPARISONS = 400
"""In the criteria of all personas together: one statement holds all leads against them."""
MOST_ENTRIES = 20
LONGEST_ENTRY = 500
RANKS = range(10_001)
# Before the first lead: the leads beyond it are all of them.
FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """A kind of buyer.  Leads that match its criterion belong to it; the lowest rank wins.

    `number` is its current version.  After a change to who belongs to it, leads are assigned anew
    in the order of their ids: those beyond `assigning_after` still wait for it.
    """

    id: UUID
    name: str
    job_title: str
    goals: tuple[str, ...]
    challenges: tuple[str, ...]
    buying_questions: tuple[str, ...]
    criterion: Mapping[str, Any] | None
    rank: int
    number: int
    created_at: datetime
    photo_id: UUID | None = None
    archived_at: datetime | None = None
    assigning_after: UUID | None = None
    version: int = 1

    @property
    def is_assigning(self) -> bool:
        """Whether some leads still belong where they did before the last change."""
        return self.assigning_after is not None

    @property
    def criterion_text(self) -> str | None:
        """The criterion as a clause of a sentence."""
        return None if self.criterion is None else describe(parse(self.criterion, LEAD_FIELDS))


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaVersion:
    """A persona as it read from `changed_at` until the next version."""

    id: UUID
    persona_id: UUID
    number: int
    name: str
    job_title: str
    goals: tuple[str, ...]
    challenges: tuple[str, ...]
    buying_questions: tuple[str, ...]
    criterion: Mapping[str, Any] | None
    changed_by: UUID | None
    changed_at: datetime

    @property
    def criterion_text(self) -> str | None:
        """The criterion as a clause of a sentence."""
        return None if self.criterion is None else describe(parse(self.criterion, LEAD_FIELDS))


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaAcknowledgement:
    """A user has read one version of a persona."""

    id: UUID
    persona_id: UUID
    user_id: UUID
    number: int
    acknowledged_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A persona's picture, re-encoded and without metadata."""

    id: UUID
    content_type: str
    width: int
    height: int
    content: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaDetails:
    """What somebody says of a persona."""

    name: str | Unsaid = UNSAID
    job_title: str | Unsaid = UNSAID
    goals: Sequence[str] | Unsaid = UNSAID
    challenges: Sequence[str] | Unsaid = UNSAID
    buying_questions: Sequence[str] | Unsaid = UNSAID
    criterion: Said[object] = UNSAID
    rank: int | Unsaid = UNSAID


class PersonaArchived(DomainError):
    """The persona is no longer in use."""

    code = "PERSONA_ARCHIVED"

    def __init__(self) -> None:
        super().__init__("This persona was archived.", path=("persona",))


class NotCurrent(DomainError):
    """Somebody acknowledges a version that is not the current one."""

    code = "NOT_CURRENT"

    def __init__(self, persona: Persona) -> None:
        super().__init__(
            f"The current version of {persona.name} is {persona.number}; read that one.",
            path=("number",),
        )


class TooManyPersonas(DomainError):
    """Every lead is held against every persona, so there must not be too many."""

    code = "TOO_MANY_PERSONAS"

    def __init__(self) -> None:
        super().__init__(f"There are {MOST_PERSONAS} personas already; archive one first.")


class TooManyComparisons(DomainError):
    """Every lead is held against every criterion, so they must not be too long together."""

    code = "TOO_MANY_COMPARISONS"

    def __init__(self) -> None:
        super().__init__(
            f"The criteria of all personas together make more than {MOST_COMPARISONS} comparisons.",
            path=("criterion",),
        )


# Who somebody is.  What becomes of a lead, such as its stage or owner, changes without the lead
# being assigned anew, and a persona that depends on the persona, or on the fit that may follow from
# it, would be a circle.
PERSONA_FIELDS = FilterFields(
    "persona's criterion",
    tuple(
        field
        for field in LEAD_FIELDS
        if field.name
        not in {
            *("personaId", "fit", "engagement", "grade"),
            *("ownerId", "stage", "stageEnteredAt", "updatedAt"),
        }
    ),
)


def require_few_comparisons(personas: Iterable[Persona]) -> None:
    """Refuse criteria that together are too long to hold every lead against.

    Raises:
        TooManyComparisons: if they are.
    """
    criteria = (persona.criterion for persona in personas if persona.criterion is not None)
    if sum(comparisons(parsed(one, PERSONA_FIELDS)) for one in criteria) > MOST_COMPARISONS:
        raise TooManyComparisons


def in_order(personas: Iterable[Persona]) -> list[Persona]:
    """Return personas as they are tried: by rank, the older first where ranks tie."""
    return sorted(personas, key=lambda persona: (persona.rank, persona.id))


def told(persona: Persona, details: PersonaDetails) -> Persona:
    """Return a persona as somebody says it is.

    Raises:
        Invalid: if a text is empty or too long, there are too many of them, or the rank is wild.
        BadCriterion: if the criterion cannot be understood, or asks what a persona cannot.
    """
    said: dict[str, Any] = {}
    if not isinstance(details.name, Unsaid):
        said["name"] = require_text(details.name, name="The name", path=("name",), longest=100)
    if not isinstance(details.job_title, Unsaid):
        said["job_title"] = require_text(
            details.job_title, name="The job title", path=("jobTitle",)
        )
    for field, name in _LISTS.items():
        entries = getattr(details, field)
        if not isinstance(entries, Unsaid):
            said[field] = _entries(entries, name)
    if not isinstance(details.criterion, Unsaid):
        said["criterion"] = _criterion(details.criterion)
    if not isinstance(details.rank, Unsaid):
        said["rank"] = _rank(details.rank)
    return replace(persona, **said)


def reads_the_same(persona: Persona, other: Persona) -> bool:
    """Say whether two personas say the same about the same buyers, whatever their rank."""
    return all(getattr(persona, name) == getattr(other, name) for name in _WORDS)


def version_of(persona: Persona, *, by: UUID | None, at: datetime) -> PersonaVersion:
    """Return a persona as it reads now, to be kept."""
    return PersonaVersion(
        id=new_id(),
        persona_id=persona.id,
        number=persona.number,
        changed_by=by,
        changed_at=at,
        **{name: getattr(persona, name) for name in _WORDS},
    )


_LISTS = {"goals": "goals", "challenges": "challenges", "buying_questions": "buyingQuestions"}
_WORDS = ("name", "job_title", *_LISTS, "criterion")


def _entries(entries: Sequence[str], name: str) -> tuple[str, ...]:
    if len(entries) > MOST_ENTRIES:
        raise Invalid(f"There may be at most {MOST_ENTRIES} entries.", path=(name,))
    return tuple(
        require_text(entry, name="An entry", path=(name, position), longest=LONGEST_ENTRY)
        for position, entry in enumerate(entries)
    )


def _criterion(json: object) -> Mapping[str, Any] | None:
    if json is None:
        return None
    return to_json(parse(json, PERSONA_FIELDS, path=("criterion",), allow_empty=False))


def _rank(rank: int) -> int:
    if rank not in RANKS:
        raise Invalid(f"A rank is from {RANKS[0]} to {RANKS[-1]}, not {rank}.", path=("rank",))
    return rank
