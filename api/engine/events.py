"""The events of one subscription: each executed on its own, in a context of its own."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Awaitable,
    Callable,
    Iterable,
    Sequence,
    Sized,
)
from contextlib import AbstractContextManager, AsyncExitStack
from functools import cached_property, partial
from inspect import isawaitable
from typing import Any, cast

from graphql import (
    ExecutionResult,
    Executor,
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    create_source_event_stream,
    get_named_type,
    is_leaf_type,
    located_error,
)
from graphql.execution.collect_fields import FieldDetailsList
from graphql.pyutils import Path
from typing_extensions import override

from api.engine.gauges import Gauges
from api.engine.holding import HOLD_SECONDS
from api.engine.masking import OperationFailed, is_unavailable
from api.engine.tracing import Note

Traced = Callable[[], AbstractContextManager[Note]]


SHORT_LIST = 10
"""Objects up to which a list is completed at once."""


class Payload:
    """One answer of a stream, encoded once for everybody who gets it."""

    def __init__(self, body: bytes, codes: Sequence[str] = ()) -> None:
        self.body = body
        self.codes = codes

    @cached_property
    def text(self) -> str:
        """Return the body as text, for transports that frame text."""
        return self.body.decode()


class OperationExecutor(Executor[None]):
    """graphql-core's executor, with what Strawberry's resolvers and long subscriptions need."""

    turns: asyncio.Lock | None = None
    """Lets the lists of a large answer be completed one in each turn of the event loop."""

    @override
    def complete_list_value(
        self,
        return_type: GraphQLList[GraphQLOutputType],
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: AsyncIterable[Any] | Iterable[Any],
        position_context: None,
    ) -> Awaitable[list[Any]] | list[Any]:
        """Complete a list; one of objects, and not a short one, when it is its turn.

        The lists of one level are mostly read together, so that all would be completed in one turn.
        """
        complete = partial(
            super().complete_list_value,
            return_type,
            field_details_list,
            info,
            path,
            result,
            position_context,
        )
        if self.turns is None or not isinstance(result, Sized) or len(result) <= SHORT_LIST:
            return complete()
        return (
            complete()
            if is_leaf_type(get_named_type(return_type))
            else _in_turn(self.turns, complete)
        )

    @override
    def build_resolve_info(
        self,
        field_def: GraphQLField,
        field_nodes: list[FieldNode],
        parent_type: GraphQLObjectType,
        path: Path,
    ) -> GraphQLResolveInfo[Any]:
        """Give resolvers the variables as a plain mapping, as Strawberry's `Info` expects."""
        return GraphQLResolveInfo(
            field_nodes[0].name.value,
            field_nodes,
            field_def.type,
            parent_type,
            path,
            self.schema,
            self.fragment_definitions,
            self.root_value,
            self.operation,
            self.variable_values.coerced,  # type: ignore[arg-type]  # see above
            self.context_value,
            self.is_awaitable,
            self.abort_signal,
            self.async_helpers,
        )

    @override
    def build_per_event_executor(self, payload: Any) -> OperationExecutor:
        """Execute an event in a fresh context, with a memory of its own.

        graphql-core shares the memo of collected sub-fields between events, under keys that are
        new for every event, so it would grow as long as the subscription lives.
        """
        executor = cast(OperationExecutor, super().build_per_event_executor(payload))
        executor.context_value = self.context_value.fresh()
        executor._relevant_sub_fields = {}
        return executor

    def forget(self) -> None:
        """Let go of what was read: executors are part of cycles, which are freed much later."""
        self.context_value.forget()
        self.context_value = None


async def _in_turn(
    turns: asyncio.Lock, complete: Callable[[], Awaitable[list[Any]] | list[Any]]
) -> list[Any]:
    async with turns:
        completed = complete()
        await asyncio.sleep(0)
    return completed if isinstance(completed, list) else await completed


async def payloads(
    executor: OperationExecutor,
    encode: Callable[[ExecutionResult, Any], Payload],
    fail: Callable[[GraphQLError], OperationFailed],
    gauges: Gauges,
    traced: Traced,
) -> AsyncGenerator[Payload, None]:
    """Yield the answer to each event of the source, and close the source at the end.

    Raises `OperationFailed` when the source cannot be opened or fails.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(gauges.counting("sources"))
        source = await _open(executor, fail)
        if hasattr(source, "aclose"):
            stack.push_async_callback(source.aclose)
        events = aiter(source)
        while True:
            try:
                event = await anext(events)
            except StopAsyncIteration:
                return
            except Exception as error:
                raise fail(_located(error, executor)) from error
            with traced() as note:
                payload = await _answer(executor, event, encode)
                note(payload.codes)
            yield payload
            # A source with a backlog may never really wait.  Without this it would keep the loop
            # from everybody else, and from hearing that its reader has gone.
            await asyncio.sleep(0)


async def _answer(
    executor: OperationExecutor, event: Any, encode: Callable[[ExecutionResult, Any], Payload]
) -> Payload:
    """Execute an event; while something it needs is out of reach, again and again.

    So an outage makes a stream late, and neither ends it nor sends holes.
    """
    while True:
        each = executor.build_per_event_executor(event)
        result = each.execute_operation(serially=False)
        if isawaitable(result):
            result = await result
        answer = cast(ExecutionResult, result)
        if not any(is_unavailable(error) for error in answer.errors or ()):
            payload = encode(answer, each.context_value)
            each.forget()
            return payload
        each.forget()
        await asyncio.sleep(HOLD_SECONDS)


async def _open(
    executor: OperationExecutor, fail: Callable[[GraphQLError], OperationFailed]
) -> AsyncIterable[Any]:
    source = create_source_event_stream(executor)
    if isawaitable(source):
        source = await source
    if isinstance(source, ExecutionResult):
        errors = [error for cause in source.errors or () for error in fail(cause).errors]
        raise OperationFailed(errors)
    return source


def _located(error: Exception, executor: OperationExecutor) -> GraphQLError:
    """Place an error of the source at the one root field of the subscription."""
    for node in executor.operation.selection_set.selections:
        if isinstance(node, FieldNode):
            return located_error(error, [node], [(node.alias or node.name).value])
    return located_error(error)
