"""A collector of traces: what an exporter sends to it over HTTP, kept as it came."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from typing_extensions import override

PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """One span, as it arrived."""

    name: str
    trace_id: str
    id: str
    parent_id: str
    links: tuple[str, ...]
    failed: bool
    attributes: dict[str, Any]


@dataclass
class Collector:
    """All spans that have arrived, and the messages they came in, as text."""

    url: str
    spans: list[Collected] = field(default_factory=list)
    text: str = ""

    def take(self, message: ExportTraceServiceRequest) -> None:
        self.text += str(message)
        for resource in message.resource_spans:
            for scope in resource.scope_spans:
                self.spans += [_collected(span) for span in scope.spans]

    def find(
        self, name: str, *, parent: Collected | None = None, cause: Collected | None = None
    ) -> Collected:
        """Return the first span of a name, waiting for it; within one, or linked to one."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            for span in list(self.spans):
                within = parent is None or span.parent_id == parent.id
                caused = cause is None or cause.id in span.links
                if span.name == name and within and caused:
                    return span
            time.sleep(0.02)
        raise AssertionError(f"no span {name}: {sorted({span.name for span in self.spans})}")


@contextmanager
def collecting() -> Iterator[Collector]:
    """Listen on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            collector.take(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()
            self.wfile.write(ExportTraceServiceResponse().SerializeToString())

        @override
        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(f"http://127.0.0.1:{server.server_port}")
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


def _collected(span: Any) -> Collected:
    return Collected(
        name=span.name,
        trace_id=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        links=tuple(link.span_id.hex() for link in span.links),
        failed=span.status.code == 2,
        attributes={entry.key: _value(entry.value) for entry in span.attributes},
    )


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, kind)
