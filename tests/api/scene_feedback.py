"""What the teams of a scene tell each other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from domain import threads
from domain.digests import DigestFrequency, subscribe
from domain.handoff import Handoff
from domain.leaks import set_limits
from domain.next_steps import set_next_step
from domain.ratings import rate_campaign, rate_lead
from domain.stages import Stage
from domain.threads import Called, Mention, Subject, ThreadMessage
from tests.world import World


async def the_talk(world: World, names: Mapping[str, Any]) -> list[Any]:
    """Have the owner, who answers for both sides, talk about everything, rate it and plan."""
    owner, ids = world.actor(), {name: _id(names[name]) for name in _ABOUT}
    async with world.work() as work:
        lead_id = (await work.get(Handoff, ids["Handoff"])).lead_id
        thread = await threads.start_thread(
            work,
            owner,
            Subject(lead_id=lead_id),
            text="Called.",
            mentions=Called(users=[world.owner.id]),
        )
        for name, field in _ABOUT.items():
            await threads.start_thread(work, owner, Subject(**{field: ids[name]}), text="Well.")
        (message,) = await work.find(ThreadMessage, thread_id=thread.id)
        (mention,) = await work.find(Mention, thread_id=thread.id)
        await rate_campaign(work, owner, ids["Campaign"], stars=5)
        rating = await rate_lead(work, owner, lead_id, stars=4)
        due_at = world.now + timedelta(days=1)
        step = await set_next_step(work, owner, lead_id, text="Send the offer.", due_at=due_at)
        hour = timedelta(hours=1)
        limits = {"without_owner": hour, "without_next_step": None, "untouched": None}
        limited = await set_limits(work, owner, Stage.LEAD, **limits)
        await subscribe(work, owner, DigestFrequency.WEEKLY)
    return [thread, message, mention, rating, step, limited.setting]


_ABOUT = {"Handoff": "handoff_id", "Campaign": "campaign_id", "ContentAsset": "asset_id"}


def _id(public: str) -> UUID:
    return UUID(hex=public[-32:])
