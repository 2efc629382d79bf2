"""Strays: touches that said what they belong to before it was known, and are taken in later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.attribution import reattribute
from domain.locking import find_and_lock
from domain.ports import Question, Work
from domain.scoring import rescore_soon
from domain.sla.keeping import LeadLocks

# Where what is new begins to look.
BEFORE_ALL = UUID(int=0)
# No transaction that did not see it yet is under way for longer than this.
_STILL_UNDER_WAY = timedelta(minutes=1)


class Whose(StrEnum):
    """What strays are taken in by, as a touch keeps it."""

    CAMPAIGN = "campaign_id"
    ASSET = "asset_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Strays:
    """Touches that are nobody's yet, by what they named, and the leads whose story that changes.

    `last` is the last id that was looked at, None at the end.
    """

    touches: Mapping[UUID, tuple[UUID, ...]]
    lead_ids: tuple[UUID, ...]
    last: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeTouches(Question[frozenset[UUID]]):
    """Give touches what they named where they have none; answers whose they are.

    It changes rows, and locks them in the order of their ids.
    """

    whose: Whose
    touches: Mapping[UUID, tuple[UUID, ...]]


async def take_in(work: Work, question: Question[Strays], *, whose: Whose) -> Strays:
    """Take in the strays that a question finds; deals and scores that rest on them follow.

    Their leads are locked before them.  What was nobody's may have become somebody's between being
    found and being locked.
    """

    async def attempt(work: Work) -> Strays | None:
        found = await work.ask(question)
        if found.lead_ids:
            await work.ask(LeadLocks(ids=found.lead_ids))
        if not found.touches:
            return found
        leads = await work.ask(TakeTouches(whose=whose, touches=found.touches))
        return found if leads <= set(found.lead_ids) else None

    strays = await find_and_lock(work, attempt, kind="touch")
    await reattribute(work, strays.lead_ids)
    await rescore_soon(work, strays.lead_ids)
    return strays


def once_more(since: datetime, now: datetime) -> UUID | None:
    """Return from where on what is new looks once more at its end, None if it need not.

    What others stored while it was being made, they stored without seeing it.
    """
    if now - since >= _STILL_UNDER_WAY:
        return None
    begun = since - _STILL_UNDER_WAY
    return UUID(int=max(int(begun.timestamp() * 1000), 0) << 80)
