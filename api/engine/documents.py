"""Documents made ready once: parsed, measured, validated, and remembered by their text."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Generic, TypeVar

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from api.engine.compiled import Plans
from api.engine.limits import Limits, Reach, Survey, defaults, excesses
from api.engine.masking import ErrorCode, FormattedError, OperationFailed, formatted, refusal

RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
BYTES_PER_CHARACTER = 200
"""What a parsed document takes in memory, as a multiple of its text: 90 to 280, measured."""
SMALL = 300
"""Characters up to which a document is made ready on the event loop: some milliseconds."""
STATIC = frozenset(("__schema", "__type", "__typename"))
NESTED_TOO_DEEPLY = "The document is nested too deeply."

V = TypeVar("V")


class Recent(Generic[V]):
    """The most recently used values, bounded by count and by bytes."""

    def __init__(self, *, count: int, size: int) -> None:
        self._count = count
        self._size = size
        self._held = 0
        self._values: OrderedDict[str, tuple[V, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    @property
    def held(self) -> int:
        """Return the bytes held, as told to `put`."""
        return self._held

    def get(self, key: str) -> V | None:
        """Return a value and make it the most recent."""
        found = self._values.get(key)
        if found is None:
            return None
        self._values.move_to_end(key)
        return found[0]

    def put(self, key: str, value: V, size: int) -> None:
        """Keep a value, and let go of the oldest until the bounds are kept."""
        if size > self._size:
            return
        if key in self._values:
            self._held -= self._values.pop(key)[1]
        self._values[key] = (value, size)
        self._held += size
        while len(self._values) > self._count or self._held > self._size:
            _, (_, freed) = self._values.popitem(last=False)
            self._held -= freed


@dataclass(slots=True, kw_only=True)
class PreparedOperation:
    """One operation of a valid document, ready to run."""

    node: OperationDefinitionNode
    name: str | None
    kind: OperationType
    root_field: str
    """Name of the first root field: the one field of a subscription."""
    survey: Survey
    fixed_cost: int | None
    """The cost, unless it depends on variables."""
    filled: int = 0
    """Fields whose arguments the variables can make large."""
    introspects: bool = False
    """Whether it asks for the whole schema."""
    static: bool = False
    """Whether it asks for nothing but the schema, so that nothing has to be waited for."""
    plans: Plans = field(default_factory=Plans)
    _costs: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def cost(self, variables: Mapping[str, Any]) -> int:
        """Return the static cost: 1 for each object, lists times their page size."""
        if self.fixed_cost is not None:
            return self.fixed_cost
        pages = {**defaults(self.node), **variables}
        asked = {name: pages.get(name) for name in sorted(self.survey.page_variables)}
        key = tuple(size if isinstance(size, int) else None for size in asked.values())
        if key not in self._costs:
            if len(self._costs) >= 64:
                self._costs.clear()
            self._costs[key] = self._measured(asked)
        return self._costs[key]

    def _measured(self, pages: Mapping[str, Any]) -> int:
        known = self.survey
        survey = Survey(known.schema, known.fragments, known.page, pages, known.mutation)
        return survey.operation(self.node).cost(survey.page)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A valid document within its limits."""

    sha256: str
    document: DocumentNode
    operations: Mapping[str | None, PreparedOperation]

    def operation(self, name: str | None) -> PreparedOperation:
        """Return the operation to run, as `GetOperation` of the specification says."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        if name is None:
            raise _failed("Say in operationName which of the operations to run.")
        if name not in self.operations:
            raise _failed(f"The document has no operation named {name!r}.")
        return self.operations[name]


class Documents:
    """Makes documents ready, and remembers good and bad ones by their text."""

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits,
        *,
        count: int = 2_000,
        size: int = 32 * 1024 * 1024,
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._good: Recent[Prepared] = Recent(count=count, size=size)
        self._bad: Recent[tuple[FormattedError, ...]] = Recent(count=500, size=4 * 1024 * 1024)
        # One at a time and off the loop: a flood of large documents then takes at most its share
        # of one core, and whoever waits finds the answer in the cache.
        self._large = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, "documents")

    async def prepare(self, text: str) -> Prepared:
        """Return the document ready to run, or raise `OperationFailed` with what is wrong."""
        known = self._known(text)
        if known is not None:
            return known
        if len(text) <= SMALL:
            return self._learn(text, self._judge(text))
        if len(text) > self._limits.characters:
            raise OperationFailed([_too_long(self._limits)])
        async with self._large:
            known = self._known(text)
            if known is not None:
                return known
            loop = asyncio.get_running_loop()
            return self._learn(text, await loop.run_in_executor(self._thread, self._judge, text))

    def close(self) -> None:
        """Let the thread go."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _known(self, text: str) -> Prepared | None:
        errors = self._bad.get(text)
        if errors is not None:
            raise OperationFailed(errors)
        return self._good.get(text)

    def _learn(self, text: str, verdict: Prepared | Sequence[FormattedError]) -> Prepared:
        if isinstance(verdict, Prepared):
            self._good.put(text, verdict, len(text) * BYTES_PER_CHARACTER)
            return verdict
        self._bad.put(text, tuple(verdict), len(text) + 500 * len(verdict))
        raise OperationFailed(verdict)

    def _judge(self, text: str) -> Prepared | Sequence[FormattedError]:
        try:
            document = without_tokens(parse(text, max_tokens=self._limits.tokens))
        except GraphQLError as error:
            return [formatted(error, ErrorCode.GRAPHQL_PARSE_FAILED)]
        try:
            return self._judge_document(text, document)
        except RecursionError:
            return [refusal(NESTED_TOO_DEEPLY, ErrorCode.GRAPHQL_VALIDATION_FAILED)]

    def _judge_document(
        self, text: str, document: DocumentNode
    ) -> Prepared | Sequence[FormattedError]:
        fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        limits = self._limits
        survey = Survey(self._schema, fragments, limits.page, mutation=limits.mutation)
        nodes = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        reaches = [survey.operation(node) for node in nodes]
        errors = [error for reach in reaches for error in self._excesses(reach, survey)]
        if errors:
            return errors[: self._limits.errors]
        faults = validate(self._schema, document, RULES, max_errors=self._limits.errors)
        if faults:
            return [formatted(fault, ErrorCode.GRAPHQL_VALIDATION_FAILED) for fault in faults]
        if not nodes:
            return [refusal("The document has no operation.", ErrorCode.BAD_USER_INPUT)]
        operations = [
            _operation(node, reach, survey) for node, reach in zip(nodes, reaches, strict=True)
        ]
        return Prepared(
            sha256=sha256(text.encode(errors="surrogatepass")).hexdigest(),
            document=document,
            operations={operation.name: operation for operation in operations},
        )

    def _excesses(self, reach: Reach, survey: Survey) -> Iterator[FormattedError]:
        misshapen = list(excesses(reach, self._limits))
        for message in misshapen:
            yield refusal(message, ErrorCode.GRAPHQL_VALIDATION_FAILED)
        cost = reach.cost(self._limits.page)
        if not misshapen and not survey.page_variables and cost > self._limits.cost:
            yield too_costly(cost, self._limits)


