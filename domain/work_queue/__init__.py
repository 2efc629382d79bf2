"""Whom to call next: a representative's leads by what they are worth and how they hurry."""

from domain.work_queue.ranking import QueuedLead
from domain.work_queue.reading import (
    MOST_QUEUED,
    AverageDeal,
    QueueLeads,
    WorkQueue,
    work_queue,
)

__all__ = ["MOST_QUEUED", "AverageDeal", "QueueLeads", "QueuedLead", "WorkQueue", "work_queue"]
