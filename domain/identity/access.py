"""Signing in: what it gives, and why it is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain.errors import DomainError
from domain.identity.keys import ApiKey, Board
from domain.identity.people import User
from domain.identity.tenants import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A user of one tenant, and the tokens that speak for him or her until they expire."""

    access_token: str = field(repr=False)
    expires_at: datetime
    refresh_token: str = field(repr=False)
    refresh_expires_at: datetime
    user: User
    tenant: Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedApiKey:
    """A new key with its secret, which nobody can be shown again."""

    api_key: ApiKey
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedBoardLink:
    """A new board with its address, which nobody can be shown again."""

    board_link: Board
    url: str = field(repr=False)


class BadCredentials(DomainError):
    """Not an account, not its password, or not a member: which one, the reader must not learn."""

    code = "BAD_CREDENTIALS"

    def __init__(self) -> None:
        super().__init__("The e-mail address or the password is not right.")


class WrongPassword(DomainError):
    """Somebody who is signed in gave another password than his or her own."""

    code = "WRONG_PASSWORD"

    def __init__(self) -> None:
        super().__init__("This is not your password.", path=("currentPassword",))


class TenantNeeded(DomainError):
    """The account belongs to several tenants."""

    code = "TENANT_NEEDED"

    def __init__(self, slugs: Sequence[str]) -> None:
        super().__init__(
            f"Say which tenant you mean: {', '.join(sorted(slugs))}.", path=("tenant",)
        )
