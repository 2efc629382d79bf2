"""The call brief: what somebody should know before they call a lead, and what it says it from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.consent import Consent, ConsentPurpose, withdrawn_since
from domain.content import AssetKind, ContentAsset, JourneyStage
from domain.grades import Grade
from domain.handoff import Handoff
from domain.identity import Actor, Permission
from domain.ids import new_id
from domain.leads import LEAD_FIELDS, Company, Lead
from domain.personas import Persona
from domain.ports import Question, Work
from domain.prediction import Facts, facts_of
from domain.scoring import ScoredGroup, ScorePart, gradings_of
from domain.stages import Stage

MOST_READ = 20
"""Of what was read as many are shown; what is suggested is none of all that was read."""
_MOST_KNOWN = 1_000
MOST_QUESTIONS = 3
_WAY = (JourneyStage.AWARENESS, JourneyStage.CONSIDERATION, JourneyStage.DECISION)
# A hand-off that was made before is one of the past.
_JUST_NOW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefedLead:
    """Who is to be called, as far as it is known."""

    name: str | None
    email: str | None
    phone: str | None
    job_title: str | None
    company: str | None
    country: str | None
    origin: str | None
    stage: Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefedPersona:
    """The kind of buyer the lead is, as its card read."""

    name: str
    number: int
    job_title: str
    goals: tuple[str, ...]
    challenges: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefedAsset:
    """What the lead read, heard or saw: how often, and when last."""

    asset_id: UUID
    title: str
    kind: AssetKind
    topic: str | None
    journey_stage: JourneyStage | None
    times: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefedReason:
    """Why the lead has its score: what a rule gives now, its group's cap aside."""

    part: ScorePart
    rule: str
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestedAsset:
    """What to send next, and why."""

    asset_id: UUID
    title: str
    kind: AssetKind
    url: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBrief:
    """What was known of a lead at an instant.  It claims nothing that is not stored.

    Of a lead that must not be contacted there is neither an opener nor anything to send.  Where it
    has withdrawn only that it is called (PHONE) there is no opener, and where only that it is
    written to (EMAIL) nothing to send.
    """

    as_of: datetime
    do_not_contact: bool
    who: BriefedLead
    persona: BriefedPersona | None
    read: tuple[BriefedAsset, ...]
    grade: Grade | None
    fit: int | None
    engagement: int | None
    reasons: tuple[BriefedReason, ...]
    open_questions: tuple[str, ...]
    suggestion: SuggestedAsset | None
    opener: str | None
    phone_withdrawn_at: datetime | None = None
    email_withdrawn_at: datetime | None = None

    @property
    def may_be_called(self) -> bool:
        return not self.do_not_contact and self.phone_withdrawn_at is None

    @property
    def may_be_written_to(self) -> bool:
        return not self.do_not_contact and self.email_withdrawn_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffBrief:
    """What was known of a lead when it was handed off; it never changes.

    `facts` are what predictions learn from, `known` what a criterion may ask of a lead.  A hand-off
    that was recorded afterwards has no `brief`, and its facts no grade: what had been known then is
    not known any more, and what a lead did since tells how it ended.
    """

    id: UUID
    handoff_id: UUID
    lead_id: UUID
    made_at: datetime
    facts: Facts
    brief: CallBrief | None = None
    known: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetsRead(Question[Sequence[BriefedAsset]]):
    """What a lead has read, heard or seen by an instant, the latest first."""

    lead_id: UUID
    until: datetime
    limit: int


async def call_brief(work: Work, actor: Actor, lead_id: UUID) -> CallBrief:
    """Return what is known of a lead now."""
    actor.require(Permission.VIEW)
    return await _brief(work, await work.get(Lead, lead_id))


async def briefs_of(work: Work, handoff_ids: Sequence[UUID]) -> Sequence[CallBrief | None]:
    """Return what was known at hand-offs, as it was kept.

    Only what somebody has wished since is said: to be left alone, not to be called or not to be
    written to; and what that forbids is not suggested.
    """
    kept = await work.find(HandoffBrief, handoff_id=tuple(handoff_ids))
    ids = tuple(sorted({each.lead_id for each in kept}))
    alone = {lead.id for lead in await work.find(Lead, id=ids, do_not_contact=True)} if ids else ()
    said = await _said_of_channels(work, ids)
    briefs = {
        each.handoff_id: each.brief
        and silenced(each.brief, alone=each.lead_id in alone, consents=said.get(each.lead_id, ()))
        for each in kept
    }
    return [briefs.get(handoff_id) for handoff_id in handoff_ids]


