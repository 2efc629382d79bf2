from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.errors import DomainError, Invalid, PermissionDenied
from domain.events import (
    DefinitionProposed,
    DefinitionSigned,
    DefinitionWithdrawn,
    LeadEnteredStage,
)
from domain.filters import BadCriterion, parse
from domain.goals.targets import EVERYBODY, MetricTally
from domain.identity import ROLE_PERMISSIONS, Actor, Role, Team, TeamMember, Tenant
from domain.ids import new_id
from domain.leads import LEAD_FIELDS, Lead
from domain.lifecycle import (
    CriterionNotMet,
    CriterionReport,
    Language,
    NeedsAcceptance,
    ProposalPending,
    StageDefinition,
    StageEntry,
    StageMeaning,
    StageNotAhead,
    StageNotBehind,
    StageTooEarly,
    advance_lead,
    definitions_in_force,
    enter_stage,
    fall_back,
    in_force,
    judge_lead,
    meanings,
    promote,
    propose_definition,
    read_language,
    report,
    sign_definition,
    try_criterion,
    withdraw_definition,
)
from domain.sla.signing import AlreadySigned, NotAProposal, SideNeeded, SignedByProposer, WrongSide
from domain.stages import Side, Stage
from tests.fakes import FakeWork

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TENANT = new_id()


def an_actor(role: Role = Role.MANAGER, *, key: bool = False) -> Actor:
    return Actor(
        tenant_id=TENANT,
        user_id=None if key else new_id(),
        permissions=ROLE_PERMISSIONS[role],
        role=role,
    )


MIA, SAM = an_actor(), an_actor()
MARKETING = Team(id=new_id(), name="Marketing", side=Side.MARKETING, created_at=NOON)
SALES = Team(id=new_id(), name="Sales", side=Side.SALES, created_at=NOON)


def place(team: Team, actor: Actor) -> TeamMember:
    assert actor.user_id is not None
    return TeamMember(id=new_id(), team_id=team.id, user_id=actor.user_id, created_at=NOON)


def a_work(*entities: Any, now: datetime = NOON) -> FakeWork:
    """Return a work where Mia is in marketing and Sam in sales."""
    teams = (MARKETING, SALES, place(MARKETING, MIA), place(SALES, SAM))
    work = FakeWork(now, *teams, *entities)
    tenant = Tenant(
        id=work.tenant_id,
        slug="acme",
        name="Acme",
        time_zone="Europe/Berlin",
        currency="EUR",
        created_at=NOON,
    )
    work._stored[Tenant, tenant.id] = tenant
    return work


def a_definition(
    stage: Stage = Stage.MQL,
    criterion: dict[str, Any] | None = None,
    *,
    number: int = 1,
    since: datetime = NOON - DAY,
    signed: bool = True,
    **more: Any,
) -> StageDefinition:
    assert MIA.user_id is not None
    return StageDefinition(
        id=new_id(),
        stage=stage,
        number=number,
        words="Asked for a demo.",
        owner_side=Side.MARKETING,
        criterion={"score": {"gte": 50}} if criterion is None else criterion,
        effective_at=since,
        proposed_by=MIA.user_id,
        proposed_at=since,
        marketing_signed_by=MIA.user_id,
        marketing_signed_at=since,
        sales_signed_by=SAM.user_id if signed else None,
        sales_signed_at=since if signed else None,
        **more,
    )


def a_lead(stage: Stage = Stage.LEAD, *, since: datetime = NOON - DAY, **more: Any) -> Lead:
    return Lead(
        id=new_id(),
        stage=stage,
        stage_entered_at=since,
        created_at=since,
        updated_at=since,
        **more,
    )


# --- What is in force


@pytest.mark.parametrize(
    ("at", "number"),
    [
        (NOON - timedelta(microseconds=1), None),  # before the first
        (NOON, 1),  # at the very instant
        (NOON + HOUR, 1),
        (NOON + DAY, 3),  # two at one instant: the later version
        (NOON + 9 * DAY, 3),
    ],
)
def test_in_force_is_what_took_effect_last(at: datetime, number: int | None) -> None:
    definitions = [
        a_definition(number=3, since=NOON + DAY),
        a_definition(number=1, since=NOON),
        a_definition(number=2, since=NOON + DAY),
        a_definition(number=4, since=NOON, signed=False),
    ]

    found = in_force(definitions, at)

    assert [found[stage].number for stage in found] == ([] if number is None else [number])


