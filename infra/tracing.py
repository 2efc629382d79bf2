"""Traces by OpenTelemetry: requests, operations, statements, and what the worker does.

Off unless the environment asks for it by the standard variables (`OTEL_EXPORTER_OTLP_ENDPOINT`,
`OTEL_TRACES_EXPORTER`, …); then nothing of the SDK is even imported.  A span says what was done and
how long it took, never with what: no document, variable, parameter, address, header or message of
an exception (ADR 10).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache, wraps
from threading import Thread
from time import time_ns
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra import __version__
from infra.settings import WrongSetting

if TYPE_CHECKING:
    from asyncpg.connection import LoggedQuery
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, SpanKind, Tracer
    from structlog.typing import EventDict, WrappedLogger

P = ParamSpec("P")
R = TypeVar("R")

SCOPE = "smarketing"
MOST_LINKS = 32
FLUSH_SECONDS = 2.0
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Asked every second by machines: nobody looks for their traces.
_UNTRACED = frozenset({"/healthz", "/readyz", "/metrics"})
_OTLP = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_NOTHING: AbstractContextManager[None] = nullcontext()

_tracer: Tracer | None = None


# What is traced


def span(
    name: str, *, kind: SpanKind | None = None, attributes: Mapping[str, Any] | None = None
) -> AbstractContextManager[Span | None]:
    """Return a block to time: a child of the span around it, if there is one."""
    return _NOTHING if _tracer is None else _spanning(_tracer, name, kind, attributes)


def traced(name: str) -> Callable[[Callable[P, Awaitable[R]]], Callable[P, Awaitable[R]]]:
    """Have every call of a coroutine function traced."""

    def decorate(function: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
        @wraps(function)
        async def run(*args: P.args, **kwargs: P.kwargs) -> R:
            with span(name):
                return await function(*args, **kwargs)

        return run

    return decorate


def traceparent() -> str | None:
    """Return the span we are in, as the header of the W3C spells it; None where there is none."""
    if _tracer is None:
        return None
    from opentelemetry.trace import get_current_span

    context = get_current_span().get_span_context()
    if not (context.is_valid and context.trace_flags.sampled):
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-01"


def link(parents: Iterable[str | None]) -> None:
    """Tie the span we are in to those that caused what it does, up to a bound."""
    if _tracer is None:
        return
    from opentelemetry.trace import get_current_span

    current = get_current_span()
    for parent in sorted({parent for parent in parents if parent})[:MOST_LINKS]:
        current.add_link(get_current_span(_context_of(parent)).get_span_context())


@contextmanager
def operation_span(
    kind: str, root_field: str, document: str
) -> Iterator[Callable[[Sequence[str]], None]]:
    """Open a block that answers a GraphQL operation, or one event of a subscription.

    Not by the operation's name, which is whatever a client likes.
    """
    if _tracer is None:
        yield _unheard
        return
    about = {
        "graphql.operation.type": kind,
        "graphql.root_field": root_field,
        "graphql.document.sha256": document,
    }
    with _spanning(_tracer, f"{kind} {root_field}", None, about) as opened:

        def note(codes: Sequence[str]) -> None:
            if codes:
                opened.set_attribute("graphql.error.codes", sorted(set(codes)))
            if "INTERNAL_SERVER_ERROR" in codes:
                _mark_failed(opened, "INTERNAL_SERVER_ERROR")

        yield note


def _unheard(codes: Sequence[str]) -> None:
    return None


class Requests:
    """Traces each HTTP request, as part of the caller's trace where there is one.

    By its route, not by its path: the addresses of boards and uploads are keys.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _tracer is None or scope["type"] != "http" or scope["path"] in _UNTRACED:
            await self._app(scope, receive, send)
            return
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        with _requested(_tracer, method, Headers(scope=scope).get("traceparent")) as asked:
            try:
                await self._app(scope, receive, noting)
            finally:
                route = getattr(scope.get("route"), "path", "none")
                asked.update_name(f"{method} {route}")
                asked.set_attributes({"http.route": route, "http.response.status_code": status})
                if status >= 500:
                    _mark_failed(asked, str(status))


def note_statement(record: LoggedQuery) -> None:
    """Trace a statement that has ended, if it belongs to something that is traced.

    asyncpg calls this in the context of whoever ran it.  What runs outside of any span, such as
    the worker's looking around, leaves no trace.
    """
    if _tracer is None or traceparent() is None:
        return
    from opentelemetry.trace import SpanKind

    ended = time_ns()
    operation, table = _shape(record.query)
    about = {"db.system.name": "postgresql", "db.operation.name": operation}
    if table:
        about["db.collection.name"] = table
    made = _tracer.start_span(
        f"{operation} {table}".strip(),
        kind=SpanKind.CLIENT,
        attributes=about,
        start_time=ended - int(record.elapsed * 1e9),
    )
    if record.exception is not None:
        if state := getattr(record.exception, "sqlstate", None):
            made.set_attribute("db.response.status_code", state)
        _mark_failed(made, type(record.exception).__name__)
    made.end(ended)


