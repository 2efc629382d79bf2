"""Requests read from a body or a query string.  Everything malformed is the client's fault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request

from api.engine import ErrorCode, FormattedError, GraphQLRequest, refusal
from api.transport.negotiation import MediaType, content_type

MAPPINGS = ("variables", "extensions")
SHA256_DIGITS = 64


class Refused(Exception):
    """A request that is refused before any GraphQL is looked at."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: ErrorCode = ErrorCode.BAD_USER_INPUT,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = dict(headers or {})
        self.extensions = dict(extensions or {})

    @property
    def error(self) -> FormattedError:
        """Return the refusal as an entry of `errors`."""
        error = refusal(self.message, self.code)
        error["extensions"].update(self.extensions)
        return error


def require_json(headers: Headers) -> None:
    """Refuse a body that does not call itself JSON in UTF-8.

    It is also what keeps other sites' forms out: a browser asks our permission first before it
    sends this content type across origins.
    """
    name, parameters = content_type(", ".join(headers.getlist("content-type")))
    if name != MediaType.JSON:
        raise Refused(415, "Send the request as application/json.", headers=_accept_post())
    if parameters.get("charset", "utf-8") not in ("utf-8", "utf8"):
        raise Refused(415, "Send the request in UTF-8.", headers=_accept_post())
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Refused(400, "Send the request uncompressed.")


async def read_body(request: Request, *, limit: int) -> bytes:
    """Read the body, and stop as soon as it is longer than `limit` bytes."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and (len(announced) > 18 or int(announced) > limit):
        raise _too_large(limit)
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise _too_large(limit)
    except ClientDisconnect:
        raise Refused(400, "The body ended early.") from None
    return bytes(body)


def from_body(body: bytes) -> GraphQLRequest:
    """Read a request from JSON."""
    if not body.strip():
        raise Refused(400, "The body is empty.")
    try:
        parameters = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Refused(400, "The body is not valid JSON.") from None
    if isinstance(parameters, list):
        raise Refused(400, "Send one request at a time: batches are not supported.")
    if not isinstance(parameters, dict):
        raise Refused(400, "The body must be a JSON object.")
    return from_parameters(parameters)


def from_query(request: Request) -> GraphQLRequest:
    """Read a request from the query string, where maps are written as JSON."""
    parameters: dict[str, Any] = {}
    for name in ("query", "documentId", "operationName", *MAPPINGS):
        values = request.query_params.getlist(name)
        if len(values) > 1:
            raise Refused(400, f"The parameter {name} is given more than once.")
        if values:
            parameters[name] = values[0]
    for name in MAPPINGS:
        if parameters.get(name):
            parameters[name] = _map(name, parameters[name])
        else:
            parameters.pop(name, None)
    if not parameters.get("operationName"):
        parameters.pop("operationName", None)
    return from_parameters(parameters)


def from_parameters(parameters: Mapping[str, Any]) -> GraphQLRequest:
    """Check the types of a request's parameters."""
    query, document_id = parameters.get("query"), document_id_of(parameters)
    if document_id is None and (not isinstance(query, str) or not query):
        raise Refused(400, "The parameter query must be a string, and not an empty one.")
    if document_id is not None and query is not None:
        raise Refused(400, "Send either a query or a documentId, and not both.")
    operation_name = parameters.get("operationName")
    if operation_name is not None and not isinstance(operation_name, str):
        raise Refused(400, "The parameter operationName must be a string.")
    for name in MAPPINGS:
        if parameters.get(name) is not None and not isinstance(parameters[name], dict):
            raise Refused(400, f"The parameter {name} must be an object.")
    return GraphQLRequest(
        query=query or "",
        document_id=document_id,
        operation_name=operation_name,
        variables=parameters.get("variables") or {},
        extensions=parameters.get("extensions") or {},
    )


def document_id_of(parameters: Mapping[str, Any]) -> str | None:
    """Return the id of the document that is meant, None if its text is sent.

    Clients from before `documentId` put the hash among the extensions; beside a text it is theirs
    to check, and says nothing to us.
    """
    given = parameters.get("documentId")
    if given is not None:
        if not isinstance(given, str) or not given:
            raise Refused(400, "The parameter documentId must be a string, and not an empty one.")
        return given
    extensions = parameters.get("extensions")
    persisted = extensions.get("persistedQuery") if isinstance(extensions, dict) else None
    hashed = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if parameters.get("query") is not None or not isinstance(hashed, str) or not hashed:
        return None
    return f"sha256:{hashed}" if len(hashed) == SHA256_DIGITS else hashed


def _map(name: str, text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Refused(400, f"The parameter {name} is not valid JSON.") from None


def _accept_post() -> dict[str, str]:
    return {"Accept-Post": "application/json; charset=utf-8"}


def _too_large(limit: int) -> Refused:
    # The rest of the body is not read, so the connection cannot be used again.
    return Refused(413, f"The body is larger than {limit} bytes.", headers={"Connection": "close"})