def test_the_language_tells_of_every_stage_what_counts_what_waits_and_what_comes() -> None:
    current = a_definition()
    pending = a_definition(number=4, signed=False)
    soon, later = (
        a_definition(number=2, since=NOON + 2 * DAY),
        a_definition(number=3, since=NOON + DAY),
    )
    withdrawn = a_definition(Stage.SQL, number=1, signed=False, withdrawn_at=NOON)

    found = meanings([soon, pending, current, later, withdrawn], NOON)

    assert found == tuple(
        StageMeaning(stage=stage, in_force=current, pending=pending, upcoming=(later, soon))
        if stage is Stage.MQL
        else StageMeaning(stage=stage, in_force=None, pending=None, upcoming=())
        for stage in Stage
    )


async def test_the_language_says_when_it_was_read() -> None:
    definition = a_definition()
    work = a_work(definition)

    found = await read_language(work, an_actor(Role.ANALYST))

    assert found == Language(as_of=NOON, stages=meanings([definition], NOON))


# --- Why it matched, and why not

BOTH = {"score": {"gte": 50}, "country": {"in": ["DE", "FR"]}}


def test_a_report_names_all_that_holds() -> None:
    found = report(parse(BOTH, LEAD_FIELDS), a_lead(score=62, country="DE"))

    assert found == CriterionReport(
        matched=True,
        sentences=(
            "score is 62, which is at least 50",
            'country is "DE", which is one of "DE" or "FR"',
        ),
        criterion_text='score is at least 50 and country is one of "DE" or "FR"',
    )


def test_a_report_names_only_what_does_not_hold() -> None:
    found = report(parse(BOTH, LEAD_FIELDS), a_lead(score=62))

    assert found.matched is False
    assert found.sentences == ('country is missing, but must be one of "DE" or "FR"',)


def test_a_report_of_alternatives_is_one_sentence() -> None:
    either = parse({"or": [{"score": {"gte": 50}}, {"country": {"eq": "DE"}}]}, LEAD_FIELDS)

    found = report(either, a_lead(score=1))

    [sentence] = found.sentences
    assert sentence == (
        "none of these holds: score is 1, but must be at least 50; "
        'country is missing, but must be "DE"'
    )


async def test_a_lead_is_held_against_what_is_in_force() -> None:
    lead = a_lead(score=62)
    work = a_work(lead, a_definition())

    assert await judge_lead(work, MIA, lead.id, Stage.MQL) == CriterionReport(
        matched=True,
        sentences=("score is 62, which is at least 50",),
        criterion_text="score is at least 50",
    )
    assert await judge_lead(work, MIA, lead.id, Stage.SQL) is None


async def test_a_criterion_that_nobody_has_signed_can_be_tried() -> None:
    lead = a_lead(score=62)
    work = a_work(lead)

    found = await try_criterion(work, MIA, lead.id, {"score": {"lt": 10}})

    assert found.sentences == ("score is 62, but must be less than 10",)
    with pytest.raises(BadCriterion) as refused:
        await try_criterion(work, MIA, lead.id, {"skore": {"lt": 10}})
    assert refused.value.path == ("criterion", "skore")


# --- Entering a stage


async def test_entering_a_stage_keeps_the_definition_and_counts() -> None:
    lead, definition = a_lead(score=62), a_definition()
    work = a_work(lead, definition)
    late = datetime(2026, 3, 9, 23, 30, tzinfo=UTC)  # the tenth, in Berlin

    moved = await enter_stage(work, MIA, lead, Stage.MQL, at=late, reason="fair")

    assert moved == replace(
        lead, stage=Stage.MQL, stage_entered_at=late, updated_at=NOON, version=2
    )
    assert await work.get(Lead, lead.id) == moved
    [entry] = await work.find(StageEntry)
    assert entry == StageEntry(
        id=entry.id,
        lead_id=lead.id,
        stage=Stage.MQL,
        previous=Stage.LEAD,
        entered_at=late,
        recorded_at=NOON,
        definition_id=definition.id,
        by=MIA.user_id,
        reason="fair",
    )
    assert work.events == [
        LeadEnteredStage(
            at=late, by=MIA.user_id, lead_id=lead.id, stage=Stage.MQL, previous=Stage.LEAD
        )
    ]
    key = (("metric", "MQLS"), ("team_id", EVERYBODY))
    assert work.counts == {(MetricTally, date(2026, 3, 10), key): {"amount": 1}}


