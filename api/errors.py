"""Refusals are answers: one wrapper turns a DomainError into `userErrors`."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from api.context import Info, Unauthenticated
from api.engine.cohorts import Kind
from api.engine.holding import HOLD_SECONDS
from api.pointing import located
from api.views import shown
from domain.companies import DuplicateCompany
from domain.errors import DomainError, Overloaded, PermissionDenied, Refusals, Unavailable
from domain.identity import Permission, TooManyAttempts
from domain.leads import DuplicateLead, StaleLead
from domain.merging import AlreadyMerged

if TYPE_CHECKING:
    from api.leads import CompanyView, LeadView

# What a mutation or subscription declares when it needs nobody to be signed in, or anybody.
PUBLIC = "PUBLIC"
SIGNED_IN = "SIGNED_IN"
Needs = Permission | str

# Name of the GraphQL field to what it needs; a test finds every root field here.
NEEDS: dict[str, Needs] = {}


class Refused:
    """A refusal as a value.  (An exception among results would be taken for a failure.)"""

    __slots__ = ("error",)

    def __init__(self, error: DomainError) -> None:
        self.error = error

    @property
    def code(self) -> str:
        return self.error.code

    @property
    def message(self) -> str:
        return self.error.message

    @property
    def path(self) -> list[str]:
        return [str(part) for part in self.error.path]

    @property
    def element_index(self) -> int | None:
        return self.error.index

    @property
    def existing(self) -> Any:
        return getattr(self.error, "existing", None)

    @property
    def current(self) -> Any:
        return getattr(self.error, "current", None)

    @property
    def into(self) -> Any:
        return getattr(self.error, "into", None)

    @property
    def retry_after(self) -> int | None:
        return getattr(self.error, "retry_after", None)


@strawberry.interface(description="Why a request was refused.")
class UserError:
    code: str = shown("What is wrong, for machines; it never changes.")
    message: str = shown("What is wrong, for people.")
    path: list[str] = shown("The way to the input at fault: field names and positions.")
    element_index: int | None = shown("The row of a bulk request, from 0.")


_OWN_TYPES = (AlreadyMerged, DuplicateCompany, DuplicateLead, StaleLead, TooManyAttempts)


@strawberry.type(description="A refusal about which there is nothing more to say.")
class InputError(UserError):
    @classmethod
    def is_type_of(cls, value: object, info: object) -> bool:
        return isinstance(value, Refused) and not isinstance(value.error, _OWN_TYPES)


@strawberry.type(description="There is already a lead with this e-mail address or external id.")
class DuplicateLeadError(UserError):
    existing: Annotated[LeadView, strawberry.lazy("api.leads")] = shown("The lead there is.")

    @classmethod
    def is_type_of(cls, value: object, info: object) -> bool:
        return isinstance(value, Refused) and isinstance(value.error, DuplicateLead)


@strawberry.type(
    description="There is already a company with this domain, or of this name without one."
)
class DuplicateCompanyError(UserError):
    existing: Annotated[CompanyView, strawberry.lazy("api.leads")] = shown("The company there is.")

    @classmethod
    def is_type_of(cls, value: object, info: object) -> bool:
        return isinstance(value, Refused) and isinstance(value.error, DuplicateCompany)


@strawberry.type(description="Somebody else changed the lead since it was read.")
class StaleLeadError(UserError):
    current: Annotated[LeadView, strawberry.lazy("api.leads")] = shown("The lead as it is now.")

    @classmethod
    def is_type_of(cls, value: object, info: object) -> bool:
        return isinstance(value, Refused) and isinstance(value.error, StaleLead)


@strawberry.type(description="The lead was merged into another.")
class AlreadyMergedError(UserError):
    into: Annotated[LeadView, strawberry.lazy("api.leads")] = shown("The lead it is part of.")

    @classmethod
    def is_type_of(cls, value: object, info: object) -> bool:
        return isinstance(value, Refused) and isinstance(value.error, AlreadyMerged)


@strawberry.type(description="There were too many wrong attempts; even a right one has to wait.")
class TooManyAttemptsError(UserError):
    retry_after: int = shown("In how many seconds to try again.")

    @classmethod
    def is_type_of(cls, value: object, info: object) -> bool:
        return isinstance(value, Refused) and isinstance(value.error, TooManyAttempts)


ERROR_TYPES = (
    InputError,
    AlreadyMergedError,
    DuplicateCompanyError,
    DuplicateLeadError,
    StaleLeadError,
    TooManyAttemptsError,
)


def mutation(
    thing: Any, description: str, *, needs: Needs, shows: str | None = None, many: bool = False
) -> Callable[[Callable[..., Awaitable[Any]]], Any]:
    """Declare a mutation that answers with the thing, or with why not.

    The payload's type is named after the resolver, its field after the thing (or `shows`).  The
    thing is null exactly when `userErrors` is not empty, and then nothing was written.  The payload
    itself is null only beside an entry in `errors`; were it never null, one failure would take
    away the answers of the other mutations of the request, though they have been carried out.
    """

    def declare(resolver: Callable[..., Awaitable[Any]]) -> Any:
        name = _camel(resolver.__name__)
        NEEDS[name] = needs
        payload, field = _payload(name, thing, shows, many)

        @wraps(resolver)
        async def resolve(self: Any, info: Info, **arguments: Any) -> Any:
            permit(info, needs)
            info.context.act(name)
            try:
                done = await resolver(self, info, **arguments)
                return payload(**{field: done, "user_errors": []})
            except (PermissionDenied, Unauthenticated, Overloaded):
                raise
            except DomainError as error:
                all_of = error.refusals if isinstance(error, Refusals) else (error,)
                given = arguments.get("input")
                told = [Refused(located(each, given)) for each in all_of]
                return payload(**{field: None, "user_errors": told})

        made = strawberry.mutation(
            resolver=_disguised(resolve, resolver, returns=payload | None),
            description=description,
        )
        for argument in made.arguments:
            argument.description = argument.description or "What to do, and with what."
        return made

    return declare


def permit(info: Info, needs: Needs) -> None:
    """Refuse an operation before it does anything."""
    if needs == PUBLIC:
        return
    actor = info.context.actor
    if isinstance(needs, Permission):
        actor.require(needs)


def query(
    description: str, *, needs: Needs = Permission.VIEW, shows: Any = None, **options: Any
) -> Any:
    """Declare a root query that needs a permission, by default to view.

    `shows` is the view of what the resolver returns, where that is a domain object.
    """

    def declare(resolver: Callable[..., Any]) -> Any:
        NEEDS[_camel(resolver.__name__)] = needs

        @wraps(resolver)
        async def resolve(self: Any, info: Info, **arguments: Any) -> Any:
            permit(info, needs)
            found = resolver(self, info, **arguments)
            return await found if inspect.isawaitable(found) else found

        made = strawberry.field(
            resolver=_disguised(resolve, resolver, returns=shows),
            description=description,
            **options,
        )
        for argument in made.arguments:
            if argument.python_name == "id":
                argument.description = argument.description or "Its id."
        return made

    return declare


# Name of the subscription field to how it is delivered, and the names of those whose events
# depend on nothing but tenant and permissions, so that all who have these share one re-read.
STREAMS: dict[str, Kind] = {}
SHARED: set[str] = set()


def subscription(
    description: str,
    *,
    needs: Needs,
    feed: bool = False,
    shared: bool = True,
    shows: Any = None,
    **options: Any,
) -> Any:
    """Declare a subscription.

    A state is re-read when something happens, and a slow client gets only the latest; with
    `shared`, all who may see the same share one re-read.  A `feed` is a log from a cursor on, of
    which nothing is left out.
    """

    def declare(resolver: Callable[..., Any]) -> Any:
        name = _camel(resolver.__name__)
        NEEDS[name] = needs
        STREAMS[name] = Kind.FEED if feed else Kind.STATE
        if shared:
            SHARED.add(name)

        @wraps(resolver)
        async def resolve(self: Any, info: Info, **arguments: Any) -> Any:
            permit(info, needs)
            begun, over = False, False
            while not over:
                events = resolver(self, info, **arguments)
                try:
                    async for event in events:
                        begun = True
                        yield event
                    over = True
                except Unavailable:
                    # What cannot be read at all is refused.  A state that was being told is told
                    # on when it can be read again; a feed knows by itself where it stands.
                    if feed or not begun:
                        raise
                    await asyncio.sleep(HOLD_SECONDS)
                finally:
                    await events.aclose()

        return strawberry.subscription(
            resolver=_disguised(resolve, resolver, returns=shows and AsyncIterator[shows]),
            description=description,
            **options,
        )

    return declare


def _payload(name: str, thing: Any, shows: str | None, many: bool) -> tuple[Any, str]:
    title = name[0].upper() + name[1:] + "Payload"
    field = shows or _snake(thing.__strawberry_definition__.name)
    hint = list[thing] if many else thing
    namespace: Mapping[str, Any] = {
        "__annotations__": {field: hint | None, "user_errors": list[UserError]},
        field: shown("What was done, or null if it was refused."),
        "user_errors": shown("Why it was refused; empty if it was done."),
    }
    made = type(title, (), dict(namespace))
    return strawberry.type(made, description=f"The answer to {name}."), field


def _disguised(resolve: Any, original: Any, returns: Any = None) -> Any:
    """Give a wrapper the arguments of what it wraps, and perhaps another type to return."""
    signature = inspect.signature(original)
    resolve.__annotations__ = dict(original.__annotations__)
    if returns is not None:
        signature = signature.replace(return_annotation=returns)
        resolve.__annotations__["return"] = returns
    resolve.__signature__ = signature
    del resolve.__wrapped__
    return resolve


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _snake(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")
