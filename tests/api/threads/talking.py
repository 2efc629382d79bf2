"""How threads are begun, answered and looked at."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from domain.ids import public
from domain.threads import Mention, Thread, ThreadMessage
from tests.world import World

# The id of nothing; the same in every process, because names of tests are made from it.
NOBODY = UUID("01890000-0000-7000-8000-000000000000")
THREAD = """thread { id awaiting dueAt overdue about { id } ask { text }
  messages { nodes { id text asks dueAt editedAt retractedAt author { name }
    answer { text } mentions { nodes { user { name } readAt } } } } }
  userErrors { code path }"""
START = f"mutation($input: ThreadStartInput!) {{ threadStart(input: $input) {{ {THREAD} }} }}"
REPLY = f"mutation($input: ThreadReplyInput!) {{ threadReply(input: $input) {{ {THREAD} }} }}"
EDIT = """mutation($input: ThreadMessageEditInput!) { threadMessageEdit(input: $input) {
  threadMessage { text editedAt } userErrors { code path } } }"""
RETRACT = """mutation($input: ThreadMessageRetractInput!) { threadMessageRetract(input: $input) {
  threadMessage { text retractedAt thread { awaiting } } userErrors { code path } } }"""
LIST = """query($awaiting: Side, $overdue: Boolean, $filter: ThreadFilter) {
  threads(awaiting: $awaiting, overdue: $overdue, filter: $filter) { nodes { id } } }"""
CALLS = "{ mentions { nodes { team { name } } } }"
MENTIONS = """query($unread: Boolean) { mentions(unread: $unread) { totalCount nodes {
  id readAt message { text } thread { id } } } }"""
READ = """mutation($input: MentionReadInput!) { mentionRead(input: $input) {
  mention { readAt } userErrors { code path } } }"""


def about(lead: Any) -> dict[str, Any]:
    return {"lead": {"id": public("Lead", lead.id)}}


async def start(world: World, user: Any, subject: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Begin a thread, which must not be refused."""
    input = {"about": subject, "text": "Whom did you talk to?", **more}
    answer = await world.data(START, {"input": input}, as_=user)
    assert answer["threadStart"]["userErrors"] == []
    thread: dict[str, Any] = answer["threadStart"]["thread"]
    return thread


async def reply(world: World, user: Any, thread: Any, **more: Any) -> dict[str, Any]:
    input = {"thread": thread["id"], "text": "The founder.", **more}
    payload: dict[str, Any] = (await world.data(REPLY, {"input": input}, as_=user))["threadReply"]
    return payload


async def listed(world: World, **variables: Any) -> list[str]:
    nodes = (await world.data(LIST, variables))["threads"]["nodes"]
    return [node["id"] for node in nodes]


async def stored(world: World) -> tuple[int, int, int]:
    async with world.work() as work:
        kinds = (Thread, ThreadMessage, Mention)
        return tuple([len(await work.find(kind)) for kind in kinds])  # type: ignore[return-value]  # three


THREAD_NOW = """query($id: ID!) { thread(id: $id) { awaiting dueAt ask { text }
  messages { nodes { text answer { text } } } } }"""