async def test_a_lead_that_is_not_what_was_agreed_is_refused_and_told_why() -> None:
    lead = a_lead(score=10)
    work = a_work(lead, a_definition())

    with pytest.raises(CriterionNotMet) as refused:
        await enter_stage(work, MIA, lead, Stage.MQL, at=NOON)

    assert (
        refused.value.message
        == "The lead is no MQL as both teams defined it: score is 10, but must be at least 50."
    )
    assert await work.find(Lead) == [lead]
    assert (await work.find(StageEntry), work.events, work.counts) == ([], [], {})


async def test_an_import_is_taken_at_its_word_and_keeps_the_definition_all_the_same() -> None:
    lead, definition = a_lead(score=10), a_definition()
    work = a_work(lead, definition)

    moved = await enter_stage(work, MIA, lead, Stage.MQL, at=NOON, judged=False)

    assert moved.stage is Stage.MQL
    assert [entry.definition_id for entry in await work.find(StageEntry)] == [definition.id]


async def test_a_stage_nobody_has_defined_asks_for_nothing() -> None:
    lead = a_lead()
    work = a_work(lead, a_definition(signed=False), a_definition(since=NOON + HOUR))

    moved = await enter_stage(work, MIA, lead, Stage.MQL, at=NOON)

    assert moved.stage is Stage.MQL
    assert [entry.definition_id for entry in await work.find(StageEntry)] == [None]


async def test_history_is_judged_by_what_was_in_force_then() -> None:
    lead = a_lead(score=30, since=NOON - 20 * DAY)
    old = a_definition(criterion={"score": {"gte": 20}}, since=NOON - 30 * DAY)
    new = a_definition(number=2, since=NOON - DAY)
    work = a_work(lead, old, new)

    await enter_stage(work, MIA, lead, Stage.MQL, at=NOON - 10 * DAY)

    assert [entry.definition_id for entry in await work.find(StageEntry)] == [old.id]


@pytest.mark.parametrize("stage", [Stage.VISITOR, Stage.LEAD])
async def test_stages_move_forward_only(stage: Stage) -> None:
    lead = a_lead()
    work = a_work(lead)

    with pytest.raises(StageNotAhead):
        await enter_stage(work, MIA, lead, stage, at=NOON)

    assert (await work.find(Lead), work.events) == ([lead], [])


async def test_a_step_never_lies_before_the_last_one() -> None:
    lead = a_lead(since=NOON)
    work = a_work(lead)

    with pytest.raises(StageTooEarly) as refused:
        await enter_stage(work, MIA, lead, Stage.MQL, at=NOON - timedelta(minutes=2))

    assert refused.value.path == ("at",)
    assert await work.find(Lead) == [lead]


async def test_who_waited_for_anothers_change_steps_right_after_it() -> None:
    lead = a_lead(since=NOON)
    work = a_work(lead)

    moved = await enter_stage(work, MIA, lead, Stage.MQL, at=NOON - timedelta(seconds=5))

    assert moved.stage_entered_at == NOON


async def test_falling_back_gives_the_reason_and_counts_nothing() -> None:
    lead, definition = a_lead(Stage.MQL), a_definition(Stage.LEAD)
    work = a_work(lead, definition)

    moved = await fall_back(work, SAM, lead, Stage.LEAD, at=NOON, reason="no budget")

    assert moved.stage is Stage.LEAD
    [entry] = await work.find(StageEntry)
    assert (entry.previous, entry.reason, entry.definition_id) == (
        Stage.MQL,
        "no budget",
        definition.id,
    )
    assert work.counts == {}


async def test_nothing_falls_back_to_where_it_is() -> None:
    lead = a_lead()
    work = a_work(lead)

    with pytest.raises(StageNotBehind):
        await fall_back(work, SAM, lead, Stage.LEAD, at=NOON, reason="no budget")

    assert (await work.find(Lead), work.events) == ([lead], [])


