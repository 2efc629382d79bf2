"""What one process has open: the database, the live hub, its keys, and what it was told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from infra.accounts import Accounts
from infra.database import Database
from infra.live import Hub
from infra.passwords import Passwords
from infra.settings import Settings
from infra.signing import UrlSigner
from infra.tokens import AccessTokens


@dataclass(frozen=True, slots=True)
class Services:
    """Made once, by `api.app` or `infra.cli`, and handed to whoever needs it."""

    settings: Settings
    database: Database
    hub: Hub
    tokens: AccessTokens
    signer: UrlSigner
    passwords: Passwords = field(default_factory=Passwords)

    @property
    def accounts(self) -> Accounts:
        """Who may sign in, and what lets people and machines in."""
        return Accounts(
            self.database,
            self.passwords,
            self.tokens,
            self.settings.public_url,
            secret=self.settings.secret,
            lives=self.settings.session_lives,
        )

    def over(self, database: Database) -> Services:
        """Return the same services, which read and write through another database."""
        return replace(self, database=database)
