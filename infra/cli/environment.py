"""The settings as a command finds them."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from infra.checkout import LOCAL
from infra.settings import Settings, with_local_secrets

if TYPE_CHECKING:
    from domain.audit import Cause


def settings(changes: Mapping[str, str] | None = None) -> Settings:
    """Return the settings, in development with a secret of this checkout.

    They are put into the environment too, for the processes that are started from here.
    """
    environ = with_local_secrets({**os.environ, **(changes or {})}, LOCAL)
    found = Settings.from_env(environ)
    os.environ.update(environ)
    return found


def database_settings() -> Settings:
    """Return the settings as far as they are about the database; the others may be missing."""
    given = os.environ.get("SMARKETING_SECRET", "")
    stand_ins = {"SMARKETING_ENV": "development", "SMARKETING_SECRET": given or "-" * 32}
    return Settings.from_env({**os.environ, **stand_ins})


def operator(action: str) -> Cause:
    """Return whoever is at the keyboard, for the audit log."""
    from domain.audit import AuditActorKind, Cause

    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user
        name = f"user {os.getuid()}"
    return Cause(action=action, actor_kind=AuditActorKind.OPERATOR, actor_name=name)