# --- By rule

PROSPECT = a_definition(Stage.PROSPECT, {"country": {"isNull": False}})
LEAD = a_definition(Stage.LEAD, {"email": {"isNull": False}})
MQL = a_definition(Stage.MQL)
SAL = a_definition(Stage.SAL, {"score": {"gte": 0}})


@pytest.mark.parametrize(
    ("known", "stages"),
    [
        ({}, []),
        ({"score": 99, "email": "a@example.com"}, []),  # the next one is not met
        ({"country": "DE"}, [Stage.PROSPECT]),
        ({"country": "DE", "email": "a@example.com"}, [Stage.PROSPECT, Stage.LEAD]),
        (
            {"country": "DE", "email": "a@example.com", "score": 50},
            [Stage.PROSPECT, Stage.LEAD, Stage.MQL],  # and never SAL
        ),
    ],
)
async def test_a_lead_moves_on_while_it_meets_what_comes_next(
    known: dict[str, Any], stages: list[Stage]
) -> None:
    lead = a_lead(Stage.VISITOR, **known)
    work = a_work(lead, PROSPECT, LEAD, MQL, SAL)

    moved = await promote(work, MIA, lead, at=NOON)

    assert [entry.stage for entry in await work.find(StageEntry)] == stages
    assert moved.stage is (stages[-1] if stages else Stage.VISITOR)


async def test_stages_nobody_has_defined_are_passed_over() -> None:
    lead = a_lead(Stage.VISITOR, score=50)
    work = a_work(lead, MQL)

    assert (await promote(work, MIA, lead, at=NOON)).stage is Stage.MQL


async def test_nothing_beyond_mql_is_moved_by_rule() -> None:
    lead = a_lead(Stage.CUSTOMER, score=50)
    work = a_work(lead, MQL, SAL)

    assert await promote(work, MIA, lead, at=NOON) == lead
    assert work.events == []


@pytest.mark.parametrize(
    ("was", "now", "stage"),
    [
        (60, 70, Stage.LEAD),  # it met the criterion when it was sent back, and meets it still
        (40, 70, Stage.MQL),  # it meets the criterion anew
        (60, 40, Stage.LEAD),
    ],
)
async def test_what_sales_has_sent_back_qualifies_only_by_a_change(
    was: int, now: int, stage: Stage
) -> None:
    before = a_lead(Stage.LEAD, score=was)
    work = a_work(
        before,
        MQL,
        an_entry(before, Stage.MQL, previous=Stage.LEAD, at=NOON - 2 * DAY),
        an_entry(before, Stage.LEAD, previous=Stage.MQL, at=NOON - DAY),
    )
    lead = await work.save(replace(before, score=now))

    assert (await promote(work, MIA, lead, at=NOON, was=before)).stage is stage


async def test_what_was_never_sent_back_qualifies_at_its_next_change() -> None:
    before = a_lead(Stage.LEAD, score=60)
    work = a_work(before, MQL)
    lead = await work.save(replace(before, first_name="Ann"))

    assert (await promote(work, MIA, lead, at=NOON, was=before)).stage is Stage.MQL


# --- By hand


def an_entry(lead: Lead, stage: Stage, *, previous: Stage, at: datetime) -> StageEntry:
    return StageEntry(
        id=new_id(),
        lead_id=lead.id,
        stage=stage,
        previous=previous,
        entered_at=at,
        recorded_at=at,
    )


async def test_a_lead_is_advanced_by_hand_when_it_meets_the_criterion() -> None:
    lead = a_lead(Stage.SAL)
    work = a_work(lead, a_definition(Stage.SQL, {"score": {"gte": 0}}))

    moved = await advance_lead(work, SAM, lead.id, to=Stage.SQL, reason="needs it by May")

    assert (moved.stage, moved.stage_entered_at) == (Stage.SQL, NOON)


