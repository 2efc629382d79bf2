"""The messages of graphql-transport-ws, read strictly and written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import orjson

from api.engine import FormattedError, GraphQLRequest, Payload

PROTOCOL = "graphql-transport-ws"
REASON_BYTES = 123
"""The most that fits into a close frame beside the code."""


class CloseCode(IntEnum):
    """Why a socket was closed."""

    GOING_AWAY = 1001
    TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL_NOT_ACCEPTABLE = 4406
    INITIALISATION_TIMEOUT = 4408
    SUBSCRIBER_EXISTS = 4409
    TOO_MANY_INITIALISATIONS = 4429


class Closing(Exception):
    """The socket must be closed, with this code and reason."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:REASON_BYTES].decode(errors="ignore")


@dataclass(frozen=True, slots=True)
class ConnectionInit:
    """The client introduces itself."""

    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ping:
    """The client wants to know whether anybody is there."""

    payload: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Pong:
    """The client is there."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """The client starts an operation: a subscription, a query or a mutation."""

    id: str
    request: GraphQLRequest


@dataclass(frozen=True, slots=True)
class Complete:
    """The client has heard enough."""

    id: str


Message = ConnectionInit | Ping | Pong | Subscribe | Complete


def read(text: str) -> Message:
    """Read a message of a client, or raise `Closing` with 4400 as the protocol says."""
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _invalid("The message is not valid JSON") from None
    if not isinstance(message, dict):
        raise _invalid("The message must be an object")
    match message.get("type"):
        case "connection_init":
            return ConnectionInit(_optional(message, "payload") or {})
        case "ping":
            return Ping(_optional(message, "payload"))
        case "pong":
            _optional(message, "payload")
            return Pong()
        case "subscribe":
            return Subscribe(_id(message), _request(message.get("payload")))
        case "complete":
            return Complete(_id(message))
        case _:
            raise _invalid("The message has no type that a client may send")


def _request(payload: Any) -> GraphQLRequest:
    if not isinstance(payload, dict):
        raise _invalid("The payload of subscribe must be an object")
    query, operation_name = payload.get("query"), payload.get("operationName")
    document_id = payload.get("documentId")
    if document_id is not None and (not isinstance(document_id, str) or not document_id):
        raise _invalid("The documentId must be a string, and not an empty one")
    if document_id is not None and query is not None:
        raise _invalid("The payload has either a query or a documentId")
    if document_id is None and not isinstance(query, str):
        raise _invalid("The query must be a string")
    if operation_name is not None and not isinstance(operation_name, str):
        raise _invalid("The operationName must be a string")
    return GraphQLRequest(
        query=query or "",
        document_id=document_id,
        operation_name=operation_name,
        variables=_optional(payload, "variables") or {},
        extensions=_optional(payload, "extensions") or {},
    )


def _id(message: Mapping[str, Any]) -> str:
    given = message.get("id")
    if not isinstance(given, str) or not given:
        raise _invalid("The id must be a string, and not an empty one")
    return given


def _optional(parent: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    value = parent.get(name)
    if value is not None and not isinstance(value, dict):
        raise _invalid(f"The {name} must be an object")
    return value


def _invalid(reason: str) -> Closing:
    return Closing(CloseCode.BAD_REQUEST, reason)


ACK = '{"type":"connection_ack"}'
PING = '{"type":"ping"}'


def pong(payload: Mapping[str, Any] | None) -> str:
    """Answer a ping, with what it carried; not with what nests deeper than we can write."""
    if payload is not None:
        with suppress(orjson.JSONEncodeError):
            return _written({"type": "pong", "payload": payload})
    return _written({"type": "pong"})


def next_(operation_id: str, answer: Payload) -> str:
    """Frame an answer, which is encoded already and shared with others."""
    return f'{{"id":{_quoted(operation_id)},"type":"next","payload":{answer.text}}}'


def error(operation_id: str, errors: Sequence[FormattedError]) -> str:
    """End an operation by its errors."""
    return _written({"id": operation_id, "type": "error", "payload": errors})


def complete(operation_id: str) -> str:
    """End an operation."""
    return _written({"id": operation_id, "type": "complete"})


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()


def _written(message: Mapping[str, Any]) -> str:
    return orjson.dumps(message).decode()
