"""What the layout promises, held against the code itself."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import graphql
import pytest

import domain
import infra.queries
from api.errors import NEEDS, STREAMS
from api.schema import kinds, schema
from api.views import VIEWS, fields_of
from domain.ports import Question
from tests.conftest import ROOT

LAYERS = ("api", "domain", "infra", "migrations")
SOURCES = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))
DOMAIN = [path for path in SOURCES if path.is_relative_to(ROOT / "domain")]
# What npm brings for the clients under test is not ours.
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if "node_modules" not in path.parts)
VAGUE = {"utils", "helpers", "common", "base", "manager"}
LONGEST_FILE = 400
# A transaction: the real one, or one that writes many things at the end.
WORKS = {"Work", "Batch", "Draft"}
NOTES = {"now", "tenant_id", "record", "count"}

# Who may look at the wall clock, and why.
CLOCKS = {
    "domain/ids.py": "the time in an id orders ids and decides nothing",
    "api/transport/sessions.py": "how long a socket may stay open is this machine's own affair",
}
CLOCK_CALLS = {"now", "utcnow", "today", "time", "time_ns"}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, str]:
    """Return the positional parameters with what they are said to be."""
    given = (*function.args.posonlyargs, *function.args.args)
    return {each.arg: ast.unparse(each.annotation) if each.annotation else "" for each in given}


def uses_of_work(function: ast.AST) -> set[str]:
    """Return the names of what is used of a `work` within."""
    attributes = (node for node in ast.walk(function) if isinstance(node, ast.Attribute))
    return {a.attr for a in attributes if isinstance(a.value, ast.Name) and a.value.id == "work"}


@pytest.mark.parametrize("path", DOMAIN, ids=named)
def test_in_domain_a_plain_def_is_a_rule_and_an_async_def_a_use_case(path: Path) -> None:
    """A rule does no input or output; a use case does it through the work it is given first.

    A plain def that is given a work may note something in it, and neither reads nor writes.
    """
    for function in functions(ast.parse(path.read_text())):
        given = parameters(function)
        if isinstance(function, ast.FunctionDef):
            assert uses_of_work(function) <= NOTES, f"{function.name} does I/O"
        elif "self" not in given:
            assert next(iter(given.values())) in WORKS, f"{function.name} takes no work"
            assert "actor" not in given or [*given].index("actor") == 1, function.name


@pytest.mark.parametrize("path", DOMAIN, ids=named)
def test_the_domain_is_plain_python(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            modules = [node.module or ""]
        for module in modules:
            top = module.partition(".")[0]
            assert top == "domain" or top in sys.stdlib_module_names, module


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if named(path).startswith(("api/", "domain/"))], ids=named
)
def test_nobody_but_the_work_tells_the_time(path: Path) -> None:
    if named(path) in CLOCKS:
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of = node.func.value
            name = of.id if isinstance(of, ast.Name) else ""
            clock = name in ("datetime", "date", "time") and node.func.attr in CLOCK_CALLS
            assert not clock, f"line {node.lineno}: {name}.{node.func.attr}()"


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_file_has_one_subject_and_a_name_for_it(path: Path) -> None:
    assert path.stem not in VAGUE
    assert len(path.read_text().splitlines()) < LONGEST_FILE


def test_so_has_a_file_of_tests() -> None:
    lengths = {named(path): len(path.read_text().splitlines()) for path in TESTS}

    assert [path.name for path in TESTS if path.stem in VAGUE] == []
    assert {path: length for path, length in lengths.items() if length >= LONGEST_FILE} == {}


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=named)
def test_whoever_silences_a_check_says_why(path: Path) -> None:
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        found = re.search(r"#\s*(noqa|type: ignore)(?P<rest>.*)", line)
        if found and "re.search" not in line:
            why = re.sub(r"^(:\s*[A-Z0-9, ]+|\[[a-z-, ]+\])", "", found["rest"]).strip(" #-")
            assert len(why) > 2, f"{named(path)}:{number}: {line.strip()}"


# Views and the schema


def _views() -> list[tuple[type, type]]:
    schema()
    return sorted(VIEWS.items(), key=lambda pair: pair[0].__name__)


@pytest.mark.parametrize(("entity", "view"), _views(), ids=[e.__name__ for e, _ in _views()])
def test_views_show_only_what_exists(entity: Any, view: type) -> None:
    plain = {field.python_name for field in fields_of(view) if not field.base_resolver}
    properties = {
        name
        for kind in entity.__mro__
        for name, value in vars(kind).items()
        if isinstance(value, property)
    }
    assert plain <= {field.name for field in fields(entity)} | properties


@pytest.mark.parametrize(("entity", "view"), _views(), ids=[e.__name__ for e, _ in _views()])
def test_no_view_shows_a_secret(entity: type, view: type) -> None:
    shown = {field.python_name for field in fields_of(view)}
    assert not shown & {"digest", "password_hash", "tenant_id", "account_id"}


def test_everything_in_the_schema_is_described() -> None:
    assert list(undescribed(schema()._schema)) == []


def undescribed(built: graphql.GraphQLSchema) -> Iterator[str]:
    """Name what a reader of the schema is told nothing about."""
    for name, kind in built.type_map.items():
        if name.startswith("__") or graphql.is_specified_scalar_type(kind):
            continue
        if not kind.description:
            yield name
        if isinstance(kind, graphql.GraphQLEnumType):
            yield from (f"{name}.{n}" for n, value in kind.values.items() if not value.description)
        for field_name, field in getattr(kind, "fields", {}).items():
            if not field.description:
                yield f"{name}.{field_name}"
            for argument, given in getattr(field, "args", {}).items():
                if not given.description:
                    yield f"{name}.{field_name}({argument})"


def test_every_root_field_says_what_it_needs_and_every_stream_how_it_is_delivered() -> None:
    built = schema()._schema
    roots = (built.query_type, built.mutation_type, built.subscription_type)
    names = {name for root in roots if root for name in root.fields}
    assert names == NEEDS.keys()
    assert built.subscription_type
    assert built.subscription_type.fields.keys() == STREAMS.keys() == kinds().keys()


def test_every_question_of_the_domain_has_an_answer() -> None:
    for package in (domain, infra.queries):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    # By name: a dataclass with slots leaves the class it was made from behind.
    kinds = [kind for kind in Question.__subclasses__() if kind.__module__.startswith("domain.")]
    asked = {kind.__name__ for kind in kinds}
    assert asked - {kind.__name__ for kind in infra.queries._ANSWERS} == set()