@pytest.mark.parametrize(
    ("stage", "to"),
    [
        (Stage.MQL, Stage.SAL),
        (Stage.LEAD, Stage.SAL),
        (Stage.MQL, Stage.SQL),
        (Stage.VISITOR, Stage.CUSTOMER),
    ],
)
async def test_what_sales_must_accept_is_not_reached_by_hand(stage: Stage, to: Stage) -> None:
    lead = a_lead(stage)
    work = a_work(lead)

    with pytest.raises(NeedsAcceptance):
        await advance_lead(work, SAM, lead.id, to=to)

    assert (await work.find(Lead), work.events) == ([lead], [])


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"at": NOON + HOUR}, ("at",)),
        ({"at": datetime(1969, 1, 1, tzinfo=UTC)}, ("at",)),
        ({"reason": "x" * 2001}, ("reason",)),
        ({"reason": "a\x00b"}, ("reason",)),
    ],
)
async def test_what_cannot_be_is_refused(change: dict[str, Any], path: tuple[str, ...]) -> None:
    lead = a_lead(Stage.SAL)
    work = a_work(lead)

    with pytest.raises(Invalid) as refused:
        await advance_lead(work, SAM, lead.id, to=Stage.SQL, **change)

    assert refused.value.path == path
    assert await work.find(Lead) == [lead]


async def test_an_analyst_moves_nothing() -> None:
    lead = a_lead(Stage.SAL)
    work = a_work(lead)

    with pytest.raises(PermissionDenied):
        await advance_lead(work, an_actor(Role.ANALYST), lead.id, to=Stage.SQL)

    assert await work.find(Lead) == [lead]


# --- Agreeing


async def propose(work: FakeWork, actor: Actor = MIA, **change: Any) -> StageDefinition:
    terms: dict[str, Any] = {
        "stage": Stage.MQL,
        "words": "  Asked for a demo. ",
        "owner_side": Side.MARKETING,
        "criterion": {"score": {"gte": 50}},
    }
    return await propose_definition(work, actor, **{**terms, **change})


async def test_a_proposal_is_signed_by_its_own_side_and_counts_with_the_other() -> None:
    work = a_work()

    proposed = await propose(work)
    before = await definitions_in_force(work, NOON)
    signed = await sign_definition(work, SAM, proposed.id)

    assert proposed == StageDefinition(
        id=proposed.id,
        stage=Stage.MQL,
        number=1,
        words="Asked for a demo.",
        owner_side=Side.MARKETING,
        criterion={"score": {"gte": 50}},
        effective_at=NOON,
        proposed_by=MIA.user_id,  # type: ignore[arg-type]  # Mia is a user
        proposed_at=NOON,
        marketing_signed_by=MIA.user_id,
        marketing_signed_at=NOON,
    )
    assert before == {}
    assert signed == replace(proposed, sales_signed_by=SAM.user_id, sales_signed_at=NOON, version=2)
    assert await definitions_in_force(work, NOON) == {Stage.MQL: signed}
    assert work.events == [
        DefinitionProposed(at=NOON, by=MIA.user_id, definition_id=signed.id),
        DefinitionSigned(at=NOON, by=SAM.user_id, definition_id=signed.id),
    ]


async def test_the_first_definition_may_judge_the_past() -> None:
    work = a_work()
    then = datetime(2017, 7, 1, tzinfo=UTC)

    proposed = await propose(work, effective_at=then)
    signed = await sign_definition(work, SAM, proposed.id)

    assert signed.effective_at == then


async def test_a_later_definition_never_judges_the_past() -> None:
    work = a_work(a_definition())

    with pytest.raises(Invalid) as refused:
        await propose(work, effective_at=NOON - timedelta(minutes=2))
    proposed = await propose(work, effective_at=NOON - timedelta(seconds=59))

    assert refused.value.path == ("effectiveAt",)
    assert (proposed.number, proposed.effective_at) == (2, NOON)


async def test_a_signature_that_comes_after_the_date_counts_from_then_on() -> None:
    late = NOON + 2 * DAY
    waiting = a_definition(number=2, since=NOON, signed=False)
    work = a_work(a_definition(), waiting, now=late)

    signed = await sign_definition(work, SAM, waiting.id)

    assert signed.effective_at == late


async def test_a_definition_signed_before_its_date_waits_for_it() -> None:
    waiting = a_definition(number=2, since=NOON + DAY, signed=False)
    work = a_work(a_definition(), waiting)

    signed = await sign_definition(work, SAM, waiting.id)

    assert signed.effective_at == NOON + DAY
    assert (await definitions_in_force(work, NOON))[Stage.MQL].number == 1


