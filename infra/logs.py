"""One log for everything: ours, uvicorn's and the libraries', as JSON or for people.

What is bound with `bind_request` is on every line of that request.  No line holds a GraphQL
document, its variables, a header or an exception's local values: those hold people's data.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from infra.settings import LogFormat
from infra.tracing import with_trace_id

# Their messages quote the documents, statements or addresses that they work on.
_QUIET = {
    "asyncio": logging.WARNING,
    "graphql": logging.CRITICAL,
    "httpcore": logging.WARNING,
    "httpx": logging.WARNING,
    "sqlalchemy": logging.WARNING,
    "strawberry.execution": logging.CRITICAL,
    "urllib3": logging.WARNING,
    "uvicorn.access": logging.CRITICAL,
    # Whose debug messages are the frames of the sockets, tokens and all.
    "uvicorn.error": logging.INFO,
    "websockets": logging.INFO,
}
# Keys that must never reach a log, however they got into an event.
_SECRET = re.compile(
    r"authorization|cookie|credential|document|e_?mail|password|phone|query|secret|token|variables",
    re.IGNORECASE,
)
_HIDDEN = "[hidden]"
# PostgreSQL's "Key (email)=(…) already exists", and SQLAlchemy's list of bound values.
_QUOTED_ROW = re.compile(r"^((?:DETAIL|CONTEXT):|\[parameters:).*$", re.MULTILINE)
# `:password@` of an address that some driver put into its message.
_PASSWORD = re.compile(r"(?<=://)([^:/@\s]*):[^@/\s]+@")


def configure_logs(
    *, log_format: LogFormat = LogFormat.AUTO, level: str = "info", stream: TextIO | None = None
) -> None:
    """Send every log through one formatter to a stream (standard error).  May be called again.

    uvicorn must be started with `log_config=None`, or it sets up its own.
    """
    out = sys.stderr if stream is None else stream
    human = log_format is LogFormat.HUMAN or (log_format is LogFormat.AUTO and out.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        with_trace_id,
        _without_secrets,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        # Not cached: a second call must reach loggers made at import.
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.ExceptionRenderer(_frames),
                *(_for_people(colours=out.isatty()) if human else _for_machines()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(capture=True)
    _through_root(logging.getLogger("uvicorn"))
    for name, quiet in _QUIET.items():
        _through_root(logging.getLogger(name))
        logging.getLogger(name).setLevel(quiet)


@contextmanager
def bind_request(request_id: str, **more: str) -> Iterator[None]:
    """Put the request's id, and more, on every line logged within."""
    with structlog.contextvars.bound_contextvars(request_id=request_id, **more):
        yield


def _through_root(logger: logging.Logger) -> None:
    logger.handlers.clear()
    logger.propagate = True


def _for_people(*, colours: bool) -> list[Processor]:
    return [structlog.dev.ConsoleRenderer(colors=colours)]


def _for_machines() -> list[Processor]:
    return [
        structlog.processors.EventRenamer("message"),
        structlog.processors.JSONRenderer(serializer=_json),
    ]


def _frames(exc_info: ExcInfo) -> str:
    """Return a traceback without local values, and without what a driver quotes from the rows."""
    lines = "".join(traceback.format_exception(*exc_info)).rstrip()
    return _QUOTED_ROW.sub(rf"\1{_HIDDEN}", _PASSWORD.sub(rf"\1:{_HIDDEN}@", lines))


def _json(event: Mapping[str, Any], **_: object) -> str:
    return orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()


def _without_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return _hide(event)


def _hide(event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if key.startswith("_") or key in ("event", "exc_info"):
            continue
        if _SECRET.search(key) and not key.endswith("_hash"):
            event[key] = _HIDDEN
        elif isinstance(value, dict):
            event[key] = _hide({str(inner): found for inner, found in value.items()})
    return event
