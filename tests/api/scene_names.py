"""What the things of a scene are known by."""

from __future__ import annotations

from typing import Any

from domain.ids import public


def named(*things: Any) -> dict[str, str]:
    """Return the ids of things by their kinds."""
    return {type(thing).__name__: public(type(thing).__name__, thing.id) for thing in things}
