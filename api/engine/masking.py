"""What a client may read of an error: refusals in words, bugs only as a number to quote."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any

import structlog
from graphql import GraphQLError, ValueNode
from strawberry.exceptions import StrawberryInputCoercionError

from domain.errors import DomainError, Unavailable

log = structlog.get_logger(__name__)

FormattedError = dict[str, Any]
Mask = Callable[[GraphQLError], GraphQLError | FormattedError]


class ErrorCode(StrEnum):
    """The values of `extensions.code`: the words that clients and tools already know."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    COST_LIMIT_EXCEEDED = "COST_LIMIT_EXCEEDED"
    RATE_LIMITED = "RATE_LIMITED"
    IDEMPOTENCY_KEY_IN_USE = "IDEMPOTENCY_KEY_IN_USE"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    PERSISTED_QUERY_NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
    PERSISTED_QUERY_ONLY = "PERSISTED_QUERY_ONLY"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"
    INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"


CODES = frozenset(ErrorCode)
BUG = "Something went wrong on our side. Quote the request id when you report it."


class OperationFailed(Exception):
    """An operation that has no data to answer with, and the formatted errors that say why."""

    def __init__(self, errors: Sequence[FormattedError]) -> None:
        super().__init__(errors[0]["message"])
        self.errors = tuple(errors)

    @property
    def code(self) -> str:
        """Return the code of the first error."""
        return str(self.errors[0].get("extensions", {}).get("code", ""))


def refusal(message: str, code: ErrorCode) -> FormattedError:
    """Build an error that concerns the request as a whole."""
    return {"message": message, "extensions": {"code": code.value}}


def unavailable(error: Unavailable) -> FormattedError:
    """Build the error of a request that may be sent again, and say what became of this one.

    `outcome` is FAILED where nothing was changed, UNKNOWN where that cannot be known.
    """
    answer = refusal(error.message, ErrorCode.SERVICE_UNAVAILABLE)
    answer["extensions"]["outcome"] = error.outcome
    return answer


def is_unavailable(error: GraphQLError) -> bool:
    """Say whether a field has no value only because something could not be reached."""
    return isinstance(_cause(error), Unavailable)


def stamped(error: FormattedError, request_id: str) -> FormattedError:
    """Return the error with a code and the id of the request it answers."""
    extensions = {"code": ErrorCode.INTERNAL_SERVER_ERROR.value, **error.get("extensions", {})}
    return {**error, "extensions": {**extensions, "requestId": request_id}}


def formatted(error: GraphQLError, code: ErrorCode) -> FormattedError:
    """Format an error of graphql-core that is the client's to read, under our code."""
    answer: FormattedError = dict(error.formatted)
    answer["extensions"] = {**(error.extensions or {}), "code": code.value}
    return answer


def mask(error: GraphQLError) -> FormattedError:
    """Show refusals and input errors as they are; hide everything else."""
    cause = _cause(error)
    if isinstance(cause, DomainError):
        return _refused(error, cause)
    if isinstance(cause, Unavailable):
        return {**error.formatted, **unavailable(cause)}
    if cause is None and (error.extensions or {}).get("code") in CODES:
        return dict(error.formatted)
    if cause is None and _is_input(error):
        return formatted(error, ErrorCode.BAD_USER_INPUT)
    hidden = GraphQLError(BUG, error.nodes, path=error.path)
    return formatted(hidden, ErrorCode.INTERNAL_SERVER_ERROR)


def report(error: GraphQLError, *, document: str, operation: str | None, request_id: str) -> None:
    """Log a bug by document hash, field path and frames: no literal, variable or message.

    Messages are left out because drivers put the row's values in them.
    """
    cause = _cause(error) or error
    log.error(
        "graphql.bug",
        document=document,
        operation=operation,
        field=_field_path(error.path or ()),
        request_id=request_id,
        error=type(cause).__qualname__,
        frames=[
            f"{frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(cause.__traceback__)
        ],
    )


def _cause(error: GraphQLError) -> Exception | None:
    """Return what a resolver raised; None where graphql-core or we made the error ourselves."""
    cause: Exception | None = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _refused(error: GraphQLError, cause: DomainError) -> FormattedError:
    """Format a refusal; what `userErrors` would call it is its reason, where no code says so."""
    if cause.code in CODES:
        return formatted(error, ErrorCode(cause.code))
    answer = formatted(error, ErrorCode.BAD_USER_INPUT)
    answer["extensions"]["reason"] = cause.code
    return answer


def _is_input(error: GraphQLError) -> bool:
    """Tell a bad argument value from a result that does not fit its type: by the node at fault.

    A null for a `Maybe` that takes none comes up only when Strawberry builds the input.
    """
    if isinstance(error.original_error, StrawberryInputCoercionError):
        return True
    return bool(error.nodes) and all(isinstance(node, ValueNode) for node in error.nodes or ())


def _field_path(path: Iterable[str | int]) -> str:
    return ".".join("*" if isinstance(step, int) else step for step in path)
