"""Rows of a file become leads with a history, by the ordinary use cases, at their instants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

from domain.drafts import Answers, Draft
from domain.errors import DomainError
from domain.events import ClockTransitioned, Event
from domain.handoff import Handoff, HandoffCredit
from domain.handoff_flow import accept_lead, hand_off, recycle_lead, reject_lead
from domain.identity import Actor, Permission, Team
from domain.import_results import ImportedRow
from domain.import_steps import (
    History,
    first_seen,
    history_of,
    missing_steps,
    named_team,
    path_of,
)
from domain.imports import ImportedLead, ImportedStep, LeadField, LeadMapping, StepKind
from domain.lead_details import UNSAID, LeadDetails, NamedCompany, Unsaid
from domain.lead_intake import WRITING_ORDER, UpsertedRow, UpsertOutcome, upsert_leads
from domain.lead_intake.keys import check_not_merged, leads_told
from domain.leads import ExternalId, Lead
from domain.lifecycle import StageEntry, enter_stage
from domain.ports import Work
from domain.provenance import LeadProvenance, Source, SourceKind
from domain.scoring import read_gradings_ahead
from domain.sla.agreeing import AgreementsAround, CalendarVersionAt
from domain.sla.agreement import Sla
from domain.sla.calendars import CalendarVersion
from domain.sla.clock import Transition
from domain.sla.clocks import SlaClock
from domain.stages import Side, Stage

NO_REASON = "The imported file gives no reason."
_A_DAY = timedelta(days=1)

# Then what is told of leads, first things first.
_ORDER = {
    **WRITING_ORDER,
    StageEntry: lambda entry: (),
    Handoff: lambda handoff: (),
    SlaClock: lambda clock: (),
}

Identity: TypeAlias = ExternalId | str

# What a column is called where details are checked.
_FIELDS = {
    "externalIds": LeadField.EXTERNAL_ID,
    "email": LeadField.EMAIL,
    "phone": LeadField.PHONE,
    "firstName": LeadField.FIRST_NAME,
    "lastName": LeadField.LAST_NAME,
    "jobTitle": LeadField.JOB_TITLE,
    "country": LeadField.COUNTRY,
    "name": LeadField.COMPANY_NAME,
    "domain": LeadField.COMPANY_DOMAIN,
    "originSource": LeadField.ORIGIN_SOURCE,
    "originMedium": LeadField.ORIGIN_MEDIUM,
    "originCampaign": LeadField.ORIGIN_CAMPAIGN,
    "score": LeadField.SCORE,
    "createdAt": LeadField.SEEN_AT,
}


@dataclass(frozen=True, slots=True)
class _Teams:
    """The teams by side, in the order of their names."""

    marketing: Sequence[Team]
    sales: Sequence[Team]

    def of(self, step: ImportedStep) -> tuple[Team, Team]:
        """Return from which team to which a hand-off went.

        Raises:
            UnknownTeam: if the row does not tell.
        """
        giver = named_team(
            step.from_team,
            [team.name for team in self.marketing],
            path=path_of(step, "from_team"),
            side="marketing",
        )
        taker = named_team(
            step.to_team,
            [team.name for team in self.sales],
            path=path_of(step, "to_team"),
            side="sales",
        )
        return self.marketing[giver], self.sales[taker]


def import_draft(outer: Work) -> Draft:
    """Return the draft that rows are imported into, to be flushed once a batch."""
    return Draft(outer, order=_ORDER, answers=_ANSWERS)


async def import_rows(
    work: Draft, actor: Actor, rows: Sequence[ImportedLead]
) -> tuple[ImportedRow, ...]:
    """Create or update the leads of up to 500 rows, and add to their history what is news.

    Every row is taken whole or refused whole, and spoils no other.  Imported stages are facts: they
    are not judged by a criterion, and nobody is next in turn for a hand-off of the past.
    """
    actor.require(Permission.IMPORT_LEADS)
    if any(step.kind is StepKind.HAND_OFF for row in rows for step in row.steps):
        # Before any lead, as whoever hands one off or signs an agreement does.
        await work.find(Team, lock=True, side=Side.SALES)
    teams = await _teams(work)
    results: list[ImportedRow] = []
    rest = list(rows)
    while rest:
        leads = await _matching(work, rest)
        count = _distinct(rest, leads)
        results += await _import_distinct(work, actor, rest[:count], leads[:count], teams)
        rest = rest[count:]
    clocks = {clock.id: frozenset(clock.transitions) for clock in work.made(SlaClock)}
    work.forget_events(lambda event: _is_stale(event, clocks))
    return tuple(results)


def column_of(refusal: DomainError, mapping: LeadMapping) -> str | None:
    """Return the column of a file that a refusal is about, if it is about one."""
    path = [str(part) for part in refusal.path if not isinstance(part, int) and part != "rows"]
    for name in reversed(path):
        cell = mapping.fields.get(_FIELDS[name]) if name in _FIELDS else None
        if cell is not None:
            return cell.column
    for step in mapping.steps:
        kinds = (step.kind.lower(), *([step.stage.value] if step.stage else []))
        cells = {"at": step.at, "from_team": step.from_team, "to_team": step.to_team}
        if path[:-1] == list(kinds) and (cell := cells.get(path[-1])) is not None:
            return cell.column
    return None


def details_of(row: ImportedLead) -> LeadDetails:
    """Return what a row says of a lead.  A blank field says nothing, and what is there stays."""
    company = NamedCompany(row.company_name, row.company_domain)
    known = row.company_name is not None or row.company_domain is not None
    return LeadDetails(
        email=_said(row.email),
        phone=_said(row.phone),
        first_name=_said(row.first_name),
        last_name=_said(row.last_name),
        job_title=_said(row.job_title),
        country=_said(row.country),
        company=company if known else UNSAID,
        origin_source=_said(row.origin_source),
        origin_medium=_said(row.origin_medium),
        origin_campaign=_said(row.origin_campaign),
        score=UNSAID if row.score is None else row.score,
        external_ids=tuple(name for name in _identities(row) if isinstance(name, ExternalId)),
        created_at=first_seen(row.seen_at, row.steps),
        source=Source(_system(row), SourceKind.IMPORT),
    )


def _system(row: ImportedLead) -> str:
    """Return whose file it is: the system's whose external ids it has, if it has any."""
    name = row.external_id and row.external_id.source.strip().lower()
    return name or SourceKind.IMPORT.word