def silenced(brief: CallBrief, *, alone: bool, consents: Sequence[Consent]) -> CallBrief:
    """Return a brief with what its lead does not wish, then or now, and nothing that goes against.

    `alone` is whether it must not be contacted now.
    """
    told = replace(
        brief,
        do_not_contact=brief.do_not_contact or alone,
        phone_withdrawn_at=brief.phone_withdrawn_at
        or withdrawn_since(consents, ConsentPurpose.PHONE),
        email_withdrawn_at=brief.email_withdrawn_at
        or withdrawn_since(consents, ConsentPurpose.EMAIL),
    )
    return replace(
        told,
        suggestion=told.suggestion if told.may_be_written_to else None,
        opener=told.opener if told.may_be_called else None,
    )


async def _said_of_channels(
    work: Work, lead_ids: Sequence[UUID]
) -> Mapping[UUID, Sequence[Consent]]:
    """Return what leads said of being called and written to."""
    said: dict[UUID, list[Consent]] = {}
    channels = (ConsentPurpose.PHONE, ConsentPurpose.EMAIL)
    for consent in (
        await work.find(Consent, lead_id=tuple(lead_ids), purpose=channels) if lead_ids else ()
    ):
        said.setdefault(consent.lead_id, []).append(consent)
    return said


async def freeze_brief(work: Work, handoff: Handoff, lead: Lead, *, whole: bool) -> HandoffBrief:
    """Keep with a hand-off what is known of the lead, in the same transaction.

    Without `whole` there is no brief: the hand-off is of the past.
    """
    brief = await _brief(work, lead) if whole else None
    late = handoff.handed_off_at < work.now - _JUST_NOW
    grade = None if brief is None or late else brief.grade
    return await work.add(
        HandoffBrief(
            id=new_id(),
            handoff_id=handoff.id,
            lead_id=lead.id,
            made_at=work.now,
            facts=facts_of(replace(lead, grade=grade)),
            known=known_of(lead),
            brief=brief,
        )
    )


def known_of(lead: Lead) -> Mapping[str, Any]:
    """Return what a criterion may ask of a lead, as it is now; what is missing is left out."""
    told = {field.attribute: getattr(lead, field.attribute) for field in LEAD_FIELDS}
    return {name: value for name, value in told.items() if value is not None}


async def _brief(work: Work, lead: Lead) -> CallBrief:
    persona = await work.get(Persona, lead.persona_id) if lead.persona_id else None
    company = await work.get(Company, lead.company_id) if lead.company_id else None
    read = tuple(await work.ask(AssetsRead(lead_id=lead.id, until=work.now, limit=_MOST_KNOWN)))
    grading = (await gradings_of(work, [lead.id]))[lead.id]
    said = await _said_of_channels(work, [lead.id])
    brief = CallBrief(
        as_of=work.now,
        do_not_contact=lead.do_not_contact,
        who=_who(lead, company),
        persona=None if persona is None else _card(persona),
        read=read[:MOST_READ],
        grade=None if grading is None else grading.grade,
        fit=None if grading is None else grading.fit,
        engagement=None if grading is None else grading.engagement,
        reasons=() if grading is None else _reasons(grading.explanation),
        open_questions=open_questions(lead, persona),
        suggestion=await _suggestion(work, lead, read, persona),
        opener=opener(lead, persona, read),
    )
    return silenced(brief, alone=lead.do_not_contact, consents=said.get(lead.id, ()))


async def _suggestion(
    work: Work, lead: Lead, read: Sequence[BriefedAsset], persona: Persona | None
) -> SuggestedAsset | None:
    """Return what to send: of the step that comes next, or else of the first after it with any."""
    wanted = next_stage(lead.stage, read)
    for stage in _WAY[_WAY.index(wanted) :] if wanted in _WAY else (wanted,):
        assets = await work.find(ContentAsset, journey_stage=stage.value, archived_at=None)
        found = suggested(assets, read, persona=persona, stage=stage)
        if found is not None:
            return found
    return None


