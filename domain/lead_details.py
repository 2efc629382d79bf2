"""What may be said of a lead: by a form, an integration's row or a line of a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar
from uuid import UUID

from domain.errors import DomainError, Invalid, Refusals
from domain.identity import kept_address
from domain.leads import ExternalId, Lead
from domain.provenance import Source
from domain.values import limited_text, require_text

T = TypeVar("T")

SCORES = range(-1000, 1001)
MOST_EXTERNAL_IDS = 20
LONGEST_EMAIL = 254
# A domain may be told by any address in it.
LONGEST_ADDRESS = 2000
# Before this no lead was ever seen: somebody mistyped the year.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
# How far a client's clock may run ahead of ours.
CLOCK_TOLERANCE = timedelta(minutes=5)

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)


class Unsaid(Enum):
    """Stands where nothing was said, so that what is there stays; None takes it away."""

    UNSAID = auto()


UNSAID: Final = Unsaid.UNSAID
Said: TypeAlias = T | Unsaid | None


@dataclass(frozen=True, slots=True)
class NamedCompany:
    """A company by its domain, or by its name, however that is written, where there is none."""

    name: str | None = None
    domain: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadDetails:
    """What somebody says of a lead.

    External ids are added to those there are.  `created_at`, when the person was first seen, only
    counts for a new lead.  The owner is told by id or, where that is not said, by e-mail address.

    `source` is who says it, left out the actor, and `observed_at` when it was so, left out now.
    `employer` is nothing that is said, but the domain of the company that the e-mail address tells.
    """

    email: Said[str] = UNSAID
    phone: Said[str] = UNSAID
    first_name: Said[str] = UNSAID
    last_name: Said[str] = UNSAID
    job_title: Said[str] = UNSAID
    country: Said[str] = UNSAID
    company: Said[NamedCompany] = UNSAID
    origin_source: Said[str] = UNSAID
    origin_medium: Said[str] = UNSAID
    origin_campaign: Said[str] = UNSAID
    score: Said[int] = UNSAID
    owner_id: Said[UUID] = UNSAID
    owner_email: str | None = None
    external_ids: tuple[ExternalId, ...] = ()
    created_at: datetime | None = None
    source: Source | str | None = None
    observed_at: datetime | None = None
    employer: str | None = None


# What is written into a lead as it was said.
PLAIN_FIELDS = (
    "email",
    "phone",
    "first_name",
    "last_name",
    "job_title",
    "country",
    "origin_source",
    "origin_medium",
    "origin_campaign",
    "score",
    "owner_id",
)
_INSTANTS = {"created_at": "createdAt", "observed_at": "observedAt"}


def checked(details: LeadDetails, *, now: datetime) -> LeadDetails:
    """Return details as they are kept: trimmed, e-mail addresses in small letters, blanks as None.

    Raises:
        Invalid: if something in them cannot be right.
        Refusals: if several things cannot.
    """
    kept: dict[str, Any] = {}
    refusals: list[DomainError] = []
    for name, check in _CHECKS.items():
        said = getattr(details, name)
        if said is UNSAID or said is None:
            continue
        try:
            kept[name] = check(said)
        except Invalid as refusal:
            refusals.append(refusal)
    for name, path in _INSTANTS.items():
        if (at := getattr(details, name)) is not None:
            try:
                kept[name] = past(at, now, path=(path,))
            except Invalid as refusal:
                refusals.append(refusal)
    if len(refusals) > 1:
        raise Refusals(refusals)
    if refusals:
        raise refusals[0]
    return replace(details, **kept)


def past(at: datetime, now: datetime, *, path: tuple[str, ...]) -> datetime:
    """Return an instant that is not in the future; a clock that runs a little ahead is forgiven.

    Raises:
        Invalid: if it is more than five minutes ahead, or before 1970.
    """
    if at > now + CLOCK_TOLERANCE:
        raise Invalid("This lies in the future.", path=path)
    if at < EARLIEST:
        raise Invalid("This lies before 1970.", path=path)
    return min(at, now)


def described(lead: Lead, details: LeadDetails) -> Lead:
    """Return a lead with the plain fields as somebody said they are; no score is 0."""
    said = {name: getattr(details, name) for name in PLAIN_FIELDS}
    if details.score is None:
        said["score"] = 0
    return replace(lead, **{name: value for name, value in said.items() if value is not UNSAID})


def _text(field: str, name: str, longest: int = 200) -> Callable[[str], str | None]:
    def check(text: str) -> str | None:
        return limited_text(text.strip(), name=name, path=(field,), longest=longest) or None

    return check


def _email(text: str) -> str | None:
    kept = _text("email", "The e-mail address", LONGEST_EMAIL)(text)
    if kept is not None and not _EMAIL.fullmatch(kept):
        raise Invalid("This is not an e-mail address.", path=("email",))
    return None if kept is None else kept.lower()


def _country(text: str) -> str | None:
    kept = text.strip().upper()
    if kept and not _COUNTRY.fullmatch(kept):
        raise Invalid("A country is given by the two letters of ISO 3166-1.", path=("country",))
    return kept or None


def _source(source: Source | str) -> Source | str:
    if isinstance(source, Source):
        return source
    return require_text(source, name="The source", path=("source",), longest=100).lower()


def _score(score: int) -> int:
    if score not in SCORES:
        raise Invalid(f"A score is from {SCORES[0]} to {SCORES[-1]}, not {score}.", path=("score",))
    return score


def _company(company: NamedCompany) -> NamedCompany | None:
    name = company.name
    if name is not None:
        name = limited_text(name.strip(), name="The company's name", path=("company", "name"))
    domain = company.domain
    if domain is not None:
        # What of it was registered is found out later.
        domain = limited_text(
            domain.strip(),
            name="The company's domain",
            path=("company", "domain"),
            longest=LONGEST_ADDRESS,
        )
    return NamedCompany(name or None, domain or None) if name or domain else None


def _external_ids(given: tuple[ExternalId, ...]) -> tuple[ExternalId, ...]:
    if len(given) > MOST_EXTERNAL_IDS:
        raise Invalid(
            f"A lead is given at most {MOST_EXTERNAL_IDS} external ids at a time.",
            path=("externalIds",),
        )
    kept = (
        external_id(name, path=("externalIds", position)) for position, name in enumerate(given)
    )
    return tuple(dict.fromkeys(kept))


def external_id(given: ExternalId, *, path: tuple[str | int, ...]) -> ExternalId:
    """Return an external id as it is kept; its source is a system's name, in small letters."""
    source = require_text(given.source, name="The source", path=(*path, "source"), longest=100)
    value = require_text(given.value, name="The external id", path=(*path, "value"))
    return ExternalId(source.lower(), value)


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "email": _email,
    "phone": _text("phone", "The telephone number"),
    "first_name": _text("firstName", "The first name"),
    "last_name": _text("lastName", "The last name"),
    "job_title": _text("jobTitle", "The job title"),
    "country": _country,
    "company": _company,
    "origin_source": _text("originSource", "The origin's source"),
    "origin_medium": _text("originMedium", "The origin's medium"),
    "origin_campaign": _text("originCampaign", "The origin's campaign"),
    "score": _score,
    "owner_email": partial(kept_address, path=("owner", "email")),
    "external_ids": _external_ids,
    "source": _source,
}