async def _import_distinct(
    work: Draft,
    actor: Actor,
    rows: Sequence[ImportedLead],
    leads: Sequence[UUID | None],
    teams: _Teams,
) -> list[ImportedRow]:
    """Import rows that each speak of another lead."""
    await _read_ahead(work, [lead for lead in leads if lead is not None])
    planned = [await _plan(work, row, lead, teams) for row, lead in zip(rows, leads, strict=True)]
    given = [
        plan if isinstance(plan, DomainError) else details_of(row)
        for row, plan in zip(rows, planned, strict=True)
    ]
    outcomes = await upsert_leads(work, actor, given, judge=False)
    results = []
    for row, plan, outcome in zip(rows, planned, outcomes, strict=True):
        if not isinstance(plan, DomainError) and outcome.lead is not None:
            for step in plan:
                await _take(work, actor, outcome.lead.id, step, teams)
        results.append(_result(row, plan, outcome))
    return results


def _result(
    row: ImportedLead, plan: tuple[ImportedStep, ...] | DomainError, outcome: UpsertedRow
) -> ImportedRow:
    became = outcome.outcome
    if became is UpsertOutcome.UNCHANGED and plan:
        became = UpsertOutcome.UPDATED
    return ImportedRow(row, became, outcome.refusals)


async def _plan(
    work: Draft, row: ImportedLead, lead_id: UUID | None, teams: _Teams
) -> tuple[ImportedStep, ...] | DomainError:
    """Return what is news in a row, or why it cannot be taken."""
    try:
        steps = missing_steps(await _history(work, row, lead_id), row.steps, now=work.now)
        for step in steps:
            if step.kind is StepKind.HAND_OFF:
                teams.of(step)
    except DomainError as refusal:
        return refusal
    return steps


async def _history(work: Draft, row: ImportedLead, lead_id: UUID | None) -> History:
    if lead_id is not None:
        lead = await work.get(Lead, lead_id)
        entries = await work.find(StageEntry, lead_id=lead_id)
        return history_of(lead, entries, await work.find(Handoff, lead_id=lead_id))
    seen_at = min(first_seen(row.seen_at, row.steps) or work.now, work.now)
    new = Lead(
        id=UUID(int=0),
        stage=Stage.VISITOR,
        stage_entered_at=seen_at,
        created_at=seen_at,
        updated_at=work.now,
    )
    return history_of(new, (), ())


