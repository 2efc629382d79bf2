"""What the database refuses, in words for the person who asked."""

from __future__ import annotations

import re
from collections.abc import Mapping

import asyncpg

from domain.errors import AlreadyExists, DomainError, Invalid, NotFound


class Busy(DomainError):
    """Two changes waited for each other, and this one gave way."""

    code = "STALE"


# What a person is told when something unique is taken, and the way to it, by the constraint's name.
UNIQUE: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "users_email": ("There is already a user with this e-mail address.", ("email",)),
    "invitations_open": (
        "This address is invited already; send that invitation again.",
        ("email",),
    ),
    "teams_name": ("There is already a team of this name.", ("name",)),
    "team_members_user": ("This user is already in the team.", ("user",)),
    "calendars_name": ("There is already a calendar of this name.", ("name",)),
    "personas_name": ("There is already a persona of this name.", ("name",)),
    "leads_email": ("There is already a lead with this e-mail address.", ("email",)),
    "lead_external_ids_value": (
        "There is already a lead with this external id.",
        ("externalIds",),
    ),
    "duplicate_rules_pkey": ("Somebody else has just begun to look for duplicates.", ()),
    "companies_domain": ("There is already a company with this domain.", ("domain",)),
    "companies_name": ("There is already a company of this name without a domain.", ("name",)),
    "content_assets_url": ("There is already a content asset at this address.", ("url",)),
    "stage_definitions_number": (
        "Somebody else has just proposed a definition of this stage.",
        ("stage",),
    ),
    "opportunities_external": (
        "There is already an opportunity with this external id.",
        ("externalId",),
    ),
    "customers_lead": ("This lead is a customer already.", ("lead",)),
    "revenue_events_external": (
        "There is already revenue with this external id.",
        ("externalId",),
    ),
    "handoffs_open": ("This lead is already handed off and waits for an answer.", ("lead",)),
}
_UNTOLD = ("This already exists.", ())


class told_refusals:  # noqa: N801  # reads as the statement `with told_refusals():`
    """Turn what the database refuses into what a person is told."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, asyncpg.UniqueViolationError):
            message, path = UNIQUE.get(_constraint(error), _UNTOLD)
            raise AlreadyExists(message, path=path) from error
        if isinstance(error, asyncpg.ForeignKeyViolationError):
            raise NotFound(_constraint(error).removesuffix("_id").rpartition(".")[2]) from error
        if isinstance(error, asyncpg.DeadlockDetectedError | asyncpg.SerializationError):
            raise Busy("Somebody else changed the same things; try again.") from error
        if isinstance(error, asyncpg.CharacterNotInRepertoireError | asyncpg.DataError):
            raise Invalid("A value cannot be stored.") from error


def _constraint(error: asyncpg.PostgresError) -> str:
    """Return the constraint's name.  Citus appends the number of a shard to it."""
    return re.sub(r"_\d{6,}$", "", error.constraint_name or "")
