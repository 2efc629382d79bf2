"""How leads come in, one at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.errors import Invalid, NotFound, PermissionDenied
from domain.events import ActivityLogged, LeadCreated, LeadEnteredStage, LeadUpdated
from domain.goals.targets import EVERYBODY, MetricTally
from domain.handoff import Handoff
from domain.identity import Permission
from domain.ids import new_id
from domain.lead_details import LeadDetails, NamedCompany
from domain.lead_intake import (
    HandedOff,
    create_lead,
    log_activity,
    resolve_lead,
    update_lead,
    upsert_leads,
)
from domain.leads import (
    Activity,
    ActivityKind,
    Agency,
    Company,
    DuplicateLead,
    ExternalId,
    Lead,
    LeadExternalId,
    StaleLead,
)
from domain.lifecycle import StageEntry
from domain.stages import Stage
from tests.domain.building_leads import (
    ANALYST,
    MANAGER,
    MEMBER,
    NOON,
    SEEN,
    USER,
    a_definition,
    a_lead,
    a_persona,
    a_user,
    a_work,
    named,
    stored,
)


async def test_a_new_lead_starts_as_a_visitor_on_the_day_it_was_first_seen():
    work = await a_work()

    lead = await create_lead(
        work,
        MEMBER,
        LeadDetails(
            email="Ada@x.example",
            company=NamedCompany("Engines", "engines.example"),
            external_ids=(ExternalId("crm", "1"),),
            created_at=SEEN,
        ),
    )

    [company] = stored(work, Company)
    assert lead == Lead(
        id=lead.id,
        stage=Stage.VISITOR,
        stage_entered_at=SEEN,
        created_at=SEEN,
        updated_at=NOON,
        email="ada@x.example",
        company_id=company.id,
    )
    assert stored(work, Lead) == [lead]
    assert (company.name, company.domain) == ("Engines", "engines.example")
    assert [(n.lead_id, n.source, n.value) for n in stored(work, LeadExternalId)] == [
        (lead.id, "crm", "1")
    ]
    [entry] = stored(work, StageEntry)
    assert (entry.stage, entry.previous, entry.entered_at, entry.recorded_at, entry.by) == (
        Stage.VISITOR,
        None,
        SEEN,
        NOON,
        USER,
    )
    assert work.events == [LeadCreated(at=SEEN, lead_id=lead.id)]
    # 23:30 in UTC is the next day in Berlin.
    key = (("metric", "LEADS_CREATED"), ("team_id", EVERYBODY))
    assert work.counts == {(MetricTally, date(2018, 2, 27), key): {"amount": 1}}


async def test_a_lead_enters_the_stages_it_meets_when_it_was_seen_and_those_it_meets_now():
    then = a_definition(Stage.PROSPECT, {"score": {"gte": 1}}, SEEN - timedelta(days=1))
    since = a_definition(Stage.LEAD, {"score": {"gte": 5}}, SEEN + timedelta(days=1))
    work = await a_work(then, since)

    lead = await create_lead(work, MEMBER, LeadDetails(score=5, created_at=SEEN))

    assert (lead.stage, lead.stage_entered_at, lead.version) == (Stage.LEAD, NOON, 1)
    assert [
        (entry.stage, entry.previous, entry.entered_at, entry.definition_id)
        for entry in stored(work, StageEntry)
    ] == [
        (Stage.VISITOR, None, SEEN, None),
        (Stage.PROSPECT, Stage.VISITOR, SEEN, then.id),
        (Stage.LEAD, Stage.PROSPECT, NOON, since.id),
    ]
    assert [event.at for event in work.events if isinstance(event, LeadEnteredStage)] == [
        SEEN,
        NOON,
    ]


async def test_an_import_can_leave_the_stages_to_itself():
    always = a_definition(Stage.PROSPECT, {"score": {"gte": 0}}, SEEN - timedelta(days=1))
    work = await a_work(always)

    lead = await create_lead(work, MEMBER, LeadDetails(created_at=SEEN), judge=False)

    assert lead.stage is Stage.VISITOR


async def test_a_lead_belongs_to_the_first_persona_that_fits():
    second = a_persona(2, {"jobTitle": {"contains": "chief"}})
    first = a_persona(1, {"country": {"eq": "IE"}})
    work = await a_work(second, first)

    lead = await create_lead(work, MEMBER, LeadDetails(job_title="Chief of All"))
    moved = await update_lead(work, MEMBER, lead.id, LeadDetails(country="IE"))
    gone = await update_lead(work, MEMBER, lead.id, LeadDetails(country=None, job_title=None))

    assert [lead.persona_id, moved.persona_id, gone.persona_id] == [second.id, first.id, None]


@pytest.mark.parametrize(
    ("details", "path"),
    [
        (LeadDetails(email="ADA@x.example"), ("email",)),
        (
            LeadDetails(external_ids=(ExternalId("crm", "2"), ExternalId("crm", "1"))),
            ("externalIds",),
        ),
    ],
)
async def test_an_exact_duplicate_is_refused_with_the_lead_there_is(details, path):
    ada = a_lead(email="ada@x.example")
    work = await a_work(ada, named(ada, "crm", "1"))
    before = dict(work._stored)

    with pytest.raises(DuplicateLead) as refusal:
        await create_lead(work, MEMBER, details)

    assert (refusal.value.existing, refusal.value.path) == (ada, path)
    assert (work._stored, work.events, work.counts) == (before, [], {})


@pytest.mark.parametrize("key", ["id", ExternalId(" CRM ", "1"), " ADA@x.example "])
async def test_a_lead_is_told_by_id_external_id_or_address(key):
    ada = a_lead(email="ada@x.example")
    work = await a_work(ada, named(ada, "crm", "1"))

    assert await resolve_lead(work, ada.id if key == "id" else key) == ada


async def test_a_lead_of_a_long_address_is_found_by_it():
    ada = a_lead(email=f"{'a' * 64}@{'long-name.' * 18}example")

    assert await resolve_lead(await a_work(ada), ada.email) == ada


@pytest.mark.parametrize("key", [new_id(), ExternalId("crm", "2"), "bob@x.example", ""])
async def test_a_lead_nobody_knows_is_not_found(key):
    with pytest.raises(NotFound) as refusal:
        await resolve_lead(await a_work(a_lead()), key, path=("ref",))

    assert (refusal.value.message, refusal.value.path) == ("There is no such lead.", ("ref",))


async def test_an_update_changes_what_is_said_and_nothing_else():
    ada = a_lead(email="ada@x.example", first_name="Ada", score=5)
    work = await a_work(ada)

    lead = await update_lead(
        work,
        MEMBER,
        ada.id,
        LeadDetails(score=6, first_name=None, external_ids=(ExternalId("crm", "1"),)),
        version=1,
    )

    assert lead == replace(ada, score=6, first_name=None, updated_at=NOON, version=2)
    assert stored(work, Lead) == [lead]
    assert work.events == [LeadUpdated(at=NOON, lead_id=ada.id)]
    assert [name.value for name in stored(work, LeadExternalId)] == ["1"]


async def test_an_update_that_says_nothing_new_does_nothing():
    ada = a_lead(email="ada@x.example", score=5)
    work = await a_work(ada, named(ada, "crm", "1"))

    lead = await update_lead(
        work,
        MEMBER,
        ada.id,
        LeadDetails(score=5, email="Ada@x.example", external_ids=(ExternalId("crm", "1"),)),
    )

    assert (lead, work.events) == (ada, [])


async def test_an_update_of_another_version_gets_the_current_lead():
    ada = a_lead(version=3)
    work = await a_work(ada)

    with pytest.raises(StaleLead) as refusal:
        await update_lead(work, MEMBER, ada.id, LeadDetails(score=1), version=2)

    assert (refusal.value.current, stored(work, Lead), work.events) == (ada, [ada], [])


async def test_an_address_of_another_lead_cannot_be_taken_over():
    ada, bob = a_lead(email="ada@x.example"), a_lead(email="bob@x.example")
    work = await a_work(ada, bob)

    with pytest.raises(DuplicateLead) as refusal:
        await update_lead(work, MEMBER, ada.id, LeadDetails(email="bob@x.example"))

    assert (refusal.value.existing, stored(work, Lead)) == (bob, [ada, bob])


async def test_an_owner_is_an_active_user_of_the_tenant():
    gone = a_user(active=False)
    work = await a_work(gone)

    with pytest.raises(NotFound):
        await create_lead(work, MEMBER, LeadDetails(owner_id=new_id()))
    with pytest.raises(Invalid, match="no longer active"):
        await create_lead(work, MEMBER, LeadDetails(owner_id=gone.id))

    assert stored(work, Lead) == []


async def test_an_owner_can_be_told_by_e_mail_address():
    rita = a_user(email="rita@x.example")
    work = await a_work(rita)

    lead = await create_lead(work, MEMBER, LeadDetails(owner_email=" Rita@X.example"))
    with pytest.raises(NotFound) as refusal:
        await create_lead(work, MEMBER, LeadDetails(owner_email="nobody@x.example"))

    assert lead.owner_id == rita.id
    assert refusal.value.path == ("owner",)
    assert stored(work, Lead) == [lead]


async def test_taking_a_lead_from_somebody_needs_leave():
    rita, sam = a_user(), a_user()
    free, taken = a_lead(), a_lead(owner_id=rita.id)
    work = await a_work(rita, sam, free, taken)
    to_sam = LeadDetails(owner_id=sam.id)

    assert (await update_lead(work, MEMBER, free.id, to_sam)).owner_id == sam.id
    with pytest.raises(PermissionDenied):
        await update_lead(work, MEMBER, taken.id, to_sam)
    assert await work.get(Lead, taken.id) == taken
    assert (await update_lead(work, MANAGER, taken.id, to_sam)).owner_id == sam.id


async def test_a_lead_on_its_way_to_sales_changes_owner_by_reassignment_only():
    rita, lead = a_user(), a_lead()
    handoff = Handoff(
        id=new_id(),
        lead_id=lead.id,
        from_team_id=new_id(),
        to_team_id=new_id(),
        score=0,
        handed_off_at=NOON,
        recorded_at=NOON,
    )
    work = await a_work(rita, lead, handoff)

    with pytest.raises(HandedOff):
        await update_lead(work, MANAGER, lead.id, LeadDetails(owner_id=rita.id))

    assert stored(work, Lead) == [lead]


async def test_who_may_only_look_may_not_write():
    ada = a_lead()
    work = await a_work(ada)

    for writing in (
        lambda: create_lead(work, ANALYST, LeadDetails()),
        lambda: update_lead(work, ANALYST, ada.id, LeadDetails(score=1)),
        lambda: upsert_leads(work, ANALYST, [LeadDetails(email="a@x.example")]),
        lambda: log_activity(work, ANALYST, ada.id, kind=ActivityKind.CALL),
    ):
        with pytest.raises(PermissionDenied):
            await writing()

    assert (stored(work, Lead), stored(work, Activity), work.events) == ([ada], [], [])
    assert Permission.EDIT_LEADS not in ANALYST.permissions


async def test_an_activity_keeps_who_did_what_when():
    ada = a_lead()
    work = await a_work(ada)
    yesterday = NOON - timedelta(days=1)

    activity = await log_activity(
        work,
        MEMBER,
        ada.id,
        kind=ActivityKind.CALL,
        answered=True,
        occurred_at=yesterday,
        text=" Rang. ",
    )

    assert activity == Activity(
        id=activity.id,
        lead_id=ada.id,
        kind=ActivityKind.CALL,
        agency=Agency.HUMAN,
        answered=True,
        user_id=USER,
        occurred_at=yesterday,
        recorded_at=NOON,
        text="Rang.",
    )
    assert stored(work, Activity) == [activity]
    assert work.events == [ActivityLogged(at=yesterday, lead_id=ada.id, activity_id=activity.id)]


async def test_what_software_did_is_nobodys():
    ada = a_lead()
    activity = await log_activity(
        await a_work(ada), MEMBER, ada.id, kind=ActivityKind.EMAIL, agency=Agency.AUTOMATIC
    )

    assert (activity.user_id, activity.occurred_at) == (None, NOON)


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ({"occurred_at": NOON + timedelta(minutes=6)}, ("occurredAt",)),
        ({"occurred_at": datetime(1969, 12, 31, tzinfo=UTC)}, ("occurredAt",)),
        ({"text": "a" * 10_001}, ("text",)),
        ({"text": "a\x00"}, ("text",)),
        ({"kind": ActivityKind.NOTE}, ("text",)),
        ({"kind": ActivityKind.NOTE, "text": "x", "answered": True}, ("answered",)),
    ],
)
async def test_an_activity_that_cannot_have_been_is_refused(said, path):
    ada = a_lead()
    work = await a_work(ada)

    with pytest.raises(Invalid) as refusal:
        await log_activity(work, MEMBER, ada.id, **{"kind": ActivityKind.CALL, **said})

    assert refusal.value.path == path
    assert (stored(work, Activity), work.events) == ([], [])
