"""GraphQL over WebSocket, by the protocol graphql-transport-ws."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, aclosing, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from graphql import OperationType
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from api.engine import (
    Engine,
    ErrorCode,
    FormattedError,
    Operation,
    OperationFailed,
    Payload,
    refusal,
    unavailable,
)
from api.engine.masking import BUG
from api.transport import messages
from api.transport.body import Refused
from api.transport.crowd import Who
from api.transport.gate import Gate, Visitor, address_of
from api.transport.messages import (
    CloseCode,
    Closing,
    Complete,
    ConnectionInit,
    Message,
    Ping,
    Pong,
    Subscribe,
)
from api.transport.sessions import (
    Authenticate,
    Session,
    Shutdown,
    Unauthenticated,
    request_id_of,
    session_over,
)
from api.transport.shedding import Turns
from domain.errors import OutcomeUnknown, Unavailable

log = structlog.get_logger(__name__)

E = TypeVar("E", bound=BaseException)


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketSettings:
    """Bounds of one socket, in bytes and seconds."""

    message_limit: int = 256 * 1024
    operations: int = 100
    """Running at the same time on one socket."""
    initialisation: float = 5.0
    ping: float = 20.0
    silence: float = 30.0
    """Without any message, before the other end is taken for gone.  Pongs count, and it is looked
    at whenever a ping is due."""
    send: float = 20.0
    """For one write to a reader that does not read, before he is let go."""
    deadline: float = 30.0
    """For a query or mutation."""


class SocketEndpoint:
    """Serves GraphQL sockets on one path; an ASGI application for a `WebSocketRoute`."""

    def __init__(
        self,
        engine: Engine,
        authenticate: Authenticate,
        *,
        settings: SocketSettings | None = None,
        shutdown: Shutdown | None = None,
        gate: Gate | None = None,
        turns: Turns | None = None,
    ) -> None:
        self._engine = engine
        self._gate = gate or Gate(engine=engine)
        self._authenticate = authenticate
        self._settings = settings or SocketSettings()
        self._shutdown = shutdown or Shutdown()
        self._turns = turns or Turns.without_end()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket until it closes."""
        socket = WebSocket(scope, receive, send)
        with self._engine.gauges.counting("sockets"):
            if messages.PROTOCOL not in scope["subprotocols"]:
                await socket.accept()
                code = CloseCode.SUBPROTOCOL_NOT_ACCEPTABLE
                await socket.close(code, "Subprotocol not acceptable")
                return
            await socket.accept(messages.PROTOCOL)
            place = self._gate.crowd.at(Who(address=address_of(socket)))
            try:
                place.require()
            except Refused as refused:
                await socket.close(CloseCode.TRY_AGAIN_LATER, refused.message)
                return
            with place:
                connection = Connection(
                    socket,
                    self._gate,
                    self._authenticate,
                    self._settings,
                    self._shutdown,
                    self._turns,
                )
                await connection.serve()


class Left(Exception):
    """The client closed the socket, or it was lost."""


