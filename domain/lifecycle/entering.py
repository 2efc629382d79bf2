"""Leads moving along the stages: forward by rule, backward only when sales sends them back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.errors import DomainError
from domain.events import LeadEnteredStage
from domain.filters import matches, parse
from domain.identity import Actor, Permission
from domain.ids import new_id
from domain.lead_details import past
from domain.leads import LEAD_FIELDS, Lead
from domain.lifecycle.definitions import (
    CriterionReport,
    Language,
    StageDefinition,
    criterion_of,
    in_force,
    meanings,
    report,
)
from domain.lifecycle.reaching import StageEntry, count_difference, may_be_news, reached
from domain.ports import Work
from domain.stages import Stage
from domain.values import limited_text, told_instant

# What a lead becomes by itself when it meets the criterion.  Beyond that, people decide.
_AUTOMATIC = (Stage.PROSPECT, Stage.LEAD, Stage.MQL)
# A step may be dated this much before the lead's last one: whoever waits for another's change
# has read the clock before that change was made.
_LOCK_WAIT = timedelta(minutes=1)


class StageNotAhead(DomainError):
    """The lead is at the stage already, or beyond it."""

    code = "STAGE_NOT_AHEAD"

    def __init__(self, lead: Lead, stage: Stage) -> None:
        super().__init__(
            f"The lead is {lead.stage}, so {stage} is not ahead of it; "
            "a lead goes back only when sales rejects or recycles it.",
            path=("lead",),
        )


class StageNotBehind(DomainError):
    """The lead has not come so far that it could fall back to the stage."""

    code = "STAGE_NOT_BEHIND"

    def __init__(self, lead: Lead, stage: Stage) -> None:
        super().__init__(
            f"The lead is {lead.stage}, so it cannot fall back to {stage}.", path=("lead",)
        )


class StageTooEarly(DomainError):
    """A step that would lie before the lead's last one."""

    code = "STAGE_TOO_EARLY"

    def __init__(self, lead: Lead) -> None:
        since = told_instant(lead.stage_entered_at)
        super().__init__(
            f"The lead has been {lead.stage} since {since}; its next step cannot lie before that.",
            path=("at",),
        )


class CriterionNotMet(DomainError):
    """The lead is not what both teams agreed to call by that stage's name."""

    code = "CRITERION_NOT_MET"

    def __init__(self, stage: Stage, found: CriterionReport) -> None:
        super().__init__(
            f"The lead is no {stage} as both teams defined it: {'; '.join(found.sentences)}.",
            path=("lead",),
        )
        self.report = found


class NeedsAcceptance(DomainError):
    """A stage that a lead reaches only through a hand-off."""

    code = "NEEDS_ACCEPTANCE"

    def __init__(self, stage: Stage, *, path: tuple[str, ...] = ("to",)) -> None:
        super().__init__(
            f"A lead becomes {stage} only after sales has accepted its hand-off.", path=path
        )


async def definitions_in_force(work: Work, at: datetime) -> Mapping[Stage, StageDefinition]:
    """Return what each stage means at an instant; a stage nobody has defined is left out."""
    return in_force(await work.find(StageDefinition), at)


async def enter_stage(
    work: Work,
    actor: Actor,
    lead: Lead,
    stage: Stage,
    *,
    at: datetime,
    reason: str | None = None,
    judged: bool = True,
) -> Lead:
    """Move a lead forward, and keep with it the definition in force at that instant.

    With `judged` off, somebody else's word is taken for it that the criterion is met: an import's.
    A stage nobody has defined asks for nothing.

    Raises:
        StageNotAhead: if the lead is there or beyond.
        StageTooEarly: if its last step was later.
        CriterionNotMet: and why not.
    """
    if stage.rank <= lead.stage.rank:
        raise StageNotAhead(lead, stage)
    at = _in_order(lead, at)
    definition = (await definitions_in_force(work, at)).get(stage)
    if judged and definition is not None:
        found = report(criterion_of(definition), lead)
        if not found.matched:
            raise CriterionNotMet(stage, found)
    return await _enter(work, actor, lead, stage, definition, at=at, reason=reason)


async def fall_back(
    work: Work, actor: Actor, lead: Lead, stage: Stage, *, at: datetime, reason: str
) -> Lead:
    """Move a lead backward.  Only rejecting and recycling do."""
    if stage.rank >= lead.stage.rank:
        raise StageNotBehind(lead, stage)
    at = _in_order(lead, at)
    definition = (await definitions_in_force(work, at)).get(stage)
    return await _enter(work, actor, lead, stage, definition, at=at, reason=reason)


