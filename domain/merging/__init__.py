"""One person once: leads that turn out to be the same are merged, and can be parted again."""

from domain.merging.joining import merge_leads
from domain.merging.parting import unmerge_leads
from domain.merging.record import MERGE_FIELDS, LeadMerge, MergedLead, MergeRecord
from domain.merging.refusals import (
    MOST_LOSERS,
    AlreadyMerged,
    AlreadyUnmerged,
    ChangedSince,
    LosersMiscounted,
    MergedSince,
    MergeWithItself,
)
from domain.merging.rows import LeadsToMerge, MoveRows, PutRows, TakeRows
from domain.merging.rules import RULES, Goes, Moves, OneEach, OneStory

__all__ = [
    "MERGE_FIELDS",
    "MOST_LOSERS",
    "RULES",
    "AlreadyMerged",
    "AlreadyUnmerged",
    "ChangedSince",
    "Goes",
    "LeadMerge",
    "LeadsToMerge",
    "LosersMiscounted",
    "MergeRecord",
    "MergeWithItself",
    "MergedLead",
    "MergedSince",
    "MoveRows",
    "Moves",
    "OneEach",
    "OneStory",
    "PutRows",
    "TakeRows",
    "merge_leads",
    "unmerge_leads",
]