@dataclass(slots=True)
class Connection:
    """One socket.  Everything it does is a task of one group, so nothing outlives it."""

    socket: WebSocket
    gate: Gate
    authenticate: Authenticate
    settings: SocketSettings
    shutdown: Shutdown
    turns: Turns
    visitor: Visitor | None = None
    _initialised: asyncio.Event = field(default_factory=asyncio.Event)
    _operations: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _heard_at: float = 0.0
    _taken: ExitStack = field(default_factory=ExitStack)

    @property
    def engine(self) -> Engine:
        return self.gate.engine

    async def serve(self) -> None:
        """Serve until either end closes, and leave nothing behind."""
        with self._taken:
            await self._serve()

    async def _serve(self) -> None:
        closing: Closing | None = None
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(group))
                group.create_task(self._expect_init())
                group.create_task(self._expect_shutdown())
        except* Closing as closings:
            closing = next(_each(closings, Closing))
        except* Left:
            pass
        except* Exception as bugs:
            log.exception("graphql.socket_failed", exc_info=next(_each(bugs, Exception)))
            closing = closing or Closing(CloseCode.INTERNAL_ERROR, "Internal error")
        if closing is not None:
            await self._close(closing)

    async def _read(self, group: asyncio.TaskGroup) -> None:
        while True:
            text = await self._receive()
            self._heard_at = _now()
            await self._obey(messages.read(text), group)

    async def _receive(self) -> str:
        event = await self.socket.receive()
        if event["type"] == "websocket.disconnect":
            raise Left
        text = event.get("text")
        if not isinstance(text, str):
            raise Closing(CloseCode.BAD_REQUEST, "Messages must be text")
        if len(text.encode()) > self.settings.message_limit:
            raise Closing(CloseCode.TOO_BIG, "The message is too big")
        return text

    async def _obey(self, message: Message, group: asyncio.TaskGroup) -> None:
        match message:
            case ConnectionInit(payload):
                if self._initialised.is_set():
                    code = CloseCode.TOO_MANY_INITIALISATIONS
                    raise Closing(code, "Too many initialisation requests")
                self._initialised.set()
                # A task, because the protocol wants frames judged while we look who it is.
                group.create_task(self._initialise(payload, group))
            case Ping(payload):
                await self._write(messages.pong(payload))
            case Pong():
                pass
            case Subscribe():
                await self._subscribe(message, group)
            case Complete(operation_id):
                operation = self._operations.pop(operation_id, None)
                if operation is not None:
                    operation.cancel()

    async def _expect_init(self) -> None:
        try:
            async with asyncio.timeout(self.settings.initialisation):
                await self._initialised.wait()
        except TimeoutError:
            code = CloseCode.INITIALISATION_TIMEOUT
            raise Closing(code, "Connection initialisation timeout") from None

    async def _expect_shutdown(self) -> None:
        await self.shutdown.wait()
        raise Closing(CloseCode.SERVICE_RESTART, "Service restart")

    async def _initialise(self, payload: Mapping[str, Any], group: asyncio.TaskGroup) -> None:
        try:
            session = await self.authenticate(self.socket, payload)
        except Unauthenticated:
            raise Closing(CloseCode.FORBIDDEN, "Forbidden") from None
        except Unavailable:
            # Clients come again after this code, and give up after 1011.
            raise Closing(CloseCode.TRY_AGAIN_LATER, "Try again later") from None
        visitor = self.gate.visitor(session, self.socket, payload)
        place = self.gate.crowd.connection(visitor.who)
        try:
            place.require()
        except Refused as refused:
            raise Closing(CloseCode.TRY_AGAIN_LATER, refused.message) from None
        self._taken.enter_context(place)
        self.visitor = visitor
        await self._write(messages.ACK)
        group.create_task(self._expect_end(session))
        group.create_task(self._ping())

    async def _expect_end(self, session: Session) -> None:
        await session_over(session)
        raise Closing(CloseCode.FORBIDDEN, "Forbidden")

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(self.settings.ping)
            silent = _now() - self._heard_at
            if silent > self.settings.silence:
                raise Closing(CloseCode.GOING_AWAY, "No answer to pings")
            await self._write(messages.PING)

    async def _subscribe(self, message: Subscribe, group: asyncio.TaskGroup) -> None:
        if self.visitor is None:
            raise Closing(CloseCode.UNAUTHORIZED, "Unauthorized")
        if message.id in self._operations:
            raise Closing(
                CloseCode.SUBSCRIBER_EXISTS, f"Subscriber for {message.id} already exists"
            )
        if len(self._operations) >= self.settings.operations:
            many = f"This socket runs {self.settings.operations} operations already."
            await self._write(messages.error(message.id, [refusal(many, ErrorCode.RATE_LIMITED)]))
            return
        self._operations[message.id] = group.create_task(self._operate(message, self.visitor))

    async def _operate(self, message: Subscribe, visitor: Visitor) -> None:
        request_id = request_id_of(self.socket)
        try:
            with self.engine.gauges.counting("operations"):
                last = await self._answer(message, visitor, request_id)
        except (Closing, Left):
            raise
        except OperationFailed as failure:
            last = messages.error(message.id, self._refusals(failure, request_id))
        except Refused as refused:
            refusals = self._refusals(OperationFailed([refused.error]), request_id)
            last = messages.error(message.id, refusals)
        except Unavailable as error:
            later = OperationFailed([unavailable(error)])
            last = messages.error(message.id, self._refusals(later, request_id))
        except Exception:
            log.exception("graphql.operation_failed", request_id=request_id)
            bug = OperationFailed([refusal(BUG, ErrorCode.INTERNAL_SERVER_ERROR)])
            last = messages.error(message.id, self._refusals(bug, request_id))
        finally:
            # Before the last message, because the client may use the id again as soon as it
            # reads that; but not an operation that has the id by now.
            if self._operations.get(message.id) is asyncio.current_task():
                del self._operations[message.id]
        await self._write(last)

    async def _answer(self, message: Subscribe, visitor: Visitor, request_id: str) -> str:
        """Run an operation and return the message that ends it."""
        session = visitor.session
        try:
            async with asyncio.timeout(self.settings.deadline):
                self.gate.admit(visitor)
                operation = await self.gate.plan(message.request, visitor)
                if operation.kind is not OperationType.SUBSCRIPTION:
                    return await self._answer_once(message.id, operation, session, request_id)
        except TimeoutError:
            # A mutation may have been carried out in the very last moment.
            late = refusal("The answer took too long.", ErrorCode.SERVICE_UNAVAILABLE)
            late["extensions"]["outcome"] = OutcomeUnknown.outcome
            raise OperationFailed([late]) from None
        place = self.gate.crowd.subscription(visitor.who)
        place.require()
        context = session.context(self.socket, request_id)
        with place:
            async with aclosing(self.engine.subscribe(operation, context)) as answers:
                async for answer in answers:
                    await self._write(messages.next_(message.id, answer))
        return messages.complete(message.id)

    async def _answer_once(
        self, operation_id: str, operation: Operation, session: Session, request_id: str
    ) -> str:
        context = session.context(self.socket, request_id)
        async with self.engine.lane(operation), self.turns.turn():
            answer = await self.engine.run(operation, context)
        if not answer.executed or answer.unavailable:
            return messages.error(operation_id, answer.errors)
        await self._write(messages.next_(operation_id, Payload(answer.body)))
        return messages.complete(operation_id)

    def _refusals(self, failure: OperationFailed, request_id: str) -> list[FormattedError]:
        return list(self.engine.refuse(failure, request_id).errors)

    async def _write(self, text: str) -> None:
        try:
            async with asyncio.timeout(self.settings.send), self._writing:
                await self.socket.send_text(text)
        except TimeoutError:
            raise Closing(CloseCode.TRY_AGAIN_LATER, "Too slow") from None
        except (WebSocketDisconnect, RuntimeError):
            raise Left from None

    async def _close(self, closing: Closing) -> None:
        # To a reader that has stalled, or one that has gone by now, it cannot be said.
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError, OSError):
            async with asyncio.timeout(1):
                await self.socket.close(closing.code, closing.reason)


def _each(group: BaseExceptionGroup[Any], kind: type[E]) -> Iterator[E]:
    """Walk the exceptions of a group that may hold groups."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _each(error, kind)
        elif isinstance(error, kind):
            yield error


def _now() -> float:
    """Return the time by a clock that never jumps, in seconds."""
    return asyncio.get_running_loop().time()
