"""The second signature: from then on an agreement counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.events import SlaSigned, SlaSuperseded, SlaWithdrawn
from domain.handoff import Handoff
from domain.identity import Actor, Permission, Team
from domain.ports import Question, Work
from domain.sla import keeping
from domain.sla.agreeing import commitments_of
from domain.sla.agreement import Sla
from domain.sla.signing.rules import (
    HasJudged,
    NotAProposal,
    NotSupersedable,
    WrongSide,
    check_countersigner,
    check_effective,
    check_overlap,
    sides_of,
    signed,
)

_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class UnjudgedHandoffs(Question[Sequence[Handoff]]):
    """Hand-offs between two teams, from an instant until another, that no agreement judges yet."""

    marketing_team_id: UUID
    sales_team_id: UUID
    since: datetime
    until: datetime
    after: tuple[datetime, UUID] | None
    limit: int


async def countersign(work: Work, actor: Actor, sla_id: UUID) -> Sla:
    """Sign a proposal for the other side, so that it counts.

    What was handed off in its time already, and judged by nothing, counts towards what marketing
    promised; but no clock starts in the past.
    """
    actor.require(Permission.SIGN_AGREEMENTS)
    user_id = actor.require_user()
    sides = await sides_of(work, user_id)
    # Whatever is signed between two teams takes this lock, so of two overlapping proposals the
    # second sees the first.
    await work.get(Team, (await work.get(Sla, sla_id)).sales_team_id, lock=True)
    sla = await work.get(Sla, sla_id, lock=True)
    side = check_countersigner(sla, user_id=user_id, sides=sides)
    await check_overlap(work, sla, path=("sla",))
    if sla.supersedes_id is not None:
        sla = await _take_over(work, actor, sla, sla.supersedes_id)
    sla = await work.save(signed(sla, side, by=user_id, at=work.now))
    work.record(SlaSigned(at=work.now, by=user_id, sla_id=sla.id))
    await _credit_handoffs(work, sla)
    return sla


async def withdraw(work: Work, actor: Actor, sla_id: UUID) -> Sla:
    """Take back a proposal of one's own side that the other has not signed."""
    actor.require(Permission.SIGN_AGREEMENTS)
    sides = await sides_of(work, actor.require_user())
    sla = await work.get(Sla, sla_id, lock=True)
    if sla.signed_at is not None or sla.withdrawn_at is not None:
        raise NotAProposal("Only an open proposal can be withdrawn.", path=("sla",))
    if sla.proposed_side not in sides:
        raise WrongSide(
            f"Only {sla.proposed_side.lower()}, which proposed it, can withdraw it.", path=("sla",)
        )
    sla = await work.save(replace(sla, withdrawn_at=work.now))
    work.record(SlaWithdrawn(at=work.now, by=actor.user_id, sla_id=sla.id))
    return sla


async def _take_over(work: Work, actor: Actor, sla: Sla, old_id: UUID) -> Sla:
    """End the version before, and return the next one with the instant it takes effect at."""
    old = await work.get(Sla, old_id, lock=True)
    if old.ceased_at is not None:
        raise NotSupersedable("Another version has taken this one's place.", path=("sla",))
    if sla.effective_at < work.now and await work.ask(HasJudged(sla_id=old.id)):
        sla = replace(sla, effective_at=work.now)
        check_effective(sla)
    await work.save(replace(old, ceased_at=sla.effective_at))
    work.record(SlaSuperseded(at=work.now, by=actor.user_id, sla_id=old.id, next_sla_id=sla.id))
    return sla


async def _credit_handoffs(work: Work, sla: Sla) -> None:
    """Count what was handed off before the signature, under the locks of the leads."""
    commitments = await commitments_of(work, sla.id)
    after = None
    while True:
        found = await work.ask(
            UnjudgedHandoffs(
                marketing_team_id=sla.marketing_team_id,
                sales_team_id=sla.sales_team_id,
                since=sla.effective_at,
                until=sla.ends_at,
                after=after,
                limit=_BATCH,
            )
        )
        if not found:
            return
        leads = await work.ask(keeping.LeadLocks(ids=tuple({each.lead_id for each in found})))
        # Read again under the lock: sales may have answered in the meantime.
        fresh = await work.find(Handoff, id=tuple(each.id for each in found), sla_id=None)
        judged = [replace(handoff, sla_id=sla.id) for handoff in fresh]
        await work.save_all(judged)
        for handoff in judged:
            await keeping.credit_delivery(work, handoff, leads[handoff.lead_id], sla, commitments)
        after = (found[-1].handed_off_at, found[-1].id)