def next_stage(stage: Stage, read: Sequence[BriefedAsset]) -> JourneyStage:
    """Return which step of the buyer's way comes next: after the furthest that was read about."""
    if stage.rank >= Stage.CUSTOMER.rank:
        return JourneyStage.RETENTION
    been = [_WAY.index(each.journey_stage) for each in read if each.journey_stage in _WAY]
    return _WAY[min(max(been, default=-1) + 1, len(_WAY) - 1)]


def suggested(
    assets: Sequence[ContentAsset],
    read: Sequence[BriefedAsset],
    *,
    persona: Persona | None,
    stage: JourneyStage,
) -> SuggestedAsset | None:
    """Return what to send next: unread, for this persona or for all, on the topic read last.

    What is made for another persona is left out.  Of several, the newest.
    """
    known = {each.asset_id for each in read}
    topic = next((each.topic for each in read if each.topic), None)
    persona_id = persona.id if persona else None
    fitting = [
        each for each in assets if each.id not in known and each.persona_id in (None, persona_id)
    ]
    if not fitting:
        return None
    best = max(
        fitting,
        key=lambda each: (
            each.persona_id is not None,
            topic is not None and each.topic == topic,
            each.created_at,
            each.id,
        ),
    )
    because = ["Not read yet", f"for the stage {stage}"]
    if best.persona_id is not None and persona is not None:
        because.append(f"made for {persona.name}")
    if topic is not None and best.topic == topic:
        because.append(f"on {topic}, which was read about last")
    return SuggestedAsset(
        asset_id=best.id,
        title=best.title,
        kind=best.kind,
        url=best.url,
        reason=f"{'; '.join(because)}.",
    )


def open_questions(lead: Lead, persona: Persona | None) -> tuple[str, ...]:
    """Return what is not known yet, then what such a buyer asks."""
    missing = {
        "What does this person do in the company?": lead.job_title,
        "Which company is it?": lead.company_id,
        "In which country is it?": lead.country,
        "What kind of buyer is it?": lead.persona_id,
        "How did the person find us?": lead.origin_source,
    }
    asked = persona.buying_questions[:MOST_QUESTIONS] if persona else ()
    return (*(question for question, known in missing.items() if known is None), *asked)


_DID = {
    AssetKind.VIDEO: "watched",
    AssetKind.WEBINAR: "took part in",
    AssetKind.TOOL: "used",
}


def opener(lead: Lead, persona: Persona | None, read: Sequence[BriefedAsset]) -> str:
    """Return a first sentence and a question, from nothing but what is known."""
    hello = f"Hello {lead.first_name}" if lead.first_name else "Hello"
    goal = persona.goals[0].rstrip(".") if persona and persona.goals else None
    asks = f'Is "{goal}" something you want to reach?' if goal else None
    if read:
        last = read[0]
        did = _DID.get(last.kind, "read")
        told = f'{hello}, you {did} "{last.title}" on {_day(last.last_at.date())}.'
        return f"{told}  {asks or 'What made you look at it?'}"
    return f"{hello}.  {asks or 'What can we do for you?'}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B}"


def _who(lead: Lead, company: Company | None) -> BriefedLead:
    name = " ".join(part for part in (lead.first_name, lead.last_name) if part)
    origin = " / ".join(
        part for part in (lead.origin_source, lead.origin_medium, lead.origin_campaign) if part
    )
    return BriefedLead(
        name=name or None,
        email=lead.email,
        phone=lead.phone,
        job_title=lead.job_title,
        company=None if company is None else company.name,
        country=lead.country,
        origin=origin or None,
        stage=lead.stage,
    )


def _card(persona: Persona) -> BriefedPersona:
    return BriefedPersona(
        name=persona.name,
        number=persona.number,
        job_title=persona.job_title,
        goals=persona.goals,
        challenges=persona.challenges,
    )


def _reasons(explanation: Sequence[ScoredGroup]) -> tuple[BriefedReason, ...]:
    """Return the rules that give a point or more (or take one), what weighs most first."""
    given = (
        BriefedReason(part=group.part, rule=rule.name, points=int(rule.points))
        for group in explanation
        for rule in group.rules
        if abs(rule.points) >= 1
    )
    return tuple(sorted(given, key=lambda reason: (-abs(reason.points), reason.rule)))
