"""What the demo's sales says of marketing's campaigns, and what marketing answers."""

from __future__ import annotations

from collections.abc import Mapping

from domain.identity import Actor
from domain.ports import Work
from domain.ratings import rate_campaign
from domain.stages import Side
from domain.threads import Asked, Subject, Thread, reply, start_thread
from infra.demo.marketing import the_campaign

_STARS = (
    ("rita", "expo", 5, "They know what they came for."),
    ("raj", "autumn-offer", 4, None),
    ("rosa", "founders-series", 2, "Many who only want to read."),
    ("raj", "expo", 4, None),
    ("sam", "monthly-digest", 3, "Good people, but not yet in need."),
)


async def rate_what_came(work: Work, sales: Mapping[str, Actor]) -> None:
    """Have those who worked with what came of the campaigns say how good it was."""
    for name, code, stars, comment in _STARS:
        campaign = await the_campaign(work, code)
        await rate_campaign(work, sales[name], campaign.id, stars=stars, comment=comment)


async def ask_about_founders(work: Work, actor: Actor) -> None:
    """Have sales ask marketing what the founders' campaign promises."""
    campaign = await the_campaign(work, "founders-series")
    await start_thread(
        work,
        actor,
        Subject(campaign_id=campaign.id),
        text="Founders tell me they signed up for a series of articles. What were they promised?",
        asks=Asked(side=Side.MARKETING),
    )


async def answer_about_founders(work: Work, actor: Actor) -> None:
    """Have marketing answer."""
    campaign = await the_campaign(work, "founders-series")
    for thread in await work.find(Thread, campaign_id=campaign.id):
        await reply(
            work,
            actor,
            thread.id,
            text="Only the articles, so far. From Monday the last one offers a call as well.",
        )
