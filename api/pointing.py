"""Where in an input a thing is named that is not there."""

from __future__ import annotations

from collections.abc import Iterable

from strawberry import Some
from strawberry.utils.str_converters import to_camel_case

from domain.errors import DomainError, NotFound

Way = tuple[str | int, ...]


def located(refusal: DomainError, given: object) -> DomainError:
    """Return a refusal that leads to the input at fault, where the thing's id tells which that is.

    Most rules get a thing by its id and do not know by what name the request asked for it.
    """
    if isinstance(refusal, NotFound) and refusal.id is not None and not refusal.path:
        refusal.path = _way_to(given, f"_{refusal.id.hex}") or ()
    return refusal


def _way_to(given: object, ending: str) -> Way | None:
    """Return the way to the public id that ends so, or None if the input has none."""
    if isinstance(given, str):
        return () if given.endswith(ending) else None
    for part, value in _parts(given):
        way = _way_to(value, ending)
        if way is not None:
            return way if part is None else (part, *way)
    return None


def _parts(given: object) -> Iterable[tuple[str | int | None, object]]:
    if isinstance(given, Some):
        return [(None, given.value)]
    if isinstance(given, list):
        return enumerate(given)
    definition = getattr(given, "__strawberry_definition__", None)
    names = [] if definition is None else [field.python_name for field in definition.fields]
    return [(to_camel_case(name), getattr(given, name)) for name in names]