async def _take(
    work: Draft, actor: Actor, lead_id: UUID, step: ImportedStep, teams: _Teams
) -> None:
    """Let one step have happened, by the use case that would have done it."""
    match step.kind:
        case StepKind.STAGE:
            if step.stage is None:
                raise ValueError("a step into no stage")
            lead = await work.get(Lead, lead_id)
            await enter_stage(
                work, actor, lead, step.stage, at=step.at, reason=step.reason, judged=False
            )
        case StepKind.HAND_OFF:
            giver, taker = teams.of(step)
            await hand_off(
                work,
                actor,
                lead_id,
                from_team_id=giver.id,
                to_team_id=taker.id,
                reason=step.reason,
                at=step.at,
                routed=False,
            )
        case StepKind.ACCEPT:
            await accept_lead(work, actor, lead_id, at=step.at, judged=False)
        case StepKind.REJECT:
            await reject_lead(work, actor, lead_id, reason=step.reason or NO_REASON, at=step.at)
        case StepKind.RECYCLE:
            await recycle_lead(work, actor, lead_id, reason=step.reason or NO_REASON, at=step.at)


async def _teams(work: Draft) -> _Teams:
    teams = sorted(await work.find(Team), key=lambda team: team.name)
    return _Teams(
        [team for team in teams if team.side is Side.MARKETING],
        [team for team in teams if team.side is Side.SALES],
    )


async def _matching(work: Draft, rows: Sequence[ImportedLead]) -> list[UUID | None]:
    """Return the lead that each row speaks of, if there is one: by external id, else by e-mail."""
    known = await leads_told(work, {name for row in rows for name in _identities(row)})
    return [next((known[name] for name in _identities(row) if name in known), None) for row in rows]


async def _read_ahead(work: Draft, leads: Sequence[UUID]) -> None:
    """Lock the leads, in the order of their ids, and read all that their history is made of."""
    if not leads:
        return
    there = await work.read_ahead(Lead, id=leads, lock=True)
    await check_not_merged(work, set(leads) - {lead.id for lead in there})
    await work.read_ahead(LeadProvenance, id=leads)
    await work.read_ahead(StageEntry, lead_id=leads)
    handoffs = [handoff.id for handoff in await work.read_ahead(Handoff, lead_id=leads)]
    await work.read_ahead(SlaClock, handoff_id=handoffs)
    await work.read_ahead(HandoffCredit, handoff_id=handoffs)
    await read_gradings_ahead(work, leads)


def _distinct(rows: Sequence[ImportedLead], leads: Sequence[UUID | None]) -> int:
    """Return how many rows from the front on speak of different leads: at least one."""
    seen: set[object] = set()
    for count, (row, lead) in enumerate(zip(rows, leads, strict=True)):
        names = {*_identities(row), *([lead] if lead else [])}
        if names & seen:
            return count
        seen |= names
    return len(rows)


def _identities(row: ImportedLead) -> Iterator[Identity]:
    """Return what tells a row's lead, as it is kept, the surest first."""
    if row.external_id is not None:
        name = row.external_id
        yield ExternalId(name.source.strip().lower(), name.value.strip())
    if row.email is not None:
        yield row.email.strip().lower()


def _is_stale(event: Event, clocks: Mapping[UUID, frozenset[Transition]]) -> bool:
    """Say whether an event tells of a change that never was.

    A hand-off's clocks start before the answer in the same row is known, and may seem to be late.
    """
    if not isinstance(event, ClockTransitioned) or event.clock_id not in clocks:
        return False
    return Transition(event.state, event.at) not in clocks[event.clock_id]


async def _agreements_around(work: Draft, question: AgreementsAround) -> list[Sla]:
    """Answer from all agreements of the team, read once."""
    day, marketing = question.at.date(), question.marketing_team_id
    return [
        sla
        for sla in await work.find(Sla, sales_team_id=question.sales_team_id)
        if marketing in (None, sla.marketing_team_id)
        and sla.starts_on - _A_DAY <= day <= sla.ends_on + _A_DAY
    ]


async def _calendar_version_at(work: Draft, question: CalendarVersionAt) -> CalendarVersion:
    """Answer from all versions of the calendar, read once."""
    versions = await work.find(CalendarVersion, calendar_id=question.calendar_id)
    versions = sorted(versions, key=lambda version: version.number)
    known = [version for version in versions if version.created_at <= question.at]
    return known[-1] if known else versions[0]


_ANSWERS: Answers = {
    AgreementsAround: _agreements_around,
    CalendarVersionAt: _calendar_version_at,
}


def _said(text: str | None) -> str | Unsaid:
    return UNSAID if text is None else text
