"""GraphQL types as views of domain objects: they declare what is public, and are never made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache, partial
from typing import Annotated, Any, TypeAlias, TypeVar

import strawberry
from strawberry import UNSET
from strawberry.types.field import StrawberryField

from api.context import Context, Info
from api.engine.compiled import many_at_once
from domain import ids
from domain.paging import Listing, Order, Page, PageRequest, page_request

T = TypeVar("T", bound=type)

# For resolvers whose annotations are made at run time.
PARENT: Any = strawberry.Parent[Any]  # type: ignore[misc]  # an alias in the stubs

# Every view by the entity it shows, for tests and for `node`.
VIEWS: dict[type, type] = {}


@strawberry.interface(description="Anything with an id of its own.")
class Node:
    id: strawberry.ID = strawberry.field(description="Its id, unique everywhere.")


def shown(description: str, **options: Any) -> Any:
    """Declare a public field that is read straight off the domain object."""
    return strawberry.field(description=description, **options)


def view(entity: type, *, name: str | None = None, description: str) -> Callable[[T], T]:
    """Declare what of an entity is public.

    An entity with a prefix in `domain.ids` becomes a Node: its id is shown in its public form.
    """

    def declare(cls: T) -> T:
        kind = entity.__name__
        bases: tuple[type, ...] = cls.__bases__
        if kind in ids.PREFIXES:
            cls.__annotations__ = {"id": strawberry.ID, **cls.__annotations__}
            cls.id = strawberry.field(resolver=_public_id(kind), description="Its id.")  # type: ignore[attr-defined]  # made here
            bases = (Node,)
        cls.is_type_of = classmethod(lambda _, value, info: isinstance(value, entity))  # type: ignore[attr-defined]  # read by Strawberry
        made = type(cls.__name__, bases, _namespace(cls, entity))
        shown_view = strawberry.type(
            made, name=name or cls.__name__.removesuffix("View"), description=description
        )
        VIEWS[entity] = shown_view
        return shown_view  # type: ignore[return-value]  # the same class with bases

    return declare


def _namespace(cls: type, entity: type) -> dict[str, Any]:
    declared = {k: v for k, v in vars(cls).items() if k not in ("__dict__", "__weakref__")}
    return {name: _required(value, entity) for name, value in declared.items()}


def _required(declared: Any, entity: type) -> Any:
    """Return a declared relation as one that is never null, where the entity always has its key.

    Only what is stored is trusted that far: a foreign key says that what it points at is there.
    """
    relation = getattr(declared, "metadata", {}).get(_RELATION)
    if relation is None or entity.__name__ not in ids.PREFIXES:
        return declared
    always = {field.name for field in fields(entity) if "None" not in str(field.type)}
    return relation(required=True) if relation.keywords["by"] in always else declared


def _public_id(kind: str) -> Callable[..., strawberry.ID]:
    def id(entity: strawberry.Parent[Any]) -> strawberry.ID:
        return strawberry.ID(ids.public(kind, entity.id))

    return id


# Under what a field keeps how it was declared.
_RELATION = "relation"


def related(
    target: str | type, kind: type, *, by: str, description: str, required: bool = False
) -> Any:
    """Declare a relation to one entity, loaded for all parents of an operation at once.

    `target` is the view, or "module.View" where importing it would be a circle.  In the view of a
    stored entity it is never null if its key never is; elsewhere `required` says so.
    """

    async def load(context: Context, parents: Sequence[Any], _: Mapping[str, Any]) -> list[Any]:
        return await context.load_many(kind, [getattr(parent, by) for parent in parents])

    @many_at_once(load)
    def resolve(parent: strawberry.Parent[Any], info: Info) -> Any:
        key = getattr(parent, by)
        return None if key is None else info.context.load(kind, key)

    hint = _lazy(target)
    return strawberry.field(
        resolver=_typed(resolve, hint if required else hint | None),
        description=description,
        metadata={_RELATION: partial(related, target, kind, by=by, description=description)},
    )


def listed(
    target: str | type,
    kind: type,
    *,
    by: str,
    description: str,
    order: tuple[Order, ...] = (),
) -> Any:
    """Declare a relation to many entities, as a connection loaded for all parents at once."""

    async def load(
        context: Context, parents: Sequence[Any], arguments: Mapping[str, Any]
    ) -> list[Page[Any]]:
        page = page_of(*(arguments.get(name) for name in ("first", "after", "last", "before")))
        listing: Listing[Any] = Listing(kind=kind, order=order, page=page)
        return await context.load_listings(by, listing, [parent.id for parent in parents])

    @many_at_once(load)
    def resolve(
        parent: strawberry.Parent[Any],
        info: Info,
        first: int | None = UNSET,
        after: str | None = UNSET,
        last: int | None = UNSET,
        before: str | None = UNSET,
    ) -> Any:
        page = page_of(first, after, last, before)
        listing: Listing[Any] = Listing(kind=kind, order=order, page=page)
        return info.context.load_listing(by, parent.id, listing)

    return strawberry.field(resolver=_typed(resolve, connection(target)), description=description)


def page_of(first: Any, after: Any, last: Any, before: Any) -> PageRequest:
    """Return the page that Relay's four arguments name, absent and null meaning the same."""
    return page_request(
        first=None if first is UNSET else first,
        after=None if after is UNSET else after,
        last=None if last is UNSET else last,
        before=None if before is UNSET else before,
    )


