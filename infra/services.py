"""What one process has open: the database, the live hub, its keys, and what it was told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from infra.accounts import Accounts
from infra.database import Database
from infra.first_run import FirstRun
from infra.invitations import Invitations
from infra.live import Hub
from infra.mail.queue import MailQueue
from infra.mail.stopping import LetterStops
from infra.password_resets import PasswordResets
from infra.passwords import Passwords
from infra.secrets import derived_key
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

    @property
    def mail_queue(self) -> MailQueue:
        """Where letters wait to be sent."""
        return MailQueue(self.database, self.settings.secret)

    @property
    def letter_stops(self) -> LetterStops:
        """How people get no more letters of a kind."""
        return LetterStops(
            database=self.database, signer=self.signer, public_url=self.settings.public_url
        )

    @property
    def invitations(self) -> Invitations:
        """How people come in."""
        return Invitations(
            accounts=self.accounts,
            queue=self.mail_queue,
            app_url=self.settings.app_url,
            life=timedelta(days=self.settings.invitation_days),
        )

    @property
    def password_resets(self) -> PasswordResets:
        """How people who have lost their password get in again."""
        return PasswordResets(
            database=self.database,
            passwords=self.passwords,
            queue=self.mail_queue,
            app_url=self.settings.app_url,
            key=derived_key(self.settings.secret, "password resets v1"),
        )

    @property
    def first_run(self) -> FirstRun:
        """How an installation gets its first tenant."""
        key = derived_key(self.settings.secret, "first run v1")
        return FirstRun(accounts=self.accounts, key=key)