def without_tokens(document: DocumentNode) -> DocumentNode:
    """Let go of a document's tokens, a third of its memory that only its reading needed.

    They are linked both ways.  Without them a document is freed as soon as it is forgotten, and
    never has to be looked for among the garbage.
    """
    token = document.loc.start_token if document.loc else None
    while token is not None:
        token.prev, token = None, token.next
    waiting: list[Any] = [document]
    while waiting:
        match waiting.pop():
            case Node() as node:
                if node.loc is not None:
                    del node.loc.start_token, node.loc.end_token
                waiting.extend(getattr(node, key) for key in node.keys if key != "loc")
            case list() | tuple() as nodes:
                waiting.extend(nodes)
            case _:
                pass
    return document


def too_costly(cost: int, limits: Limits) -> FormattedError:
    """Refuse an operation by its cost, and say both numbers."""
    error = refusal(
        f"The operation may cost {cost}, and at most {limits.cost} is allowed. Ask for fewer items"
        " with `first`, or for fewer nested lists.",
        ErrorCode.COST_LIMIT_EXCEEDED,
    )
    error["extensions"]["cost"] = {"requested": cost, "limit": limits.cost}
    return error


def _operation(node: OperationDefinitionNode, reach: Reach, survey: Survey) -> PreparedOperation:
    roots = list(_roots(node.selection_set, survey.fragments, set()))
    return PreparedOperation(
        node=node,
        name=node.name.value if node.name else None,
        kind=node.operation,
        root_field=roots[0] if roots else "",
        survey=survey,
        filled=reach.filled,
        fixed_cost=None if survey.page_variables else reach.cost(survey.page),
        introspects=reach.introspects,
        static=node.operation is OperationType.QUERY and STATIC.issuperset(roots),
    )


def _roots(
    selection_set: SelectionSetNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    seen: set[str],
) -> Iterator[str]:
    """Return the names of the fields in order, each fragment's once.  The document is valid."""
    for selection in selection_set.selections:
        match selection:
            case FieldNode():
                yield selection.name.value
            case InlineFragmentNode():
                yield from _roots(selection.selection_set, fragments, seen)
            case FragmentSpreadNode(name=name) if name.value not in seen:
                seen.add(name.value)
                yield from _roots(fragments[name.value].selection_set, fragments, seen)
            case _:
                pass


def _too_long(limits: Limits) -> FormattedError:
    return refusal(
        f"The document is longer than {limits.characters} characters.",
        ErrorCode.GRAPHQL_PARSE_FAILED,
    )


def _failed(message: str) -> OperationFailed:
    return OperationFailed([refusal(message, ErrorCode.BAD_USER_INPUT)])
