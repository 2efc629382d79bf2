from __future__ import annotations

import subprocess
import sys

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from infra import tracing
from infra.settings import WrongSetting
from tests.conftest import ROOT

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


@pytest.fixture
def exporter():
    kept = InMemorySpanExporter()
    with tracing.tracing({}, exporter=kept):
        yield kept


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"OTEL_TRACES_EXPORTER": "none", **ENDPOINT}, False),
        ({"OTEL_SDK_DISABLED": "TRUE", **ENDPOINT}, False),
        (ENDPOINT, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, False),
    ],
)
def test_traces_are_off_unless_asked_for(environ, wanted):
    assert tracing.wanted(environ) is wanted


@pytest.mark.parametrize(
    ("environ", "variable"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER"),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL"),
    ],
)
def test_what_we_cannot_do_is_refused_by_name(environ, variable):
    with pytest.raises(WrongSetting) as refused:
        tracing.wanted(environ)

    assert refused.value.variable == variable


def test_where_they_are_off_nothing_of_opentelemetry_is_imported():
    told = "import sys, api.app; print([m for m in sys.modules if m.startswith('opentelemetry')])"

    done = subprocess.run(
        [sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"
    assert not tracing.is_on()
    assert tracing.traceparent() is None
    with tracing.span("nothing") as opened:
        assert opened is None


@pytest.mark.parametrize(
    ("statement", "shape"),
    [
        ("BEGIN READ ONLY; SELECT app.enter('5f')", ("BEGIN", "")),
        ("COMMIT", ("COMMIT", "")),
        ("SELECT a.id FROM leads AS a JOIN users ON true", ("SELECT", "leads")),
        ("\nINSERT INTO outbox\n  (id) SELECT 1 FROM unnest($1::text[])", ("INSERT", "outbox")),
        ('update x; UPDATE "sla_clocks" SET due_at = $1', ("UPDATE", "sla_clocks")),
        ("SELECT * FROM unnest($1::uuid[]) AS t", ("SELECT", "")),
        ("SELECT now(), clock_timestamp()", ("SELECT", "")),
        ("-- nothing", ("QUERY", "")),
    ],
)  # fmt: skip
def test_a_statement_is_told_by_what_it_does_and_its_first_table(statement, shape):
    assert tracing._shape(statement) == shape


async def test_an_exception_is_told_by_its_class_alone(exporter):
    @tracing.traced("work")
    async def failing() -> None:
        raise LookupError("ann@example.com")

    with pytest.raises(LookupError):
        await failing()

    tracing_ended(exporter)
    (span,) = exporter.get_finished_spans()
    assert (span.name, span.attributes, span.events) == ("work", {"error.type": "LookupError"}, ())
    assert (span.status.is_ok, span.status.description) == (False, None)


async def test_links_are_bounded_and_none_is_told_twice(exporter):
    parents = [f"00-{n:032x}-{n:016x}-01" for n in range(1, 100)]

    with tracing.span("relay"):
        tracing.link([*parents, *parents, None, ""])

    tracing_ended(exporter)
    (span,) = exporter.get_finished_spans()
    assert [link.context.span_id for link in span.links] == list(range(1, 33))


def tracing_ended(exporter: InMemorySpanExporter) -> None:
    """Wait until everything that was traced is exported."""
    assert tracing._tracer is not None
    tracing._tracer.span_processor.force_flush()  # type: ignore[attr-defined]  # the SDK's has one
