"""Password resets: a link to one's own address, by which a new password can be chosen once.

A request is only queued, so it takes the same time and has the same answer whether or not there
is such an account.  Everything else is done by the worker, and the link's secret follows from the
request's id: the worker can say it again when a letter has to be sent again, and nobody keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from domain.audit import SYSTEM, Cause
from domain.errors import DomainError
from domain.identity import AttemptLimit, SessionEnd
from infra.accounts import end_sessions_before
from infra.attempts import Attempts, Scope
from infra.database import Database
from infra.mail.letters import Letter, password_changed_letter, password_reset_letter
from infra.mail.queue import MailQueue, ResetWanted, Taken
from infra.passwords import Passwords, check_password
from infra.secrets import PASSWORD_RESET, NewSecret, derived_secret, digest_of

LIFE = timedelta(hours=1)
MOST_PER_HOUR = 3
# By where requests come from, and never by the account: or strangers could keep its owner out.
_LIMITS: Mapping[Scope, AttemptLimit] = {
    Scope.PAIR: AttemptLimit(
        free=5, longest=timedelta(minutes=15), forgiven_each=timedelta(minutes=15)
    ),
    Scope.ADDRESS: AttemptLimit(
        free=30, longest=timedelta(minutes=15), forgiven_each=timedelta(minutes=2)
    ),
    Scope.ACCOUNT: AttemptLimit(
        free=1_000_000, longest=timedelta(), forgiven_each=timedelta(microseconds=1)
    ),
}
_NOTICE_LIFE = timedelta(days=2)

_ACCOUNT = "SELECT id FROM accounts WHERE email = $1 FOR UPDATE"
# Every link lives as long as the limit looks back, so those that are over need not be kept.
_FORGET = "DELETE FROM password_resets WHERE expires_at <= $1"
_ASKED = "SELECT id, expires_at, used_at FROM password_resets WHERE account_id = $1 ORDER BY id"
_ADD = """
INSERT INTO password_resets (id, account_id, digest, requested_at, expires_at)
VALUES ($1, $2, $3, $4, $5)
"""
# Ids are made in the order of the requests, so the newest has the last one.
_GOOD = """
SELECT r.id, r.account_id, a.email FROM password_resets r JOIN accounts a ON a.id = r.account_id
WHERE r.digest = $1 AND r.used_at IS NULL AND r.expires_at > $2 AND NOT EXISTS (
  SELECT 1 FROM password_resets newer WHERE newer.account_id = r.account_id AND newer.id > r.id
)
"""
_USE = """
UPDATE password_resets SET used_at = $2 WHERE id = $1 AND used_at IS NULL AND expires_at > $2
RETURNING account_id
"""
_CHANGE = """
UPDATE accounts SET password_hash = $2, epoch = epoch + 1 WHERE id = $1 RETURNING epoch
"""


class ResetNotValid(DomainError):
    """The link is unknown, used, expired or replaced by a newer one."""

    code = "RESET_NOT_VALID"

    def __init__(self) -> None:
        super().__init__(
            "This link is not valid, or not any more; ask for a new one.", path=("token",)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordResets:
    """Sends links, and takes new passwords from who holds one.

    `app_url` is where people open links, `key` what the links' secrets follow from.
    """

    database: Database
    passwords: Passwords
    queue: MailQueue
    app_url: str
    key: bytes = field(repr=False)
    cause: Cause = SYSTEM
    """Where the request comes from."""

    async def request(self, email: str, *, address: str | None = None) -> None:
        """Have a link sent to an address, if it is an account's: that is seen later.

        Raises:
            TooManyAttempts: if too many were asked for from the network address.
        """
        await Attempts(self.database, self.key, _LIMITS).begin(email, address)
        at = await self.database.now()
        async with self.database.platform.acquire() as connection:
            await self.queue.put(
                connection,
                ResetWanted(email=email),
                at=at,
                expires_at=at + LIFE,
                once_for=f"reset {email}",
            )

    async def answer(self, taken: Taken, wanted: ResetWanted) -> Letter | None:
        """Return the letter with the link; None if there is nobody to send it to, or too often."""
        at = await self.database.now()
        secret = derived_secret(PASSWORD_RESET, taken.id, key=self.key)
        async with self.database.platform.acquire() as connection, connection.transaction():
            account_id = await connection.fetchval(_ACCOUNT, wanted.email)
            if account_id is None:
                return None
            expires_at = await self._admit(connection, taken.id, account_id, secret, at)
        if expires_at is None:
            return None
        return password_reset_letter(
            to=wanted.email,
            url=f"{self.app_url}/password-reset#token={secret.text}",
            expires_at=expires_at,
        )

    async def reset(self, token: str, *, password: str) -> None:
        """Give an account a new password, and sign out everybody who used the old one.

        Raises:
            ResetNotValid: if the link is not good (any more).
            WeakPassword: if the password would be guessed.
        """
        digest, at = digest_of(token, prefix=PASSWORD_RESET), await self.database.now()
        row = digest and await self.database.platform.fetchrow(_GOOD, digest, at)
        if not row:
            raise ResetNotValid
        check_password(password, email=row["email"], path=("newPassword",))
        hashed = await self.passwords.hash(password)
        async with self.database.platform.acquire() as connection, connection.transaction():
            account_id = await connection.fetchval(_USE, row["id"], at)
            if account_id is None:
                raise ResetNotValid
            epoch: int = await connection.fetchval(_CHANGE, account_id, hashed)
            await self._tell(connection, row["email"], at)
        await end_sessions_before(
            self.database,
            account_id,
            epoch,
            because=SessionEnd.PASSWORD_CHANGED,
            cause=self.cause,
        )

    async def _admit(
        self,
        connection: Any,
        request_id: UUID,
        account_id: UUID,
        secret: NewSecret,
        at: datetime,
    ) -> datetime | None:
        """Return until when a request's link is good; None if it gets none, or has been passed."""
        await connection.execute(_FORGET, at)
        asked: list[asyncpg.Record] = await connection.fetch(_ASKED, account_id)
        known = {row["id"]: row for row in asked}
        if request_id in known:  # its letter is being sent again
            newest, row = asked[-1]["id"], known[request_id]
            good = newest == request_id and row["used_at"] is None
            return row["expires_at"] if good else None
        if len(asked) >= MOST_PER_HOUR:
            return None
        expires_at = at + LIFE
        await connection.execute(_ADD, request_id, account_id, secret.digest, at, expires_at)
        return expires_at

    async def _tell(self, connection: Any, email: str, at: datetime) -> None:
        letter = password_changed_letter(to=email, at=at, url=f"{self.app_url}/password-reset")
        await self.queue.put(connection, letter, at=at, expires_at=at + _NOTICE_LIFE)
