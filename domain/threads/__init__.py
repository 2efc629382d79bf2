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
)
from domain.threads.mentioning import Called, mention_allowed
from domain.threads.reading import read_mention, read_thread
from domain.threads.talking import (
    Asked,
    change_message,
    reply,
    retract_message,
    start_thread,
)
from domain.threads.waiting import MOST_WAITING, Waiting, waiting_for

__all__ = [
    "LONGEST_MESSAGE",
    "MOST_CALLS",
    "MOST_WAITING",
    "PATIENCE",
    "THREAD_FIELDS",
    "Asked",
    "Called",
    "DueCalls",
    "Mention",
    "MentionsFor",
    "Subject",
    "Thread",
    "ThreadMessage",
    "ThreadsThat",
    "Waiting",
    "change_message",
    "mention_allowed",
    "read_mention",
    "read_thread",
    "reply",
    "retract_message",
    "start_thread",
    "waiting_for",
    "written_to",
]
