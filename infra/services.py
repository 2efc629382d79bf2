"""What one process has open: the database, the live hub, its keys, and what it was told."""

from __future__ import annotations

from dataclasses import dataclass

from infra.database import Database
from infra.live import Hub
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
