"""HTML built from calls, so that text can never become markup by accident."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

_VOID = frozenset({"br", "img", "input", "link", "meta"})


class Html(str):
    """Text that is already HTML.  Every other string is escaped when it is put into a tag."""

    __slots__ = ()


Child: TypeAlias = "str | Iterable[Child] | None"
Attribute = str | int | bool | None


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Html:
    """Return one element.

    `class_` is `class` and `data_key` is `data-key`; None and False are left out.  There is
    deliberately no `style`: the pages' content security policy refuses it.
    """
    opening = name + "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Html(f"<{opening}>")
    return Html(f"<{opening}>{fragment(children)}</{name}>")


def fragment(children: Iterable[Child]) -> Html:
    """Return children side by side, without an element around them."""
    return Html("".join(_child(child) for child in children))


def _child(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    if isinstance(child, str):
        return escape(child)
    return fragment(child)


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