def with_trace_id(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Put the trace's id on a line of the log."""
    if parent := traceparent():
        event["trace_id"] = parent.split("-")[1]
    return event


# How tracing is begun


def wanted(environ: Mapping[str, str]) -> bool:
    """Say whether the environment asks for traces.

    Raises:
        WrongSetting: if it asks for what we cannot do.
    """
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip()
    if exporter not in ("", "none", "otlp", "console"):
        raise WrongSetting(
            "OTEL_TRACES_EXPORTER", f"must be otlp, console or none, not {exporter[:40]!r}."
        )
    asked = exporter in ("otlp", "console") or (
        not exporter and any(environ.get(variable, "").strip() for variable in _OTLP)
    )
    if asked and exporter != "console":
        _require_http(environ)
    return asked


@contextmanager
def tracing(environ: Mapping[str, str], *, exporter: SpanExporter | None = None) -> Iterator[None]:
    """Trace while the block runs, if the environment asks for it or an exporter is given."""
    global _tracer  # noqa: PLW0603  # one for each process, as the log is
    if exporter is None and not wanted(environ):
        yield
        return
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create(_identity(environ)))
    provider.add_span_processor(BatchSpanProcessor(exporter or _exporter(environ)))
    _tracer = provider.get_tracer(SCOPE, __version__)
    try:
        yield
    finally:
        _tracer = None
        # A collector that does not answer must not keep us from ending.
        flushing = Thread(target=provider.shutdown, daemon=True)
        flushing.start()
        flushing.join(FLUSH_SECONDS)


def is_on() -> bool:
    """Say whether anything is traced."""
    return _tracer is not None


def _require_http(environ: Mapping[str, str]) -> None:
    for variable in ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        protocol = environ.get(variable, "").strip()
        if protocol not in ("", "http/protobuf"):
            raise WrongSetting(variable, f"must be http/protobuf, not {protocol[:40]!r}.")


def _exporter(environ: Mapping[str, str]) -> SpanExporter:
    if environ.get("OTEL_TRACES_EXPORTER", "").strip() == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()


def _identity(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what the service calls itself, unless the environment has another name for it."""
    identity = {"service.version": __version__}
    if "service.name=" not in environ.get("OTEL_RESOURCE_ATTRIBUTES", ""):
        identity["service.name"] = environ.get("OTEL_SERVICE_NAME", "").strip() or SCOPE
    return identity


# How spans are made


@contextmanager
def _spanning(
    tracer: Tracer,
    name: str,
    kind: SpanKind | None,
    attributes: Mapping[str, Any] | None,
    parent: Any = None,
) -> Iterator[Span]:
    """Open a span that tells of an exception by its class alone: messages quote people's data."""
    from opentelemetry.trace import SpanKind

    with tracer.start_as_current_span(
        name,
        context=parent,
        kind=kind or SpanKind.INTERNAL,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as opened:
        try:
            yield opened
        except Exception as error:
            _mark_failed(opened, type(error).__name__)
            raise


def _requested(tracer: Tracer, method: str, parent: str | None) -> AbstractContextManager[Span]:
    from opentelemetry.trace import SpanKind

    known = parent if parent and _TRACEPARENT.fullmatch(parent) else None
    about = {"http.request.method": method}
    return _spanning(tracer, method, SpanKind.SERVER, about, _context_of(known) if known else None)


def _context_of(parent: str) -> Any:
    """Read a traceparent.  A tracestate is not read: it is free text of whoever sends it."""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": parent})


def _mark_failed(failed: Span, how: str) -> None:
    from opentelemetry.trace import StatusCode

    failed.set_status(StatusCode.ERROR)
    failed.set_attribute("error.type", how)


_FIRST_TABLE = re.compile(r'\b(?:FROM|INTO|UPDATE|JOIN|TABLE)\s+"?([a-z_]{1,63})"?(?![a-z_(])')
_FIRST_WORD = re.compile(r"\s*([A-Za-z]+)")


def _shape(statement: str) -> tuple[str, str]:
    """Return what a statement does, and the first table it names."""
    if statement.startswith("BEGIN"):  # its text is never twice the same
        return "BEGIN", ""
    return _known_shape(statement)


@lru_cache(maxsize=2000)
def _known_shape(statement: str) -> tuple[str, str]:
    word, table = _FIRST_WORD.match(statement), _FIRST_TABLE.search(statement)
    return (word[1].upper() if word else "QUERY"), (table[1] if table else "")
