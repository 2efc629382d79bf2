"""A stage that a lead turns out not to have reached, or at another instant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from domain.events import LeadEnteredStage
from domain.identity import Actor
from domain.ids import new_id
from domain.leads import Lead
from domain.lifecycle.reaching import StageEntry, count_difference, reached
from domain.ports import Work
from domain.stages import Stage


async def undo_stage(work: Work, actor: Actor, lead: Lead, stage: Stage) -> Lead:
    """Let a locked lead never have entered a stage, nor those beyond: it is what it was before.

    The steps go, so that no funnel and no goal counts them; that they were taken and taken back is
    in the log of events and in the audit log.
    """
    story, first = await _story(work, lead, stage)
    if first == len(story):
        return lead
    previous = lead.stage
    await _exchange(work, story, first, ())
    before = story[first].previous or lead.stage
    since = _since(lead, story[:first])
    lead = await work.save(replace(lead, stage=before, stage_entered_at=since, updated_at=work.now))
    work.record(
        LeadEnteredStage(
            at=work.now, by=actor.user_id, lead_id=lead.id, stage=before, previous=previous
        )
    )
    return lead


async def move_stage(
    work: Work, lead: Lead, stage: Stage, *, was: datetime, since: datetime
) -> Lead:
    """Let a locked lead have entered a stage at another instant than that of something else.

    Steps that were not taken with it stay, but none lies before the one it follows.  The step is
    another one then: what several leads had in common before is not parted by it any more.
    """
    story, first = await _story(work, lead, stage)
    earliest = _since(lead, story[:first])
    if first == len(story) or story[first].entered_at != max(was, earliest):
        return lead
    since = max(since, earliest)
    if since == story[first].entered_at:
        return lead
    later = story[first + 1 :]
    moved = [
        replace(story[first], id=new_id(), entered_at=since),
        *(replace(each, entered_at=max(each.entered_at, since)) for each in later),
    ]
    await _exchange(work, story, first, moved)
    return await work.save(replace(lead, stage_entered_at=moved[-1].entered_at))


async def _story(work: Work, lead: Lead, stage: Stage) -> tuple[Sequence[StageEntry], int]:
    """Return a lead's steps, and the place of the one since which it has come so far, if any."""
    story = sorted(
        await work.find(StageEntry, lead_id=lead.id),
        key=lambda entry: (entry.entered_at, entry.recorded_at, entry.id),
    )
    place = len(story)
    while place and story[place - 1].stage.rank >= stage.rank:
        place -= 1
    return story, place


def _since(lead: Lead, story: Sequence[StageEntry]) -> datetime:
    return story[-1].entered_at if story else lead.created_at


async def _exchange(
    work: Work, story: Sequence[StageEntry], first: int, now: Sequence[StageEntry]
) -> None:
    """Put other steps, or none, in the place of a history's from one on."""
    for entry in story[first:]:
        await work.delete(StageEntry, id=entry.id)
    for entry in now:
        await work.add(entry)
    await count_difference(work, was=reached(story), now=reached([*story[:first], *now]))
