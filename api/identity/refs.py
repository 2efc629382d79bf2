"""Which user or team is meant, where an integration knows them by something else than our ids."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import strawberry

from api.views import shown
from domain import ids
from domain.identity import TeamKey, UserKey, resolve_team, resolve_user
from domain.ports import Work


@strawberry.input(
    one_of=True, description="Which user is meant: exactly one of the id and the e-mail address."
)
class UserRef:
    id: strawberry.Maybe[strawberry.ID] = shown("Their id.", default=None)
    # Plain text, because a scalar would refuse all rows of a bulk request for the sake of one.
    email: strawberry.Maybe[str] = shown(
        "The e-mail address they sign in with; capitals do not matter.", default=None
    )

    def key(self, path: Sequence[str | int]) -> UserKey:
        """Return what tells the user to the domain."""
        if self.id is not None:
            return ids.expect("User", self.id.value, path=(*path, "id"))
        return "" if self.email is None else self.email.value


@strawberry.input(
    one_of=True, description="Which team is meant: exactly one of its id and its name."
)
class TeamRef:
    id: strawberry.Maybe[strawberry.ID] = shown("Its id.", default=None)
    name: strawberry.Maybe[str] = shown("Its name, capitals as they are.", default=None)

    def key(self, path: Sequence[str | int]) -> TeamKey:
        """Return what tells the team to the domain."""
        if self.id is not None:
            return ids.expect("Team", self.id.value, path=(*path, "id"))
        return "" if self.name is None else self.name.value


async def user_id_of(work: Work, ref: UserRef | None, *, path: Sequence[str | int]) -> UUID | None:
    """Return the id of the user that a reference means, None where it was left out."""
    return await resolve_user(work, ref.key(path), path=path) if ref else None


async def team_id_of(work: Work, ref: TeamRef | None, *, path: Sequence[str | int]) -> UUID | None:
    """Return the id of the team that a reference means, None where it was left out."""
    return await resolve_team(work, ref.key(path), path=path) if ref else None
