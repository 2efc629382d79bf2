"""Which user or team is meant, told as people and other systems tell them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias
from uuid import UUID

from domain.errors import NotFound
from domain.identity.people import User
from domain.identity.teams import Team
from domain.ports import Work, first
from domain.values import limited_text

# What tells a user: their id or their e-mail address.  What tells a team: its id or its name.
UserKey: TypeAlias = UUID | str
TeamKey: TypeAlias = UUID | str


async def resolve_user(work: Work, key: UserKey, *, path: Sequence[str | int]) -> UUID:
    """Return the id of the user that a key tells; an id is not looked up.

    Raises:
        NotFound: if this tenant has none.
    """
    if isinstance(key, UUID):
        return key
    user = await first(work, User, email=kept_address(key, path=(*path, "email")))
    if user is None:
        raise NotFound("user", path=path)
    return user.id


async def resolve_team(work: Work, key: TeamKey, *, path: Sequence[str | int]) -> UUID:
    """Return the id of the team that a key tells; an id is not looked up.

    Raises:
        NotFound: if this tenant has none.
    """
    if isinstance(key, UUID):
        return key
    name = limited_text(key.strip(), name="The team's name", path=(*path, "name"))
    team = await first(work, Team, name=name)
    if team is None:
        raise NotFound("team", path=path)
    return team.id


def kept_address(text: str, *, path: Sequence[str | int]) -> str:
    """Return an e-mail address as it is kept: in small letters.

    Raises:
        Invalid: if no user could have it.
    """
    return limited_text(text.strip().lower(), name="The e-mail address", path=path, longest=254)
