"""Refusals: the request is wrong, and the reader is told what and where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID


class DomainError(Exception):
    """A request that breaks a rule.

    `code` is stable and for machines, the message is for the person who asked, `path` leads to the
    input at fault (field names and list positions), `index` is the row of a bulk request.
    """

    code: ClassVar[str] = "REFUSED"

    def __init__(
        self, message: str, *, path: Sequence[str | int] = (), index: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = tuple(path)
        self.index = index


class NotFound(DomainError):
    """The thing does not exist, or belongs to another tenant, which must look the same.

    Where nobody said by what `path` it was asked for, its `id` tells it.
    """

    code = "NOT_FOUND"

    def __init__(
        self, kind: str, *, path: Sequence[str | int] = (), id: UUID | None = None
    ) -> None:
        super().__init__(f"There is no such {kind}.", path=path)
        self.id = id


class Invalid(DomainError):
    """A value that cannot be right, whatever the state of the world."""

    code = "INVALID"


class PermissionDenied(DomainError):
    """The actor may not do this."""

    code = "FORBIDDEN"


class StaleWrite(DomainError):
    """Somebody else changed the thing since it was read."""

    code = "STALE"

    def __init__(self, kind: str) -> None:
        super().__init__(
            f"This {kind} was changed by somebody else in the meantime; read it again."
        )


class Overloaded(DomainError):
    """There is more to do than can be done soon; trying again in a while will help."""

    code = "SERVICE_UNAVAILABLE"


class AlreadyExists(DomainError):
    """A unique name, e-mail address or external id is taken."""

    code = "ALREADY_EXISTS"


class Refusals(DomainError):
    """Several refusals of one request, so that a form can show them all."""

    code = "REFUSED"

    def __init__(self, refusals: Sequence[DomainError]) -> None:
        if not refusals:
            raise ValueError("no refusals to raise")
        super().__init__("; ".join(refusal.message for refusal in refusals))
        self.refusals = tuple(refusals)


class Unavailable(Exception):
    """What a request needs cannot be reached now, and nothing was changed.

    It says nothing about the request: sending it again may well succeed.
    """

    outcome: ClassVar[str] = "FAILED"

    def __init__(self, message: str = "") -> None:
        self.message = message or "We cannot answer just now.  Nothing was changed; try again."
        super().__init__(self.message)


class OutcomeUnknown(Unavailable):
    """The line was lost while a change was being committed: it was made, or it was not."""

    outcome = "UNKNOWN"

    def __init__(self) -> None:
        super().__init__(
            "The line was lost while this was being stored, so it may have happened or not.  "
            "Send it again with the same Idempotency-Key, or look first."
        )