async def promote(
    work: Work, actor: Actor, lead: Lead, *, at: datetime, was: Lead | None = None
) -> Lead:
    """Move a lead forward for as long as it meets the criterion of the next defined stage.

    Never beyond MQL: sales accepts, nobody is accepted by rule.  `was` is the lead before it was
    changed: what sales has sent back is an MQL again only by a change that makes it meet the
    criterion, not because it meets it still.
    """
    definitions = await definitions_in_force(work, at)
    ahead = (stage for stage in _AUTOMATIC if stage in definitions)
    for stage in (stage for stage in ahead if stage.rank > lead.stage.rank):
        definition = definitions[stage]
        criterion = criterion_of(definition)
        if not matches(criterion, lead):
            break
        met = stage is Stage.MQL and was is not None and matches(criterion, was)
        if met and await _was_sent_back(work, lead):
            break
        at = max(at, lead.stage_entered_at)
        lead = await _enter(work, actor, lead, stage, definition, at=at)
    return lead


async def advance_lead(
    work: Work,
    actor: Actor,
    lead_id: UUID,
    *,
    to: Stage,
    at: datetime | None = None,
    reason: str | None = None,
) -> Lead:
    """Move a lead forward by hand.

    SAL and what comes after it are reached only through a hand-off that sales has accepted.
    """
    actor.require(Permission.EDIT_LEADS)
    lead = await work.get(Lead, lead_id, lock=True)
    if to is Stage.SAL or lead.stage.rank < Stage.SAL.rank < to.rank:
        raise NeedsAcceptance(to)
    at = work.now if at is None else past(at, work.now, path=("at",))
    if reason is not None:
        reason = limited_text(reason, name="The reason", path=("reason",), longest=2000)
    return await enter_stage(work, actor, lead, to, at=at, reason=reason)


async def judge_lead(
    work: Work, actor: Actor, lead_id: UUID, stage: Stage
) -> CriterionReport | None:
    """Say whether a lead is what both teams call by a stage's name; None if nobody defined it."""
    actor.require(Permission.VIEW)
    lead = await work.get(Lead, lead_id)
    definition = (await definitions_in_force(work, work.now)).get(stage)
    return None if definition is None else report(criterion_of(definition), lead)


async def try_criterion(
    work: Work, actor: Actor, lead_id: UUID, criterion: object
) -> CriterionReport:
    """Say whether a lead would meet a criterion that somebody thinks of.

    Raises:
        BadCriterion: if the criterion cannot be understood.
    """
    actor.require(Permission.VIEW)
    filter = parse(criterion, LEAD_FIELDS, path=("criterion",))
    return report(filter, await work.get(Lead, lead_id))


async def read_language(work: Work, actor: Actor) -> Language:
    """Return what every stage means now, what waits for a signature and what comes later."""
    actor.require(Permission.VIEW)
    definitions = await work.find(StageDefinition)
    return Language(as_of=work.now, stages=meanings(definitions, work.now))


async def _was_sent_back(work: Work, lead: Lead) -> bool:
    """Say whether the last that happened to a lead's stage was a step back."""
    entries = await work.find(StageEntry, lead_id=lead.id)
    last = max(entries, key=lambda entry: (entry.entered_at, entry.id), default=None)
    if last is None or last.previous is None:
        return False
    return last.previous.rank > last.stage.rank


def _in_order(lead: Lead, at: datetime) -> datetime:
    """Return when a step counts: not before the lead's last one."""
    if at < lead.stage_entered_at - _LOCK_WAIT:
        raise StageTooEarly(lead)
    return max(at, lead.stage_entered_at)


async def _enter(
    work: Work,
    actor: Actor,
    lead: Lead,
    stage: Stage,
    definition: StageDefinition | None,
    *,
    at: datetime,
    reason: str | None = None,
) -> Lead:
    entry = StageEntry(
        id=new_id(),
        lead_id=lead.id,
        stage=stage,
        previous=lead.stage,
        entered_at=at,
        recorded_at=work.now,
        definition_id=definition.id if definition else None,
        by=actor.user_id,
        reason=reason,
    )
    lead = await work.save(replace(lead, stage=stage, stage_entered_at=at, updated_at=work.now))
    await _count(work, entry)
    await work.add(entry)
    work.record(
        LeadEnteredStage(
            at=at, by=actor.user_id, lead_id=lead.id, stage=stage, previous=entry.previous
        )
    )
    return lead


async def _count(work: Work, entry: StageEntry) -> None:
    """Count what a lead comes to for the first time by a step, the last of its history."""
    if may_be_news(entry):
        story = await work.find(StageEntry, lead_id=entry.lead_id)
        await count_difference(work, was=reached(story), now=reached([*story, entry]))
