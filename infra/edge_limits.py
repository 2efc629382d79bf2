"""The bounds of the edge: what one document, one socket, one bearer and one tenant may ask for.

Each is a setting with a safe default.  docs/limits.md lists them; a test compares it with this.
"""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from enum import StrEnum
from typing import Any


class Introspection(StrEnum):
    """Who may read the whole schema by `__schema`.  `__type` and `__typename` are everybody's."""

    EVERYBODY = "everybody"
    KNOWN = "known"
    """Whoever is signed in or brings an API key."""
    ADMINS = "admins"


class DocumentMode(StrEnum):
    """How trusted documents are used, by the installation or by one client."""

    OFF = "off"
    """Ids are refused: send the text."""
    ALLOW = "allow"
    """Ids and texts."""
    ONLY = "only"
    """Ids alone: nobody runs what was not uploaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A limit as a setting: its variable, the values it can have, and what it bounds."""

    variable: str
    default: int
    at_least: int
    at_most: int
    meaning: str


def _bound(
    variable: str, default: int, meaning: str, *, at_least: int = 1, at_most: int = 10**9
) -> Any:
    bound = Bound(
        variable=variable, default=default, at_least=at_least, at_most=at_most, meaning=meaning
    )
    return field(default=default, metadata={"bound": bound})


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeLimits:
    """Every bound of the edge.  A limit is the largest number still allowed."""

    body_bytes: int = _bound(
        "MAX_BODY_BYTES", 1 << 20, "Bytes of the body of a request.", at_least=1024
    )
    message_bytes: int = _bound(
        "MAX_MESSAGE_BYTES", 256 * 1024, "Bytes of a message on a socket.", at_least=1024
    )
    document_characters: int = _bound(
        "MAX_DOCUMENT_CHARACTERS", 100_000, "Characters of a document.", at_least=100
    )
    document_tokens: int = _bound(
        "MAX_DOCUMENT_TOKENS",
        2_000,
        "Tokens of a document: the one limit that is looked at while it is read.",
        at_least=100,
    )
    document_depth: int = _bound(
        "MAX_DOCUMENT_DEPTH", 15, "Levels of fields; introspection's own are not counted."
    )
    document_aliases: int = _bound("MAX_DOCUMENT_ALIASES", 100, "Aliases, fragments included.")
    document_directives: int = _bound(
        "MAX_DOCUMENT_DIRECTIVES", 100, "Directives, fragments included."
    )
    document_repeats: int = _bound(
        "MAX_DOCUMENT_REPEATS", 40, "How often one selection set may name the same field."
    )
    operation_cost: int = _bound(
        "MAX_OPERATION_COST",
        5_000,
        "Cost of one operation: 1 for each object, lists times their page size.",
    )
    mutation_cost: int = _bound(
        "MUTATION_COST", 10, "What each mutation of an operation costs beside its answer."
    )
    tenant_cost: int = _bound(
        "COST_PER_TENANT",
        3_000_000,
        "Cost a minute of one tenant, all processes together; 0: no bound.",
        at_least=0,
    )
    bearer_cost: int = _bound(
        "COST_PER_BEARER",
        1_500_000,
        "Cost a minute of one user, API key or board; 0: no bound.",
        at_least=0,
    )
    address_cost: int = _bound(
        "COST_PER_ADDRESS",
        60_000,
        "Cost a minute of one address that brings no credentials, in each process; 0: no bound.",
        at_least=0,
    )
    beacon_bytes: int = _bound(
        "MAX_BEACON_BYTES", 16 * 1024, "Bytes of a beacon of a web page.", at_least=1024
    )
    address_events: int = _bound(
        "EVENTS_PER_ADDRESS",
        1_200,
        "Events a minute that web pages tell from one address, in each process; a beacon is one"
        " more; 0: no bound.",
        at_least=0,
    )
    site_events: int = _bound(
        "EVENTS_PER_SITE",
        60_000,
        "Events a minute that pages of one web site tell, in each process; 0: no bound.",
        at_least=0,
    )
    socket_operations: int = _bound(
        "MAX_SOCKET_OPERATIONS", 100, "Operations at the same time on one socket."
    )
    bearer_subscriptions: int = _bound(
        "MAX_SUBSCRIPTIONS_PER_BEARER",
        5_000,
        "Subscriptions at the same time of one user, API key or board, in each process.",
    )
    tenant_subscriptions: int = _bound(
        "MAX_SUBSCRIPTIONS_PER_TENANT",
        20_000,
        "Subscriptions at the same time of one tenant, in each process.",
    )
    address_connections: int = _bound(
        "MAX_CONNECTIONS_PER_ADDRESS",
        5_000,
        "Sockets and event streams at the same time from one address, in each process.",
    )
    bearer_connections: int = _bound(
        "MAX_CONNECTIONS_PER_BEARER",
        5_000,
        "Sockets and event streams at the same time of one user, API key or board, in each"
        " process.",
    )
    socket_init_seconds: int = _bound(
        "SOCKET_INIT_SECONDS", 5, "Until a socket has to have sent `connection_init`.", at_most=60
    )
    socket_ping_seconds: int = _bound(
        "SOCKET_PING_SECONDS", 20, "Between two pings of ours on a socket.", at_most=3600
    )
    socket_silence_seconds: int = _bound(
        "SOCKET_SILENCE_SECONDS",
        30,
        "Without a sign of life until a socket is closed, looked at whenever a ping is due.",
    )
    waiting: int = _bound(
        "MAX_WAITING", 200, "Operations that wait for their turn in a process; more are refused."
    )
    send_seconds: int = _bound(
        "SEND_SECONDS", 20, "For one write to a reader that does not read, until it is let go."
    )


def bounds() -> dict[str, Bound]:
    """Return every bound by the name of its field."""
    every: tuple[Field[Any], ...] = fields(EdgeLimits)
    return {each.name: each.metadata["bound"] for each in every}


def as_table() -> str:
    """Return the bounds as the table of docs/limits.md."""
    rows = ["| variable | default | from–to | what it bounds |", "| --- | ---: | --- | --- |"]
    rows += [
        f"| `{bound.variable}` | {bound.default:,} | {bound.at_least:,}–{bound.at_most:,} "
        f"| {bound.meaning} |"
        for bound in bounds().values()
    ]
    return "\n".join(rows)
