"""Mutations that may be sent twice: under one key a request has one effect and one answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import orjson
from graphql import OperationType
from starlette.datastructures import Headers
from typing_extensions import override

from api.context import Context
from api.engine import Engine, ErrorCode, GraphQLResponse, Operation, OperationContext
from api.transport.body import Refused
from domain.identity import Actor
from infra.idempotency import AnswerWithheld, Asked, KeptAnswers, KeyInUse, KeyReused
from infra.one_transaction import OneTransaction, one_transaction

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
RETRY_AFTER_SECONDS = 1

_KEY = re.compile(r"[!-~]{1,255}")
# A string as structured fields write it (RFC 9651, section 3.3.3).
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
# What may be otherwise a moment later, so it must not become the answer to the retry.
_PASSING = frozenset(
    {ErrorCode.INTERNAL_SERVER_ERROR, ErrorCode.SERVICE_UNAVAILABLE, ErrorCode.RATE_LIMITED}
)


@dataclass(frozen=True, kw_only=True)
class Replayed(GraphQLResponse):
    """An answer that was given before, byte for byte."""

    kept: bytes

    @override
    @cached_property
    def body(self) -> bytes:
        return self.kept


class Undone(Exception):
    """Everything was rolled back, and this is why."""

    def __init__(self, answer: GraphQLResponse) -> None:
        super().__init__()
        self.answer = answer


class Once:
    """Runs operations; a mutation under a key is carried out once, as one transaction.

    The answer is kept in that transaction.  So either everything has happened, and the same request
    gets the same answer again, or nothing has, and the same request may be tried again.
    """

    def __init__(self, engine: Engine, secret: bytes) -> None:
        self._engine = engine
        self._answers = KeptAnswers(secret)

    async def run(
        self, operation: Operation, context: OperationContext, headers: Headers
    ) -> GraphQLResponse:
        """Answer an operation that came with these headers.

        Nobody's mutations have no key: there is no client to keep an answer for.

        Raises:
            Refused: if the key is none, was used for something else, or is in use, or if the kept
                answer is not for this client any more.
        """
        given = headers.getlist(HEADER) if operation.kind is OperationType.MUTATION else []
        if not given or not isinstance(context, Context) or context.signed_in is None:
            return await self._engine.run(operation, context)
        asked = self._asked(operation, context.signed_in, key_of(given))
        try:
            return await self._run_once(operation, context, asked)
        except Undone as undone:
            return undone.answer
        except KeyInUse as error:
            wait = {"Retry-After": str(RETRY_AFTER_SECONDS)}
            code = ErrorCode.IDEMPOTENCY_KEY_IN_USE
            raise Refused(409, error.message, code=code, headers=wait) from None
        except KeyReused as error:
            code = ErrorCode.IDEMPOTENCY_KEY_REUSED
            raise Refused(422, error.message, code=code) from None
        except AnswerWithheld as error:
            raise Refused(403, error.message, code=ErrorCode.FORBIDDEN) from None

    def _asked(self, operation: Operation, actor: Actor, key: str) -> Asked:
        content = (operation.prepared.sha256, operation.operation.name, operation.variables)
        client_id = actor.api_key_id or actor.board_id or actor.require_user()
        return self._answers.asked(
            tenant_id=actor.tenant_id,
            client_id=client_id,
            may=actor.permissions,
            key=key,
            request=orjson.dumps(content, option=orjson.OPT_SORT_KEYS),
        )

    async def _run_once(
        self, operation: Operation, context: Context, asked: Asked
    ) -> GraphQLResponse:
        actor = context.actor
        async with one_transaction(context.database, actor.tenant_id, by=actor.user_id) as one:
            kept = await self._answers.claim(one.whole, asked)
            if kept is not None:
                return Replayed(executed=True, headers={REPLAYED: "true"}, kept=kept)
            answer = await self._engine.run(operation, context.over(one))
            await one.end()
            _require_whole(one, answer)
            # Where nothing was done and nothing decided, the key is still free.
            if one.changed or not (answer.errors or one.gave_way):
                await self._answers.keep(one.whole, asked, answer.body)
        return answer


def key_of(values: Sequence[str]) -> str:
    """Return the key that a header holds, bare or as a string in quotes.

    Raises:
        Refused: if it is none, or more than one.
    """
    text = values[0].strip() if len(values) == 1 else ""
    quoted = _QUOTED.fullmatch(text)
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else text
    if not _KEY.fullmatch(key) or (not quoted and text.startswith('"')):
        raise Refused(400, f"{HEADER} must be given once: 1 to 255 visible ASCII characters.")
    return key


def _require_whole(one: OneTransaction, answer: GraphQLResponse) -> None:
    """Undo everything if a part of it has failed in a way that need not happen again."""
    passing = any(error["extensions"]["code"] in _PASSING for error in answer.errors)
    if not (one.broken or passing):
        return
    if not one.changed:
        raise Undone(answer)
    if not answer.errors:
        raise RuntimeError("a failed statement was passed over in silence")
    raise Undone(replace(answer, data=None))
