"""The schema: every feature's queries, mutations and subscriptions under one roof."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import strawberry

from api.engine.cohorts import Kind
from api.errors import ERROR_TYPES, STREAMS
from api.types import CONFIG
from api.views import VIEWS

FEATURES = (
    "identity",
    "audit",
    "identity.admission",
    "node",
    "calendars",
    "lifecycle",
    "personas",
    "leads",
    "companies",
    "provenance",
    "consent",
    "lead_settings",
    "content",
    "touches",
    "tracking",
    "touch_retention",
    "merging",
    "duplicates",
    "handoff",
    "outcomes",
    "threads",
    "ratings",
    "efforts",
    "next_steps",
    "leaks",
    "digests",
    "letters",
    "scoring",
    "prediction",
    "briefs",
    "work_queue",
    "sla",
    "sla_status",
    "recalibration",
    "cadence",
    "clocks",
    "feed",
    "pipeline",
    "opportunities",
    "customers",
    "exchange",
    "goals",
    "forecast",
    "funnel",
    "campaigns",
    "attribution",
    "performance",
    "board",
    "closed_loop",
    "imports",
    "uploads",
)


@cache
def schema() -> strawberry.Schema:
    """Return the schema, built once."""
    modules = [import_module(f"api.{name}") for name in FEATURES if find_spec(f"api.{name}")]
    return strawberry.Schema(
        query=_root("Query", "Queries", modules),
        mutation=_root("Mutation", "Mutations", modules),
        subscription=_root("Subscription", "Subscriptions", modules),
        types=[*ERROR_TYPES, *VIEWS.values()],
        config=CONFIG,
    )


def kinds() -> dict[str, Kind]:
    """Return how each subscription is delivered."""
    schema()
    return dict(STREAMS)


def _root(name: str, part: str, modules: list[Any]) -> Any:
    """Return one root type from what each feature offers under the same name."""
    bases = tuple(getattr(module, part) for module in modules if hasattr(module, part))
    if not bases:
        return None
    descriptions = {
        "Query": "What can be read.",
        "Mutation": "What can be done.",
        "Subscription": "What can be followed live.",
    }
    return strawberry.type(type(name, bases, {}), name=name, description=descriptions[name])
