"""Threads: what the teams say to each other about a lead, a hand-off, a campaign or an asset."""

from domain.threads.calling import MOST_CALLS, PATIENCE, DueCalls, written_to
from domain.threads.entities import (
    LONGEST_MESSAGE,
    THREAD_FIELDS,
    Mention,
    MentionsFor,
    Subject,
    Thread,
    ThreadMessage,
    ThreadsThat,
    mention_allowed,
)
from domain.threads.reading import read_mention, read_thread
from domain.threads.talking import (
    Asked,
    change_message,
    reply,
    retract_message,
    start_thread,
)

__all__ = [
    "LONGEST_MESSAGE",
    "MOST_CALLS",
    "PATIENCE",
    "THREAD_FIELDS",
    "Asked",
    "DueCalls",
    "Mention",
    "MentionsFor",
    "Subject",
    "Thread",
    "ThreadMessage",
    "ThreadsThat",
    "change_message",
    "mention_allowed",
    "read_mention",
    "read_thread",
    "reply",
    "retract_message",
    "start_thread",
    "written_to",
]
