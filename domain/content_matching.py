"""What belongs to a content asset: touches at its address, also those from before it was known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.attribution import reattribute
from domain.content import ContentAsset
from domain.identity import Actor, Permission
from domain.locking import find_and_lock
from domain.ports import Question, Work
from domain.scoring import rescore_soon
from domain.sla.keeping import LeadLocks

# Touches that one transaction looks at.
BATCH = 5_000
# Where an asset begins to look.
BEFORE_ALL = UUID(int=0)
# Assets that look together.
_MOST_TOGETHER = 200
# No transaction that did not see the address yet is under way for longer than this.
_STILL_UNDER_WAY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingAssets(Question[Sequence[ContentAsset]]):
    """The assets that still look for their touches, by id, locked until the end."""

    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """Touches without an asset at addresses of some, by asset, and the leads they are of.

    `last` is the last id that was looked at, None at the end.
    """

    touches: Mapping[UUID, tuple[UUID, ...]]
    lead_ids: tuple[UUID, ...]
    last: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NextUnmatched(Question[Unmatched]):
    """What is at one of some addresses, among the next touches by id."""

    assets: Mapping[str, UUID]
    after: UUID
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchTouches(Question[frozenset[UUID]]):
    """Give touches their asset where they have none; answers whose they are.

    It changes rows, and locks them in the order of their ids.
    """

    touches: Mapping[UUID, tuple[UUID, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepMatched(Question[None]):
    """Keep from where each asset goes on; no version of it goes up, as nobody changed it."""

    after: Mapping[UUID, UUID | None]


async def match_touches(work: Work, actor: Actor, *, limit: int = BATCH) -> bool:
    """Let the next touches at new addresses be touches of their assets; say if more are left.

    Each batch is a transaction of its own, and where it ended is kept with the assets.  At the end
    an asset looks once more, later, at what others stored while it was being made.
    """
    actor.require(Permission.EDIT_CONTENT)
    assets = await work.ask(MatchingAssets(limit=_MOST_TOGETHER))
    after = min((each.matching_after for each in assets if each.matching_after), default=None)
    if after is None:
        return False
    addresses = {each.url: each.id for each in assets if each.url is not None}
    found = await _matched(work, NextUnmatched(assets=addresses, after=after, limit=limit))
    await reattribute(work, found.lead_ids)
    await rescore_soon(work, found.lead_ids)
    await work.ask(
        KeepMatched(after={each.id: found.last or _again(each, work.now) for each in assets})
    )
    return found.last is not None


async def _matched(work: Work, question: NextUnmatched) -> Unmatched:
    """Match the next touches, with the leads they are of locked before them.

    What was nobody's may have become somebody's between being found and being locked.
    """

    async def attempt(work: Work) -> Unmatched | None:
        found = await work.ask(question)
        if not found.touches:
            return found
        await work.ask(LeadLocks(ids=found.lead_ids))
        whose = await work.ask(MatchTouches(touches=found.touches))
        return found if whose <= set(found.lead_ids) else None

    return await find_and_lock(work, attempt, kind="touch")


def looking(asset: ContentAsset, *, at: datetime) -> ContentAsset:
    """Return an asset that looks for its touches, if it has an address."""
    if asset.url is None:
        return replace(asset, matching_after=None, matching_started_at=None)
    return replace(asset, matching_after=BEFORE_ALL, matching_started_at=at)


def _again(asset: ContentAsset, now: datetime) -> UUID | None:
    """Return from where on an asset looks once more, None if it need not."""
    if asset.matching_started_at is None or now - asset.matching_started_at >= _STILL_UNDER_WAY:
        return None
    since = asset.matching_started_at - _STILL_UNDER_WAY
    return UUID(int=max(int(since.timestamp() * 1000), 0) << 80)
