from __future__ import annotations

import io
import logging
import warnings

import asyncpg
import orjson
import pytest
import structlog

from infra.logs import bind_request, configure_logs
from infra.settings import LogFormat


@pytest.fixture
def log():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def lines(log: io.StringIO) -> list[dict[str, object]]:
    found = [orjson.loads(line) for line in log.getvalue().splitlines()]
    for line in found:
        assert line.pop("timestamp").endswith("Z")
    return found


def test_ours_and_the_libraries_lines_look_alike_and_carry_the_request(log):
    configure_logs(log_format=LogFormat.JSON, stream=log)

    with bind_request("r1", operation="leads"):
        structlog.get_logger("api").info("Answered", rows=3, document_hash="ff")
        logging.getLogger("uvicorn.error").warning("slow by %d s", 5)
    logging.getLogger("uvicorn.error").info("done")

    bound = {"request_id": "r1", "operation": "leads"}
    assert lines(log) == [
        {"message": "Answered", "rows": 3, "document_hash": "ff", "logger": "api", "level": "info"}
        | bound,
        {"message": "slow by 5 s", "logger": "uvicorn.error", "level": "warning"} | bound,
        {"message": "done", "logger": "uvicorn.error", "level": "info"},
    ]


def test_documents_and_peoples_data_are_hidden(log):
    configure_logs(log_format=LogFormat.JSON, stream=log)

    structlog.get_logger("api").info("x", email="a@b.c", document="{me}", deep={"password": "p"})
    logging.getLogger("httpx").info("GET https://people.example/bob")
    logging.getLogger("strawberry.execution").error("query { lead(email: 1) }")

    assert lines(log) == [
        {
            "message": "x",
            "email": "[hidden]",
            "document": "[hidden]",
            "deep": {"password": "[hidden]"},
            "logger": "api",
            "level": "info",
        }
    ]


@pytest.mark.parametrize("log_format", [LogFormat.JSON, LogFormat.HUMAN])
def test_a_traceback_shows_neither_passwords_nor_rows(log, log_format):
    configure_logs(log_format=log_format, stream=log)
    bob = "bob@people.example"
    refused = asyncpg.UniqueViolationError("duplicate key")
    refused.detail = f"Key (email)=({bob}) already exists."
    refused.__cause__ = ValueError("postgresql://app:hunter2@db/crm")

    structlog.get_logger("api").error("Failed", exc_info=refused)

    assert "UniqueViolationError" in log.getvalue()
    assert "app:[hidden]@db" in log.getvalue()
    assert "hunter2" not in log.getvalue()
    assert bob not in log.getvalue()


def test_people_get_plain_lines_without_colours_when_it_is_no_terminal(log):
    configure_logs(log_format=LogFormat.HUMAN, stream=log)

    structlog.get_logger("api").info("Serving", port=8000)

    assert "\x1b" not in log.getvalue()
    assert log.getvalue().rstrip().endswith("port=8000")


def test_what_is_not_asked_for_is_not_logged_and_warnings_are(log):
    configure_logs(log_format=LogFormat.AUTO, level="warning", stream=log)

    structlog.get_logger("api").info("Quiet")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", UserWarning, stacklevel=1)

    assert [line["logger"] for line in lines(log)] == ["py.warnings"]
