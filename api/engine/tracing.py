"""What the engine tells whoever times operations; see `infra.tracing`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TypeAlias

Note: TypeAlias = Callable[[Sequence[str]], None]
"""Takes the codes of the errors in an answer."""


class Trace(Protocol):
    """What times an operation, or one event of a subscription."""

    def __call__(self, kind: str, root_field: str, document: str) -> AbstractContextManager[Note]:
        """Return a block to time; it is told the codes of the errors in the answer."""


@contextmanager
def untraced(kind: str, root_field: str, document: str) -> Iterator[Note]:
    """Time nothing."""
    yield lambda codes: None
