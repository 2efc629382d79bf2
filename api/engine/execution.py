"""The engine: requests in, encoded answers and streams of encoded answers out."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    Callable,
    Hashable,
    Mapping,
    Sequence,
)
from concurrent.futures import ThreadPoolExecutor
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    nullcontext,
)
from dataclasses import dataclass, field
from functools import cached_property, partial
from inspect import isawaitable
from typing import Any, ParamSpec, Protocol, TypeVar, cast

import orjson
from graphql import ExecutionResult, GraphQLError, GraphQLSchema, OperationType
from strawberry.execution import optimized_is_awaitable

from api.engine.cohorts import Cohorts, Kind, SubscriptionKinds
from api.engine.compiled import Plan
from api.engine.documents import Documents, Prepared, PreparedOperation, too_costly
from api.engine.events import OperationExecutor, Payload, payloads
from api.engine.gauges import Gauges
from api.engine.limits import Limits
from api.engine.masking import (
    BUG,
    ErrorCode,
    FormattedError,
    Mask,
    OperationFailed,
    formatted,
    mask,
    refusal,
    report,
    stamped,
    unavailable,
)
from api.engine.tracing import Note, Trace, untraced
from api.engine.weighing import MANY_PARTS, SHORT_COST, Lane, is_heavy, parts_of, surcharge
from domain.errors import Unavailable

P = ParamSpec("P")
R = TypeVar("R")


class OperationContext(Protocol):
    """What the engine needs of the context that resolvers are given."""

    @property
    def request_id(self) -> str:
        """Return the id to quote when something goes wrong."""

    def fresh(self) -> OperationContext:
        """Return the same context with new loaders, for the next event of a subscription."""

    def forget(self) -> None:
        """Let go of what the loaders have read: the operation is over."""

    def audience(self, field_name: str, shared: bool) -> Hashable:
        """Return who may see the very same answers of this subscription field."""

    def together(self) -> AbstractAsyncContextManager[None]:
        """Let the reads of the block share what they can, because they come one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQLRequest:
    """A well-formed request, not yet known to be a good one."""

    query: str = ""
    document_id: str | None = None
    """Names a document instead of sending its text; one that was uploaded before."""
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation within its limits, and the variables to run it with."""

    prepared: Prepared
    operation: PreparedOperation
    variables: Mapping[str, Any]
    cost: int
    allowance: Mapping[str, int] = field(default_factory=dict)
    """What those who pay by cost may still spend, for `extensions.cost`."""

    @property
    def kind(self) -> OperationType:
        """Return whether it is a query, a mutation or a subscription."""
        return self.operation.kind

    @property
    def heavy(self) -> bool:
        """Return whether it may keep others waiting."""
        return is_heavy(self.operation, self.cost, self.variables)


@dataclass(frozen=True, kw_only=True)
class GraphQLResponse:
    """An answer.  Without execution there is no `data` entry, which transports must tell apart."""

    executed: bool
    data: Mapping[str, Any] | None = None
    errors: Sequence[FormattedError] = ()
    extensions: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """What HTTP is told besides."""

    @classmethod
    def of(cls, failure: OperationFailed) -> GraphQLResponse:
        """Answer a request that was refused before execution."""
        return cls(executed=False, errors=failure.errors)

    @property
    def codes(self) -> Sequence[str]:
        """Return the codes of the errors."""
        return [str(error["extensions"]["code"]) for error in self.errors]

    @property
    def unavailable(self) -> bool:
        """Whether there is nothing in it but that something could not be reached."""
        nothing = all(value is None for value in (self.data or {}).values())
        return nothing and ErrorCode.SERVICE_UNAVAILABLE in self.codes

    @cached_property
    def body(self) -> bytes:
        """Return the answer as JSON, encoded once."""
        answer: dict[str, Any] = {}
        if self.errors:
            answer["errors"] = self.errors
        if self.executed:
            answer["data"] = self.data
        if self.extensions:
            answer["extensions"] = self.extensions
        return orjson.dumps(answer, option=orjson.OPT_UTC_Z)


class Engine:
    """Runs operations against one schema.  One for each process, shared by every transport."""

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits | None = None,
        mask: Mask = mask,
        *,
        kinds: SubscriptionKinds | None = None,
        gauges: Gauges | None = None,
        traced: Trace = untraced,
        compiled: bool = True,
    ) -> None:
        """`compiled=False` leaves everything to graphql-core, for comparison."""
        self.schema = schema
        self.limits = limits or Limits()
        self.gauges = gauges or Gauges()
        self.fallen_back = 0
        """How many compiled queries graphql-core had to run again."""
        self._compiled = compiled
        self._mask = mask
        self._traced = traced
        self._kinds = kinds or {}
        self._documents = Documents(schema, self.limits)
        self._cohorts = Cohorts(self.gauges)
        self._lane = Lane()
        self._thread = ThreadPoolExecutor(1, "engine")

    async def plan(self, request: GraphQLRequest) -> Operation:
        """Find the operation and judge it, or raise `OperationFailed`."""
        prepared = await self._documents.prepare(request.query)
        operation = prepared.operation(request.operation_name)
        cost, limits = operation.cost(request.variables), self.limits
        cost += surcharge(operation, request.variables, free=limits.values, most=limits.cost)
        if cost > self.limits.cost:
            raise OperationFailed([too_costly(cost, self.limits)])
        return Operation(
            prepared=prepared, operation=operation, variables=request.variables, cost=cost
        )

    async def execute(self, request: GraphQLRequest, context: OperationContext) -> GraphQLResponse:
        """Answer a query or mutation."""
        try:
            operation = await self.plan(request)
        except OperationFailed as failure:
            return self.refuse(failure, context.request_id)
        async with self.lane(operation):
            return await self.run(operation, context)

    def lane(self, operation: Operation) -> AbstractAsyncContextManager[None]:
        """Return the block to run an operation in: a heavy query waits for the one before it.

        Between two awaits a heavy query keeps the event loop for long.  One at a time, they keep
        an innocent request waiting for one of them and not for all.  Whoever waits here must hold
        nothing that the innocent need.
        """
        return self._lane.turn() if operation.heavy else nullcontext()

    async def run(self, operation: Operation, context: OperationContext) -> GraphQLResponse:
        """Answer a planned query or mutation, in its lane."""
        with self._trace(operation) as note:
            answer = await self._run(operation, context)
            note(answer.codes)
        return answer

    def _trace(self, operation: Operation) -> AbstractContextManager[Note]:
        prepared = operation.operation
        return self._traced(prepared.kind.value, prepared.root_field, operation.prepared.sha256)

    async def _run(self, operation: Operation, context: OperationContext) -> GraphQLResponse:
        if operation.kind is OperationType.SUBSCRIPTION:
            unfit = refusal("A subscription needs a stream.", ErrorCode.BAD_USER_INPUT)
            return self.refuse(OperationFailed([unfit]), context.request_id)
        try:
            if parts_of(operation.variables, MANY_PARTS) > MANY_PARTS:
                executor = await self._aside(self._executor, operation, context)
            else:
                executor = self._executor(operation, context)
        except OperationFailed as failure:
            return self.refuse(failure, context.request_id)
        answer = await self._carry_out(operation, executor, context)
        executor.forget()
        return answer

    async def _carry_out(
        self, operation: Operation, executor: OperationExecutor, context: OperationContext
    ) -> GraphQLResponse:
        cost = {"requested": operation.cost, "limit": self.limits.cost, **operation.allowance}
        extensions = {"cost": cost}
        if operation.operation.static:
            return await self._aside(self._run_static, operation, executor, extensions)
        if self._compiled and operation.kind is OperationType.QUERY:
            plan = operation.operation.plans.plan(executor, operation.prepared.document)
            answer = plan and await self._run_plan(plan, operation, executor, extensions)
            if answer:
                return answer
        if operation.cost > SHORT_COST:
            executor.turns = asyncio.Lock()
        result = executor.execute_operation()
        if isawaitable(result):
            result = await result
        return self._answer(operation, context, cast(ExecutionResult, result), extensions)

    def _run_static(
        self, operation: Operation, executor: OperationExecutor, extensions: Mapping[str, Any]
    ) -> GraphQLResponse:
        """Answer a query of the schema, which needs nothing but time."""
        result = cast(ExecutionResult, executor.execute_operation())
        return self._answer(operation, executor.context_value, result, extensions)

    async def _aside(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Compute in the one thread for it, while the event loop serves others."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, partial(work, *args, **kwargs))

    async def _run_plan(
        self,
        plan: Plan,
        operation: Operation,
        executor: OperationExecutor,
        extensions: Mapping[str, Any],
    ) -> GraphQLResponse | None:
        """Run a compiled query; None if graphql-core has to, from the beginning."""
        context: OperationContext = executor.context_value
        try:
            async with context.together():
                result = await plan.run(executor)
            if result.errors:
                return self._answer(operation, context, result, extensions)
            answer = GraphQLResponse(executed=True, data=result.data, extensions=extensions)
            _ = answer.body
        except Unavailable as error:  # and it would be to graphql-core
            return self.refuse(OperationFailed([unavailable(error)]), context.request_id)
        except Exception:  # noqa: BLE001  # graphql-core will say what is wrong, and where
            self.fallen_back += 1
            executor.context_value = context.fresh()
            context.forget()
            return None
        return answer

    def subscribe(
        self, operation: Operation, context: OperationContext
    ) -> AsyncGenerator[Payload, None]:
        """Open a planned subscription, or raise `OperationFailed` where the variables are wrong.

        The stream ends by `OperationFailed` when its source fails.  Close it with `aclose()`.
        """
        executor = self._executor(operation, context)

        def encode(result: ExecutionResult, event_context: OperationContext) -> Payload:
            answer = self._answer(operation, event_context, result)
            return Payload(answer.body, answer.codes)

        def fail(error: GraphQLError) -> OperationFailed:
            return OperationFailed([self._error(operation, context, error)])

        def source() -> AsyncGenerator[Payload, None]:
            return payloads(executor, encode, fail, self.gauges, partial(self._trace, operation))

        name = operation.operation.root_field
        if self._kinds.get(name, Kind.FEED) is Kind.FEED:
            return source()
        key = (
            operation.prepared.sha256,
            operation.operation.name,
            orjson.dumps(operation.variables, option=orjson.OPT_SORT_KEYS),
            context.audience(name, shared=True),
        )
        return self._cohorts.follow(key, source)

    def refuse(self, failure: OperationFailed, request_id: str) -> GraphQLResponse:
        """Answer a refusal, with the id of the request in every error."""
        errors = [stamped(error, request_id) for error in failure.errors]
        return GraphQLResponse(executed=False, errors=errors)

    async def aclose(self) -> None:
        """Close every shared subscription, and judge no more documents."""
        await self._cohorts.aclose()
        self._documents.close()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _executor(self, operation: Operation, context: OperationContext) -> OperationExecutor:
        try:
            built = OperationExecutor.build(
                self.schema,
                operation.prepared.document,
                context_value=context,
                raw_variable_values=dict(operation.variables),
                operation_name=operation.operation.name,
                max_coercion_errors=self.limits.errors,
                is_awaitable=cast(Any, optimized_is_awaitable),
            )
        except RecursionError:
            too_deep = refusal("The variables are nested too deeply.", ErrorCode.BAD_USER_INPUT)
            raise OperationFailed([too_deep]) from None
        if isinstance(built, list):
            raise OperationFailed([formatted(error, ErrorCode.BAD_USER_INPUT) for error in built])
        return cast(OperationExecutor, built)

    def _answer(
        self,
        operation: Operation,
        context: OperationContext,
        result: ExecutionResult,
        extensions: Mapping[str, Any] | None = None,
    ) -> GraphQLResponse:
        response = GraphQLResponse(
            executed=True,
            data=result.data,
            errors=[self._error(operation, context, error) for error in result.errors or ()],
            extensions=extensions or {},
        )
        try:
            _ = response.body
        except TypeError as unencodable:
            error = GraphQLError(BUG, original_error=unencodable)
            errors = [self._error(operation, context, error)]
            return GraphQLResponse(executed=True, errors=errors, extensions=extensions or {})
        return response

    def _error(
        self, operation: Operation, context: OperationContext, error: GraphQLError
    ) -> FormattedError:
        shown = self._mask(error)
        answer: FormattedError = dict(shown.formatted if isinstance(shown, GraphQLError) else shown)
        error_shown = stamped(answer, context.request_id)
        if error_shown["extensions"]["code"] == ErrorCode.INTERNAL_SERVER_ERROR:
            report(
                error,
                document=operation.prepared.sha256,
                operation=operation.operation.name,
                request_id=context.request_id,
            )
        return error_shown
