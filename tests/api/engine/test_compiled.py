"""What compiled queries do with what is out of the ordinary."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest
import strawberry

from api.engine import Engine, GraphQLRequest
from tests.api.engine.world import Context


@strawberry.type
class Part:
    name: str
    number: int = 1

    @strawberry.field
    def broken(self) -> str | None:
        raise RuntimeError("secret")

    @strawberry.field
    async def slow(self, info: strawberry.Info[Context, None]) -> str:
        return self.name.upper()

    @strawberry.field
    def parent(part: strawberry.Parent[Part]) -> str:  # noqa: N805  # a parent, not a self
        return part.name


@strawberry.interface
class Shape:
    sides: int


@strawberry.type
class Square(Shape):
    size: int


CALLS: list[str] = []


@strawberry.type
class Query:
    @strawberry.field
    def parts(self) -> list[Part]:
        return [Part(name="a"), Part(name="b")]

    @strawberry.field
    def rows(self) -> list[list[Part | None]] | None:
        return [[Part(name="a"), None], []]

    @strawberry.field
    def holes(self) -> list[Part | None]:
        return [None, Part(name="b")]

    @strawberry.field
    def no_name(self) -> Part | None:
        return Part(name=None)  # type: ignore[arg-type]  # that is the point

    @strawberry.field
    def too_large(self) -> list[Part | None]:
        return [Part(name="a"), Part(name="b", number=2**40)]

    @strawberry.field
    def shape(self) -> Shape:
        return Square(sides=4, size=1)

    @strawberry.field
    def generated(self) -> list[Part]:
        def parts() -> Iterator[Part]:
            yield Part(name="a")

        return parts()  # type: ignore[return-value]  # graphql-core takes any iterable

    @strawberry.field
    def refused(self) -> Part:
        CALLS.append("refused")
        raise RuntimeError("secret")

    @strawberry.field
    def refused_softly(self) -> Part | None:
        CALLS.append("refused")
        raise RuntimeError("secret")

    @strawberry.field
    def unencodable(self) -> str:
        return "\ud800"


small = strawberry.Schema(query=Query, types=[Square])._schema


@pytest.mark.parametrize(
    ("query", "falls_back"),
    [
        ("{ parts { name number slow parent __typename } }", False),
        ("{ rows { name } }", False),
        ("{ holes { name } parts { name } }", False),
        ("{ parts { name } p: parts { n: name name } __typename }", False),
        ("{ parts { broken name } }", True),
        ("{ noName { name } }", True),
        ("{ tooLarge { number name } }", True),
        ("{ generated { name } }", True),
        ("{ unencodable }", True),
        ("{ refused { name } parts { name } }", True),
        ("{ shape { sides ... on Square { size } } }", False),
        ("{ refused { name } }", False),
        ("{ a: refusedSoftly { name } }", False),
        ("{ __schema { queryType { name } } }", False),
        ("{ parts { ...P @skip(if: true) } } fragment P on Part { name }", False),
    ],
)
async def test_what_is_unusual_is_answered_by_graphql_core(
    context: Context, query: str, falls_back: bool
) -> None:
    fast, oracle = Engine(small), Engine(small, compiled=False)
    request = GraphQLRequest(query=query)

    ours, expected = [await engine.execute(request, context) for engine in (fast, oracle)]

    assert orjson.loads(ours.body) == orjson.loads(expected.body)
    assert fast.fallen_back == falls_back


@pytest.mark.parametrize("query", ["{ refused { name } }", "{ refusedSoftly { name } }"])
async def test_a_refusal_of_the_only_field_is_not_tried_twice(context: Context, query: str) -> None:
    CALLS.clear()
    await Engine(small).execute(GraphQLRequest(query=query), context)

    assert CALLS == ["refused"]
