"""What belongs to a content asset: touches at its address, also those from before it was known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.content import ContentAsset
from domain.identity import Actor, Permission
from domain.ports import Question, Work
from domain.strays import BEFORE_ALL, Strays, Whose, once_more, take_in

# Touches that one transaction looks at.
BATCH = 5_000
# Assets that look together.
_MOST_TOGETHER = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingAssets(Question[Sequence[ContentAsset]]):
    """The assets that still look for their touches, by id, locked until the end."""

    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NextUnmatched(Question[Strays]):
    """What is at one of some addresses, among the next touches by id."""

    assets: Mapping[str, UUID]
    after: UUID
    limit: int


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
    question = NextUnmatched(assets=addresses, after=after, limit=limit)
    found = await take_in(work, question, whose=Whose.ASSET)
    await work.ask(
        KeepMatched(after={each.id: found.last or _again(each, work.now) for each in assets})
    )
    return found.last is not None


def looking(asset: ContentAsset, *, at: datetime) -> ContentAsset:
    """Return an asset that looks for its touches, if it has an address."""
    if asset.url is None:
        return replace(asset, matching_after=None, matching_started_at=None)
    return replace(asset, matching_after=BEFORE_ALL, matching_started_at=at)


def _again(asset: ContentAsset, now: datetime) -> UUID | None:
    """Return from where on an asset looks once more, None if it need not."""
    started_at = asset.matching_started_at
    return None if started_at is None else once_more(started_at, now)
