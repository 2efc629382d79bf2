"""Whom to call next: a representative's leads by what they are worth and how they hurry."""

from domain.work_queue.paging import MOST_QUEUED
from domain.work_queue.ranking import QueuedLead
from domain.work_queue.reading import QueueOfNobody, WorkQueue, work_queue
from domain.work_queue.waiting import WaitingClock, WaitingLead, WaitingLeads

__all__ = [
    "MOST_QUEUED",
    "QueueOfNobody",
    "QueuedLead",
    "WaitingClock",
    "WaitingLead",
    "WaitingLeads",
    "WorkQueue",
    "work_queue",
]
