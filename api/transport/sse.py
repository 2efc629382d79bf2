"""GraphQL over server-sent events, in the mode of one connection for each operation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import ExitStack, aclosing, suppress
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from api.engine import Gauges, GraphQLResponse, OperationFailed, Payload
from api.transport.crowd import Place
from api.transport.negotiation import MediaType
from api.transport.sessions import Session, Shutdown, session_over

KEEP_ALIVE = b":\n\n"
HEADERS = {
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",  # or a proxy keeps the events until the stream is over
}


class Gone(Exception):
    """The reader stalled for too long, or his session ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSettings:
    """Times of an event stream, in seconds."""

    keep_alive: float = 12.0
    """Between comments that keep proxies from closing a silent stream."""
    send: float = 20.0
    """For one write to a reader that does not read, before he is let go."""


def event(name: str, body: bytes | None = None, *, empty_data: bool = False) -> bytes:
    """Frame one event."""
    data = b"\ndata: " + body if body is not None else b"\ndata:" if empty_data else b""
    return b"event: " + name.encode() + data + b"\n\n"


async def one_answer(answer: GraphQLResponse) -> AsyncGenerator[Payload, None]:
    """Stream a single answer: a query's, a mutation's, or the errors of a refused request."""
    yield Payload(answer.body)


class EventStream(Response):
    """An answer in events, which ends with its reader, his session, or the process."""

    def __init__(
        self,
        answers: AsyncGenerator[Payload, None],
        *,
        request: Request,
        session: Session | None,
        shutdown: Shutdown,
        gauges: Gauges,
        settings: StreamSettings,
        headers: Mapping[str, str],
        places: Sequence[Place] = (),
    ) -> None:
        super().__init__(headers={**headers, **HEADERS}, media_type=MediaType.EVENTS)
        del self.headers["content-length"]
        self._answers = answers
        # EventSource, which can only GET, does not dispatch an event that has no data.
        self._complete = event("complete", empty_data=request.method == "GET")
        self._session = session
        self._shutdown = shutdown
        self._gauges = gauges
        self._settings = settings
        self._places = places
        self._writing = asyncio.Lock()

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the stream, the reader, his session or the process ends."""
        with ExitStack() as taken:
            taken.enter_context(self._gauges.counting("streams"))
            for place in self._places:
                taken.enter_context(place)
            async with aclosing(self._answers):
                start = {"type": "http.response.start", "status": self.status_code}
                await send({**start, "headers": self.raw_headers})
                with suppress(Gone):
                    await self._until_over(receive, send)

    async def _until_over(self, receive: Receive, send: Send) -> None:
        parts = [self._send_answers(send), self._keep_alive(send), _disconnected(receive)]
        if self._session is not None:
            parts.append(session_over(self._session))
        ending = asyncio.create_task(self._shutdown.wait())
        tasks = [*(asyncio.create_task(part) for part in parts), ending]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()
        if tasks[0] not in done:
            # A session that ended is no completion: the client comes again, and is told then.
            last = self._complete if ending in done else b""
            await self._write(send, last, more=False)

    async def _send_answers(self, send: Send) -> None:
        # Some browsers wait for the first byte before they call the stream open.
        await self._write(send, KEEP_ALIVE)
        try:
            async for answer in self._answers:
                await self._write(send, event("next", answer.body))
        except OperationFailed as failure:
            body = GraphQLResponse.of(failure).body
            await self._write(send, event("next", body))
        await self._write(send, self._complete, more=False)

    async def _keep_alive(self, send: Send) -> None:
        while True:
            await asyncio.sleep(self._settings.keep_alive)
            await self._write(send, KEEP_ALIVE)

    async def _write(self, send: Send, chunk: bytes, *, more: bool = True) -> None:
        try:
            async with asyncio.timeout(self._settings.send), self._writing:
                await send({"type": "http.response.body", "body": chunk, "more_body": more})
        except (TimeoutError, OSError):
            raise Gone from None


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
