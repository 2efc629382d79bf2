"""Whom a tenant believes more, and how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from domain.errors import Invalid
from domain.values import require_text

MOST_RANKS: Final = 50
LONGEST_STALE_DAYS: Final = 3650


class SourceKind(StrEnum):
    """By what way something came to be known."""

    USER = "USER"
    CRM = "CRM"
    INTEGRATION = "INTEGRATION"
    FORM = "FORM"
    IMPORT = "IMPORT"
    ENRICHMENT = "ENRICHMENT"

    @property
    def word(self) -> str:
        """How the kind is called where sources are ranked."""
        return self.value.lower()


class Fact(StrEnum):
    """What is known of a lead, each with its own sources."""

    EMAIL = "EMAIL"
    PHONE = "PHONE"
    FIRST_NAME = "FIRST_NAME"
    LAST_NAME = "LAST_NAME"
    JOB_TITLE = "JOB_TITLE"
    COUNTRY = "COUNTRY"
    COMPANY = "COMPANY"
    ORIGIN_SOURCE = "ORIGIN_SOURCE"
    ORIGIN_MEDIUM = "ORIGIN_MEDIUM"
    ORIGIN_CAMPAIGN = "ORIGIN_CAMPAIGN"

    @property
    def attribute(self) -> str:
        """The name of what is said of it in `LeadDetails`."""
        return self.value.lower()


@dataclass(frozen=True, slots=True)
class StaleAfter:
    """After how many days without anybody saying it again a fact is doubtful."""

    fact: Fact
    days: int


# Below users, whom nobody outranks.
DEFAULT_RANKS: Final = tuple(kind.word for kind in SourceKind if kind is not SourceKind.USER)
# People keep their names, and where they came from does not change.
DEFAULT_STALE_AFTER: Final = tuple(
    StaleAfter(fact, 365)
    for fact in (Fact.EMAIL, Fact.PHONE, Fact.JOB_TITLE, Fact.COUNTRY, Fact.COMPANY)
)


class BadRanks(Invalid):
    """An order of sources in which one comes twice, or stands above the people who use this."""

    code = "BAD_SOURCE_RANKS"


@dataclass(frozen=True, slots=True)
class Trust:
    """How much each source is believed at an instant.

    A value is worth more the fresher its kind, then the higher its source, then the newer it is:
    what is stale has lost its authority, whoever said it.
    """

    ranks: Sequence[str]
    stale_after: Mapping[Fact, timedelta]
    now: datetime
    _places: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        places = {name: place for place, name in enumerate(self.ranks)}
        object.__setattr__(self, "_places", places)

    @classmethod
    def of(cls, ranks: Sequence[str], stale_after: Sequence[StaleAfter], *, now: datetime) -> Trust:
        """Return the trust that a tenant's settings say."""
        return cls(ranks, {each.fact: timedelta(each.days) for each in stale_after}, now)

    def place(self, source: str, kind: SourceKind) -> int:
        """Return how far a source stands from the top: by its own name, else by its kind."""
        if kind is SourceKind.USER:
            return -1
        last = len(self._places)
        return self._places.get(source, self._places.get(kind.word, last))

    def is_stale(self, fact: Fact, observed_at: datetime) -> bool:
        """Say whether a fact is doubtful.  On its last day it is not yet."""
        limit = self.stale_after.get(fact)
        return limit is not None and self.now - observed_at > limit

    def weight(
        self, fact: Fact, source: str, kind: SourceKind, observed_at: datetime
    ) -> tuple[bool, int, datetime]:
        """Return what is compared between two who say different things."""
        fresh = not self.is_stale(fact, observed_at)
        return fresh, -self.place(source, kind), observed_at


def checked_ranks(given: Sequence[str]) -> tuple[str, ...]:
    """Return names of sources and of kinds as they are kept, the most believed first.

    A source that stands for itself nowhere ranks as its kind; a kind that stands nowhere, last.
    """
    path = ("sourceRanks",)
    if len(given) > MOST_RANKS:
        raise BadRanks(f"At most {MOST_RANKS} sources are ranked.", path=path)
    names = tuple(
        require_text(name, name="The source", path=(*path, at), longest=100).lower()
        for at, name in enumerate(given)
    )
    for at, name in enumerate(names):
        if name == SourceKind.USER.word:
            raise BadRanks("Users always come first, so they are not ranked.", path=(*path, at))
        if name in names[:at]:
            raise BadRanks(f"{name[:60]!r} is ranked twice.", path=(*path, at))
    return names


def checked_stale_after(given: Sequence[StaleAfter]) -> tuple[StaleAfter, ...]:
    """Return when facts become doubtful, each fact once; what is left out never does."""
    path = ("staleAfter",)
    for at, each in enumerate(given):
        if each.fact in [other.fact for other in given[:at]]:
            raise Invalid(f"{each.fact} is there twice.", path=(*path, at, "fact"))
        if not 1 <= each.days <= LONGEST_STALE_DAYS:
            raise Invalid(
                f"A fact becomes doubtful after 1 to {LONGEST_STALE_DAYS} days.",
                path=(*path, at, "days"),
            )
    return tuple(given)
