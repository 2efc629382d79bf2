"""Reads that equality cannot express, one file for each feature."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, TypeVar

from domain.ports import Question

A = TypeVar("A")
Answer = Callable[[Any, Any], Awaitable[Any]]
_ANSWERS: dict[type, Answer] = {}


def answers(question: type) -> Callable[[Answer], Answer]:
    """Declare the function that answers a kind of question."""

    def declare(function: Answer) -> Answer:
        _ANSWERS[question] = function
        return function

    return declare


async def answer(work: Any, question: Question[A]) -> A:
    """Return the answer to a question."""
    if type(question) not in _ANSWERS:
        for module in iter_modules(__path__, f"{__name__}."):
            import_module(module.name)
    result: A = await _ANSWERS[type(question)](work, question)
    return result
