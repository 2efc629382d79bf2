"""Filters and orders as GraphQL inputs, made from the fields that can be filtered by."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Annotated, Any

import strawberry
from strawberry import UNSET
from strawberry.utils.str_converters import to_camel_case

from api.context import Context, Info
from api.errors import Needs, query
from api.views import PAGE_ARGUMENTS, connection, page_of, shown
from domain.filters import Comparator, FieldType, Filter, FilterField, FilterFields, parse
from domain.identity import Permission
from domain.paging import BadPage, Listing, Narrowing, Order

_WORDS = {
    Comparator.EQ: "Equal to this.",
    Comparator.NE: "Not equal to this; a missing value is not equal to anything.",
    Comparator.LT: "Less than this.",
    Comparator.LTE: "At most this.",
    Comparator.GT: "More than this.",
    Comparator.GTE: "At least this.",
    Comparator.IN: "One of these.",
    Comparator.NOT_IN: "None of these.",
    Comparator.CONTAINS: "Contains this text, capitals or not.",
    Comparator.STARTS_WITH: "Begins with this text, capitals or not.",
    Comparator.ENDS_WITH: "Ends with this text, capitals or not.",
    Comparator.IS_NULL: "Whether there is no value.",
}
_PYTHON = {
    FieldType.TEXT: str,
    FieldType.NUMBER: Decimal,
    FieldType.INSTANT: datetime,
    FieldType.DAY: date,
    FieldType.FLAG: bool,
    FieldType.ID: strawberry.ID,
}
_NAMES = {
    FieldType.TEXT: "TextComparison",
    FieldType.NUMBER: "NumberComparison",
    FieldType.INSTANT: "DateTimeComparison",
    FieldType.DAY: "DateComparison",
    FieldType.FLAG: "FlagComparison",
    FieldType.ID: "IdComparison",
}
_comparisons: dict[str, Any] = {}
ENUMS: dict[type[StrEnum], Any] = {}


def enum(choices: type[StrEnum], description: str, **members: str) -> Any:
    """Show an enum of the domain, with a description for every member."""
    missing = {member.name for member in choices} ^ members.keys()
    if missing:
        raise ValueError(f"{choices.__name__}: describe exactly its members: {missing}")
    shown_enum: Any = choices
    if "__strawberry_definition__" not in vars(choices):
        strawberry.enum(choices)
    # An input that names the enum before this has had Strawberry declare it: there can be one only.
    shown_enum.__strawberry_definition__.description = description
    for value in shown_enum.__strawberry_definition__.values:
        value.description = members[value.name]
    ENUMS[choices] = shown_enum
    return shown_enum


def filter_input(fields: FilterFields) -> Any:
    """Return the input type that filters one kind of thing; `LeadFilter` for a lead."""
    name = f"{fields.of[0].upper()}{fields.of[1:]}Filter"
    annotations: dict[str, Any] = {}
    namespace: dict[str, Any] = {"__annotations__": annotations}
    for field in fields:
        annotations[field.attribute] = _comparison(field) | None
        namespace[field.attribute] = _optional(field.description, name=field.name)
    cls = type(name, (), namespace)
    this: Any = Annotated[name, strawberry.lazy(__name__)]
    annotations.update({"and_": list[this] | None, "or_": list[this] | None, "not_": this | None})
    cls.and_ = _optional("All of these hold.", name="and")  # type: ignore[attr-defined]  # as above
    cls.or_ = _optional("At least one of these holds.", name="or")  # type: ignore[attr-defined]  # as above
    cls.not_ = _optional("This does not hold.", name="not")  # type: ignore[attr-defined]  # as above
    made = strawberry.input(
        cls,
        name=name,
        description="Which ones are meant: all keys given must hold; those left out do not matter.",
    )
    globals()[name] = made
    return made


def _optional(description: str, *, name: str) -> Any:
    return strawberry.field(name=name, description=description, default=UNSET)


def _comparison(field: FilterField) -> Any:
    name = f"{field.choices.__name__}Comparison" if field.choices else _NAMES[field.type]
    if name in _comparisons:
        return _comparisons[name]
    value = ENUMS[field.choices] if field.choices else _PYTHON[field.type]
    annotations: dict[str, Any] = {}
    namespace: dict[str, Any] = {"__annotations__": annotations}
    for comparator in field.comparators:
        python = comparator.name.lower() + ("_" if comparator is Comparator.IN else "")
        hint: Any = value
        if comparator in (Comparator.IN, Comparator.NOT_IN):
            hint = list[value]  # type: ignore[valid-type]  # made at run time
        if comparator is Comparator.IS_NULL:
            hint = bool
        annotations[python] = hint | None
        namespace[python] = _optional(_WORDS[comparator], name=comparator.value)
    made = strawberry.input(
        type(name, (), namespace),
        description="How a value is compared; several comparisons must all hold.",
    )
    _comparisons[name] = made
    return made


def criterion_json(given: Any) -> Any:
    """Return the JSON form of a filter input: the keys that were given, by their public names."""
    if isinstance(given, Enum):
        return given.value
    definition = getattr(given, "__strawberry_definition__", None)
    if definition is not None:
        values = ((f.graphql_name, getattr(given, f.python_name)) for f in definition.fields)
        return {name: criterion_json(value) for name, value in values if value is not UNSET}
    if isinstance(given, list):
        return [criterion_json(value) for value in given]
    if isinstance(given, datetime):
        return given.isoformat().replace("+00:00", "Z")
    if isinstance(given, Decimal | date):
        return str(given)
    return given


def filter_of(given: Any, fields: FilterFields, *, path: Sequence[str | int]) -> Filter | None:
    """Return the filter that an input says, None where there is none."""
    if given is UNSET or given is None:
        return None
    return parse(criterion_json(given), fields, path=tuple(path))


def order_input(name: str, fields: Mapping[str, str], description: str) -> Any:
    """Return the input type that orders a list by some fields.

    `fields` leads from the public name (in capitals) to the field, which must be indexed.
    """
    members = StrEnum(f"{name}OrderField", dict(fields))  # type: ignore[misc]  # made here
    choice: Any = strawberry.enum(members, description=f"{description}: by which field.")
    for value in choice.__strawberry_definition__.values:
        value.description = f"By `{to_camel_case(value.name.lower())}`."
    cls = type(
        f"{name}Order",
        (),
        {
            "__annotations__": {"field": choice, "direction": OrderDirection, "nulls": OrderNulls},
            "field": shown("By which field."),
            "direction": shown("Which way.", default=OrderDirection.ASC),
            "nulls": shown("Where those without a value come.", default=OrderNulls.LAST),
        },
    )
    return strawberry.input(cls, description=f"{description}.")


@strawberry.enum(description="Which way a list runs.")
class OrderDirection(Enum):
    ASC = strawberry.enum_value("ASC", description="The least or oldest first.")
    DESC = strawberry.enum_value("DESC", description="The greatest or newest first.")


@strawberry.enum(description="Where rows without a value come.")
class OrderNulls(Enum):
    FIRST = strawberry.enum_value("FIRST", description="In front.")
    LAST = strawberry.enum_value("LAST", description="At the end.")


def orders_of(given: Any, default: tuple[Order, ...]) -> tuple[Order, ...]:
    """Return the orders that inputs say, or the default.

    Raises:
        BadPage: if they name a field twice: the second would say nothing, or the opposite.
    """
    if given is UNSET or not given:
        return default
    if len({order.field for order in given}) < len(given):
        raise BadPage("`orderBy` names a field more than once.", path=("orderBy",))
    return tuple(
        Order(
            str(order.field.value),
            order.direction is OrderDirection.DESC,
            order.nulls is OrderNulls.FIRST,
        )
        for order in given
    )


def collection(
    view: Any,
    kind: type,
    *,
    description: str,
    default: tuple[Order, ...],
    fields: FilterFields | None = None,
    filter: Any = None,
    order: Any = None,
    equals: Mapping[str, Any] | None = None,
    needs: Needs = Permission.VIEW,
    arguments: Mapping[str, Any] | None = None,
    only: Callable[[Context, Mapping[str, Any]], Narrowing | None] | None = None,
) -> Any:
    """Declare a root list of all entities of a kind, in pages, filtered and ordered as asked.

    `arguments` are more of them, with their types.  From those given, and who asks, `only` makes
    what no filter can say.
    """

    async def resolve(  # noqa: PLR0917  # Relay's arguments, always given by name
        self: Any,
        info: Info,
        first: Any = UNSET,
        after: Any = UNSET,
        last: Any = UNSET,
        before: Any = UNSET,
        filter: Any = UNSET,
        order_by: Any = UNSET,
        **more: Any,
    ) -> Any:
        given = {name: value for name, value in more.items() if value not in (UNSET, None)}
        wanted = filter_of(filter, fields, path=("filter",)) if fields is not None else None
        listing: Listing[Any] = Listing(
            kind=kind,
            equals=dict(equals or {}),
            filter=wanted,
            only=None if only is None else only(info.context, given),
            order=orders_of(order_by, default),
            page=page_of(first, after, last, before),
        )
        async with info.context.work() as work:
            return await work.ask(listing)

    hints: dict[str, Any] = {"info": Info, **PAGE_ARGUMENTS}
    if filter is not None:
        hints["filter"] = Annotated[
            filter | None, strawberry.argument(description="Only those that match.")
        ]
    if order is not None:
        hints["order_by"] = Annotated[
            list[order] | None, strawberry.argument(description="In which order.")
        ]

    hints |= arguments or {}

    def declare(name: str) -> Any:
        resolve.__name__ = name
        declared = query(description, needs=needs)
        return declared(_with_arguments(resolve, hints, connection(view)))

    return declare


def _with_arguments(resolve: Any, hints: dict[str, Any], returns: Any) -> Any:
    """Give a resolver the arguments that are hinted at, and no others."""
    signature = inspect.signature(resolve)
    kept = [
        parameter.replace(annotation=hints.get(name, inspect.Parameter.empty))
        for name, parameter in signature.parameters.items()
        if name in hints or name == "self"
    ]
    kept += [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=UNSET, annotation=hint)
        for name, hint in hints.items()
        if name not in signature.parameters
    ]
    resolve.__signature__ = signature.replace(parameters=kept, return_annotation=returns)
    resolve.__annotations__ = {**hints, "return": returns}
    return resolve