BOTH_SIDES = an_actor()


@pytest.mark.parametrize(
    ("actor", "side", "refusal"),
    [
        (an_actor(), None, WrongSide),  # in no team
        (MIA, Side.SALES, WrongSide),
        (BOTH_SIDES, None, SideNeeded),
        (an_actor(Role.MEMBER), None, PermissionDenied),
        (an_actor(key=True), None, PermissionDenied),
    ],
)
async def test_only_members_of_a_side_propose_for_it(
    actor: Actor, side: Side | None, refusal: type[DomainError]
) -> None:
    work = a_work(place(MARKETING, BOTH_SIDES), place(SALES, BOTH_SIDES))

    with pytest.raises(refusal):
        await propose(work, actor, side=side)

    assert (await work.find(StageDefinition), work.events) == ([], [])


async def test_who_is_in_both_sides_signs_for_one() -> None:
    work = a_work(place(MARKETING, BOTH_SIDES), place(SALES, BOTH_SIDES))

    proposed = await propose(work, BOTH_SIDES, side=Side.SALES)

    assert proposed.unsigned_sides == (Side.MARKETING,)
    with pytest.raises(SignedByProposer):
        await sign_definition(work, BOTH_SIDES, proposed.id)
    assert (await sign_definition(work, MIA, proposed.id)).signed_at == NOON


@pytest.mark.parametrize(
    ("definition", "actor", "refusal"),
    [
        (a_definition(), SAM, AlreadySigned),
        (a_definition(signed=False, withdrawn_at=NOON), SAM, NotAProposal),
        (a_definition(signed=False), MIA, WrongSide),
        (a_definition(signed=False), an_actor(), WrongSide),
        (a_definition(signed=False), an_actor(Role.MEMBER), PermissionDenied),
    ],
)
async def test_only_the_other_side_signs_and_only_once(
    definition: StageDefinition, actor: Actor, refusal: type[DomainError]
) -> None:
    work = a_work(definition)

    with pytest.raises(refusal):
        await sign_definition(work, actor, definition.id)

    assert (await work.find(StageDefinition), work.events) == ([definition], [])


@pytest.mark.parametrize("actor", [MIA, SAM])
async def test_a_proposal_waits_until_somebody_signs_or_withdraws_it(actor: Actor) -> None:
    waiting = a_definition(signed=False)
    work = a_work(waiting)

    with pytest.raises(ProposalPending):
        await propose(work)
    withdrawn = await withdraw_definition(work, actor, waiting.id)

    assert withdrawn == replace(waiting, withdrawn_at=NOON, version=2)
    assert work.events == [DefinitionWithdrawn(at=NOON, by=actor.user_id, definition_id=waiting.id)]
    assert (await propose(work)).number == 2


@pytest.mark.parametrize(
    ("definition", "actor", "refusal"),
    [
        (a_definition(), MIA, AlreadySigned),
        (a_definition(signed=False, withdrawn_at=NOON), MIA, NotAProposal),
        (a_definition(signed=False), an_actor(), WrongSide),
    ],
)
async def test_what_does_not_wait_cannot_be_withdrawn(
    definition: StageDefinition, actor: Actor, refusal: type[DomainError]
) -> None:
    work = a_work(definition)

    with pytest.raises(refusal):
        await withdraw_definition(work, actor, definition.id)

    assert (await work.find(StageDefinition), work.events) == ([definition], [])


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"words": " "}, ("words",)),
        ({"words": "x" * 2001}, ("words",)),
        ({"words": "a\x00b"}, ("words",)),
        ({"criterion": {}}, ("criterion",)),
        ({"criterion": {"skore": {"gte": 5}}}, ("criterion", "skore")),
        ({"criterion": {"score": {"gte": 10**30}}}, ("criterion", "score", "gte")),
        ({"effective_at": datetime(1969, 12, 31, tzinfo=UTC)}, ("effectiveAt",)),
    ],
)
async def test_a_proposal_that_cannot_be_is_refused(
    change: dict[str, Any], path: tuple[str, ...]
) -> None:
    work = a_work()

    with pytest.raises(Invalid) as refused:
        await propose(work, **change)

    assert refused.value.path == path
    assert (await work.find(StageDefinition), work.events) == ([], [])