def _typed(resolver: Any, returns: Any) -> Any:
    resolver.__annotations__ = {
        "parent": PARENT,
        "info": Info,
        **PAGE_ARGUMENTS,
        "return": returns,
    }
    names = resolver.__code__.co_varnames[: resolver.__code__.co_argcount]
    resolver.__annotations__ = {
        name: hint for name, hint in resolver.__annotations__.items() if name in (*names, "return")
    }
    return resolver


def _lazy(target: str | type) -> Any:
    if not isinstance(target, str):
        return target
    module, _, name = target.rpartition(".")
    return Annotated[name, strawberry.lazy(module)]


PageFirst: TypeAlias = Annotated[
    int | None, strawberry.argument(description="How many, from the front; at most 100.")
]
PageAfter: TypeAlias = Annotated[
    str | None, strawberry.argument(description="Only what comes after this cursor.")
]
PageLast: TypeAlias = Annotated[
    int | None, strawberry.argument(description="How many, from the back; at most 100.")
]
PageBefore: TypeAlias = Annotated[
    str | None, strawberry.argument(description="Only what comes before this cursor.")
]
PAGE_ARGUMENTS: dict[str, Any] = {
    "first": PageFirst,
    "after": PageAfter,
    "last": PageLast,
    "before": PageBefore,
}


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = shown("Whether there is more behind this page.")
    has_previous_page: bool = shown("Whether there is more in front of this page.")

    @strawberry.field(description="The cursor of the first row.")
    def start_cursor(page: strawberry.Parent[Any]) -> str | None:
        return page.cursors[0] if page.cursors else None

    @strawberry.field(description="The cursor of the last row.")
    def end_cursor(page: strawberry.Parent[Any]) -> str | None:
        return page.cursors[-1] if page.cursors else None


class EdgeRow:
    """A row and its cursor."""

    __slots__ = ("cursor", "node")

    def __init__(self, cursor: str, node: Any) -> None:
        self.cursor = cursor
        self.node = node


def _edges(page: Page[Any]) -> Iterator[EdgeRow]:
    return (EdgeRow(c, n) for c, n in zip(page.cursors, page.nodes, strict=True))


@cache
def connection(target: str | type) -> Any:
    """Return the connection type of a view."""
    short = target.rpartition(".")[2] if isinstance(target, str) else target.__name__
    name = short.removesuffix("View")
    node = _lazy(target)

    def nodes(page: strawberry.Parent[Any]) -> Any:
        return page.nodes

    def edges(page: strawberry.Parent[Any]) -> Any:
        return list(_edges(page))

    def page_info(page: strawberry.Parent[Any]) -> Any:
        return page

    async def total_count(page: strawberry.Parent[Any], info: Info) -> int:
        if isinstance(page.counting, int):
            return page.counting
        async with info.context.work() as work:
            return await work.ask(page.counting)

    edge = strawberry.type(
        type(
            f"{name}Edge",
            (),
            {
                "__annotations__": {"cursor": str, "node": node},
                "cursor": shown("Where the row stands in the list."),
                "node": shown("The row."),
            },
        ),
        description=f"A row of a list of type {name}, with its cursor.",
    )
    nodes.__annotations__["return"] = list[node]  # type: ignore[valid-type]  # made at run time
    edges.__annotations__["return"] = list[edge]  # type: ignore[valid-type]  # made at run time
    page_info.__annotations__["return"] = PageInfo
    for resolver in (nodes, edges, page_info, total_count):
        resolver.__annotations__["page"] = PARENT
    total_count.__annotations__.update({"info": Info, "return": int})
    return strawberry.type(
        type(
            f"{name}Connection",
            (),
            {
                "__annotations__": {},
                "nodes": strawberry.field(resolver=nodes, description="The rows of this page."),
                "edges": strawberry.field(
                    resolver=edges, description="The rows of this page with their cursors."
                ),
                "page_info": strawberry.field(
                    resolver=page_info, description="Where this page stands in the list."
                ),
                "total_count": strawberry.field(
                    resolver=total_count,
                    description="How many rows there are on all pages; counted only when asked.",
                ),
            },
        ),
        description=f"A page of a list of type {name}.",
    )


def fields_of(view: type) -> list[StrawberryField]:
    """Return a view's fields."""
    fields: list[StrawberryField] = view.__strawberry_definition__.fields  # type: ignore[attr-defined]  # set by Strawberry
    return fields
