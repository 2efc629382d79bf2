"""Reading how an agreement stands."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from domain.identity import Actor, Permission
from domain.ports import Work
from domain.sla.agreeing import calendar_version_at, commitments_of, hours_of
from domain.sla.agreement import Commitment, CommitmentKind, Sla
from domain.sla.calendar import WorkingHours
from domain.sla.standing.counts import CountsOf, DayCounts, UnsweptHandoffs
from domain.sla.standing.delivery import delivery_standing
from domain.sla.standing.figures import CommitmentStanding, SideStanding, SlaStanding
from domain.sla.standing.shares import of_clocks, of_handoffs, share_standing
from domain.sla.standing.timing import Moment, agreement_moment, next_look
from domain.sla.standing.verdicts import alignment_index, worst
from domain.stages import Side

# What was proposed is never edited, so the commitments that were read once stay true.
_MOST_AGREEMENTS = 512
_commitments: OrderedDict[tuple[UUID, UUID], tuple[Commitment, ...]] = OrderedDict()


async def sla_standing(work: Work, actor: Actor, sla_id: UUID) -> SlaStanding:
    """Return how an agreement stands now: each commitment, each side, and the two together.

    One whose period is over, or that was superseded, stands as it did at its end; what was still
    open then may settle it later.
    """
    actor.require(Permission.VIEW)
    return await standing_of(work, await work.get(Sla, sla_id))


async def standing_of(work: Work, sla: Sla) -> SlaStanding:
    """Return how an agreement stands now, in three statements with the agreement's own."""
    commitments = await _commitments_of(work, sla.id)
    version = await calendar_version_at(work, sla.calendar_id, min(work.now, sla.ends_at))
    hours = await hours_of(work, version.id)
    ids = tuple(commitment.id for commitment in commitments)
    found = await work.ask(CountsOf(commitment_ids=ids, time_zone=sla.time_zone, at=work.now))
    days: dict[UUID, list[DayCounts]] = {id: [] for id in ids}
    for counts in found:
        days[counts.tally.commitment_id].append(counts)
    unswept = await _unswept(work, sla, commitments, found)
    moment = agreement_moment(sla, hours, work.now)
    standings = _standings(
        sla, commitments, days, unswept=unswept, hours=hours, moment=moment, now=work.now
    )
    return _together(sla, standings, hours, moment, work.now)


def _standings(
    sla: Sla,
    commitments: Sequence[Commitment],
    days: Mapping[UUID, Sequence[DayCounts]],
    *,
    unswept: Mapping[date, int],
    hours: WorkingHours,
    moment: Moment,
    now: datetime,
) -> list[CommitmentStanding]:
    """Return how each commitment stands, in order; coverage last, since it may lean on another."""
    found: dict[UUID, CommitmentStanding] = {}
    for commitment in sorted(commitments, key=lambda c: c.kind is CommitmentKind.COVERAGE):
        counts = days[commitment.id]
        if commitment.kind is CommitmentKind.DELIVERY:
            standing = delivery_standing(
                sla, commitment, counts, hours=hours, moment=moment, now=now
            )
        else:
            is_coverage = commitment.kind is CommitmentKind.COVERAGE
            standing = share_standing(
                sla,
                commitment,
                counts,
                kept_on=of_handoffs(unswept) if is_coverage else of_clocks,
                moment=moment,
                now=now,
                linked=_attained_by(commitment.linked_to, found),
            )
        found[commitment.id] = standing
    return [found[commitment.id] for commitment in commitments]


def _attained_by(
    commitment_id: UUID | None, found: Mapping[UUID, CommitmentStanding]
) -> Decimal | None:
    linked = None if commitment_id is None else found.get(commitment_id)
    return None if linked is None else linked.attainment


def _together(
    sla: Sla,
    standings: Sequence[CommitmentStanding],
    hours: WorkingHours,
    moment: Moment,
    now: datetime,
) -> SlaStanding:
    teams = {Side.MARKETING: sla.marketing_team_id, Side.SALES: sla.sales_team_id}
    sides = [
        SideStanding(side, team_id, worst(s.status for s in standings if s.commitment.side is side))
        for side, team_id in teams.items()
    ]
    return SlaStanding(
        sla=sla,
        as_of=now,
        status=sla.status(now),
        starts_on=moment.period.first,
        ends_on=moment.period.end,
        working_days=hours.working_days(moment.period),
        working_days_elapsed=_working_days_begun(hours, moment),
        commitments=standings,
        sides=sides,
        alignment_index=alignment_index(standings),
        next_at=next_look(
            moment,
            hours=hours,
            zone=sla.time_zone,
            now=now,
            thresholds=[*(each.next_at for each in standings), sla.effective_at, sla.ceased_at],
        ),
    )


def _working_days_begun(hours: WorkingHours, moment: Moment) -> int:
    """Count the working days up to the one that is running, with it."""
    return sum(hours.is_working_day(day) for day in moment.period if day <= moment.on)


async def _unswept(
    work: Work, sla: Sla, commitments: Sequence[Commitment], found: Sequence[DayCounts]
) -> Mapping[date, int]:
    """Return the hand-offs that are late by now though nobody has noticed; hardly ever any."""
    timed = tuple(commitment.id for commitment in commitments if commitment.kind.is_timed)
    covers = any(commitment.kind is CommitmentKind.COVERAGE for commitment in commitments)
    if not covers or not any(counts.unswept for counts in found):
        return {}
    return await work.ask(
        UnsweptHandoffs(commitment_ids=timed, time_zone=sla.time_zone, at=work.now)
    )


async def _commitments_of(work: Work, sla_id: UUID) -> tuple[Commitment, ...]:
    key = (work.tenant_id, sla_id)
    found = _commitments.get(key)
    if found is None:
        found = await commitments_of(work, sla_id)
        if found:
            _commitments[key] = found
            if len(_commitments) > _MOST_AGREEMENTS:
                _commitments.popitem(last=False)
    return found
