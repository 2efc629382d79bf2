"""Where requests come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request came from, as far as the network and the client's own words tell."""

    address: str | None = None
    user_agent: str | None = None


NOWHERE = Origin()
