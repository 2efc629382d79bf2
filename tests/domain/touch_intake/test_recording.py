"""Touches come in, and visitors become people."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.beacons import Beacon, take_beacons
from domain.campaigns import Campaign, CampaignKind
from domain.consent import Consent, ConsentPurpose, ConsentStatus, LegalBasis
from domain.content import AssetKind, ContentAsset
from domain.errors import Invalid, NotFound, PermissionDenied
from domain.events import LeadTouched, VisitorIdentified
from domain.ids import new_id
from domain.lead_intake import TooManyRows
from domain.leads import Agency, ExternalId
from domain.touch_intake import (
    BadVisitor,
    TouchDetails,
    TouchesFollow,
    TouchesNamed,
    TouchInFuture,
    TouchOutcome,
    TrackingWithdrawn,
    Utm,
    WhoseTouch,
    identify_visitor,
    record_touch,
    record_touches,
)
from domain.touches import Channel, Touch, TouchKind, Visitor
from tests.domain.building_leads import ANALYST, MEMBER, NOON, a_lead, named, stored
from tests.fakes import FakeWork

TOKEN, OTHER_TOKEN = "visitor-0123456789", "visitor-9876543210"
VIEW, FORM = TouchKind.PAGE_VIEW, TouchKind.FORM
ANN, BEN = a_lead(email="ann@x.example"), a_lead(email="ben@x.example")


def a_work(*entities) -> FakeWork:
    work = FakeWork(NOON, ANN, BEN, *entities)

    async def follow(question: TouchesFollow) -> int:
        count = 0
        for visitor_id, lead_id in zip(question.visitor_ids, question.lead_ids, strict=True):
            for touch in await work.find(Touch, visitor_id=visitor_id, lead_id=None):
                await work.save(replace(touch, lead_id=lead_id))
                count += 1
        return count

    async def called(question: TouchesNamed) -> list[Touch]:
        return [
            touch
            for touch in await work.find(Touch)
            if ExternalId(touch.external_source or "", touch.external_value or "") in question.names
        ]

    work._answers.update({TouchesFollow: follow, TouchesNamed: called})
    return work


def a_campaign(code: str) -> Campaign:
    return Campaign(id=new_id(), name=code, kind=CampaignKind.EMAIL, code=code, created_at=NOON)


def an_asset(url: str) -> ContentAsset:
    return ContentAsset(
        id=new_id(), title="Guide", kind=AssetKind.ARTICLE, created_at=NOON, url=url
    )


def a_visitor(**said) -> Visitor:
    return Visitor(**{"id": new_id(), "token": TOKEN, "first_seen_at": NOON, **said})


async def view(work, *, token=TOKEN) -> Touch:
    return await record_touch(work, MEMBER, TouchDetails(kind=VIEW, visitor=token))


async def test_a_touch_is_kept_with_all_that_its_link_says():
    campaign, asset = a_campaign("spring"), an_asset("https://acme.example/guide")
    work = a_work(campaign, asset)
    link = "http://acme.example/guide/?utm_source=news&utm_medium=email&utm_campaign=spring#top"

    touch = await record_touch(
        work,
        MEMBER,
        TouchDetails(
            kind=VIEW,
            lead="ANN@x.example ",
            url=link,
            referrer="https://blog.example/?q=1",
            occurred_at=NOON - timedelta(hours=1),
            external=ExternalId("CRM", "1"),
        ),
    )

    assert touch == Touch(
        id=touch.id,
        kind=VIEW,
        channel=Channel.EMAIL,
        agency=Agency.HUMAN,
        occurred_at=NOON - timedelta(hours=1),
        recorded_at=NOON,
        lead_id=ANN.id,
        campaign_id=campaign.id,
        asset_id=asset.id,
        utm_source="news",
        utm_medium="email",
        utm_campaign="spring",
        url="https://acme.example/guide",
        referrer="https://blog.example/",
        external_source="crm",
        external_value="1",
    )
    assert stored(work, Touch) == [touch]
    assert work.events == [LeadTouched(at=NOON, lead_id=ANN.id, touches=1)]


@pytest.mark.parametrize(
    ("said", "refusal", "path"),
    [
        ({}, WhoseTouch, ("lead",)),
        ({"lead": ANN.id, "visitor": TOKEN}, WhoseTouch, ("visitor",)),
        ({"lead": new_id()}, NotFound, ("lead",)),
        ({"lead": "nobody@x.example"}, NotFound, ("lead",)),
        ({"lead": ExternalId("crm", "1")}, NotFound, ("lead",)),
        ({"visitor": "short"}, BadVisitor, ("visitor",)),
        ({"visitor": "x" * 65}, BadVisitor, ("visitor",)),
        ({"lead": ANN.id, "campaign": new_id()}, NotFound, ("campaign",)),
        ({"lead": ANN.id, "campaign": "unknown"}, NotFound, ("campaign",)),
        ({"lead": ANN.id, "asset": new_id()}, NotFound, ("asset",)),
        ({"lead": ANN.id, "asset": "https://x.example/no"}, NotFound, ("asset",)),
        ({"lead": ANN.id, "asset": "no address"}, Invalid, ("asset", "url")),
        ({"lead": ANN.id, "url": "no address"}, Invalid, ("url",)),
        ({"lead": ANN.id, "referrer": "no address"}, Invalid, ("referrer",)),
        ({"lead": ANN.id, "utm": Utm(term="x" * 201)}, Invalid, ("utm", "term")),
        (
            {"lead": ANN.id, "external": ExternalId("beacon", "1")},
            Invalid,
            ("externalId", "source"),
        ),
        (
            {"lead": ANN.id, "occurred_at": NOON + timedelta(minutes=5, seconds=1)},
            TouchInFuture,
            ("occurredAt",),
        ),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_written(said, refusal, path):
    work = a_work()
    with pytest.raises(refusal) as refused:
        await record_touch(work, MEMBER, TouchDetails(kind=VIEW, **said))
    assert (refused.value.path, refused.value.index) == (path, None)
    assert (stored(work, Touch), stored(work, Visitor), work.events) == ([], [], [])


async def test_a_clock_five_minutes_ahead_is_forgiven():
    ahead = TouchDetails(kind=VIEW, lead=ANN.id, occurred_at=NOON + timedelta(minutes=5))
    assert (await record_touch(a_work(), MEMBER, ahead)).occurred_at == NOON


async def test_a_touch_from_the_future_is_told_what_our_clock_says():
    ahead = TouchDetails(kind=VIEW, lead=ANN.id, occurred_at=NOON + timedelta(days=1))
    with pytest.raises(TouchInFuture) as refused:
        await record_touch(a_work(), MEMBER, ahead)
    assert refused.value.code == "TOUCH_IN_FUTURE"
    assert refused.value.message == (
        "This lies in the future: our clock says 2026-03-10T12:00:00Z, and another may be at most "
        "5 minutes ahead of it."
    )


async def test_whoever_may_not_edit_leads_may_not_tell_of_touches():
    with pytest.raises(PermissionDenied):
        await record_touch(a_work(), ANALYST, TouchDetails(kind=VIEW, lead=ANN.id))
    with pytest.raises(PermissionDenied):
        await record_touches(a_work(), ANALYST, [])
    with pytest.raises(PermissionDenied):
        await identify_visitor(a_work(), ANALYST, TOKEN, ANN.id)


async def test_a_touch_of_the_same_external_name_is_taken_once():
    work = a_work(named(ANN, "crm", "4711"))
    row = TouchDetails(
        kind=VIEW, lead=ExternalId("CRM", "4711"), external=ExternalId("mailer", "m1")
    )

    rows = await record_touches(work, MEMBER, [row, row])
    again = await record_touch(work, MEMBER, row)

    assert [each.outcome for each in rows] == [TouchOutcome.CREATED, TouchOutcome.DUPLICATE]
    assert rows[0].touch == rows[1].touch == again
    assert stored(work, Touch) == [again]
    assert work.events == [LeadTouched(at=NOON, lead_id=ANN.id, touches=1)]


async def test_touches_are_written_in_one_order_so_that_two_who_tell_the_same_never_deadlock(
    monkeypatch,
):
    work, written = a_work(), []

    async def add_all(entities) -> None:
        written.extend(each.external_value for each in entities if isinstance(each, Touch))

    monkeypatch.setattr(work, "add_all", add_all)
    names = ["c", "a", "b"]
    rows = [TouchDetails(kind=VIEW, lead=ANN.id, external=ExternalId("m", n)) for n in names]
    done = await record_touches(work, MEMBER, rows)

    assert written == ["a", "b", "c"]
    assert [row.touch.external_value for row in done] == names


async def test_a_bad_row_spoils_no_other_and_says_where_it_stands():
    work = a_work()
    rows = [
        TouchDetails(kind=VIEW, lead=ANN.id),
        TouchDetails(kind=VIEW, url="?", referrer="?"),
        Invalid("No id.", path=("lead", "id")),
        TouchDetails(kind=VIEW, lead=BEN.id),
    ]

    outcomes = await record_touches(work, MEMBER, rows)

    assert [(row.index, row.outcome) for row in outcomes] == [
        (0, TouchOutcome.CREATED),
        (1, TouchOutcome.REFUSED),
        (2, TouchOutcome.REFUSED),
        (3, TouchOutcome.CREATED),
    ]
    assert [[(e.index, e.path) for e in row.refusals] for row in outcomes[1:3]] == [
        [
            (1, ("rows", 1, "lead")),
            (1, ("rows", 1, "referrer")),
            (1, ("rows", 1, "url")),
        ],
        [(2, ("rows", 2, "lead", "id"))],
    ]
    assert [touch.lead_id for touch in stored(work, Touch)] == [ANN.id, BEN.id]


async def test_more_than_500_rows_are_refused():
    work = a_work()
    rows = [TouchDetails(kind=VIEW, lead=ANN.id)] * 501
    with pytest.raises(TooManyRows) as refused:
        await record_touches(work, MEMBER, rows)
    assert refused.value.path == ("rows",)
    assert stored(work, Touch) == []


async def test_what_a_visitor_did_before_becomes_the_persons():
    work = a_work()
    before = await view(work)
    assert before.lead_id is None

    visitor = await identify_visitor(work, MEMBER, TOKEN, "ann@x.example")
    after = await view(work)

    assert (visitor.lead_id, visitor.identified_at) == (ANN.id, NOON)
    assert [touch.lead_id for touch in stored(work, Touch)] == [ANN.id, ANN.id]
    assert after.visitor_id == before.visitor_id == visitor.id
    assert work.events == [
        VisitorIdentified(at=NOON, visitor_id=visitor.id, lead_id=ANN.id),
        LeadTouched(at=NOON, lead_id=ANN.id, touches=1),
    ]


async def test_on_a_shared_device_each_keeps_what_he_did():
    work = a_work()
    await view(work)
    await identify_visitor(work, MEMBER, TOKEN, ANN.id)
    await view(work)
    await identify_visitor(work, MEMBER, TOKEN, BEN.id)
    await view(work)

    assert [touch.lead_id for touch in stored(work, Touch)] == [ANN.id, ANN.id, BEN.id]


async def test_to_say_the_same_again_changes_nothing():
    work = a_work()
    visitor = await identify_visitor(work, MEMBER, TOKEN, ANN.id)
    told = list(work.events)

    assert await identify_visitor(work, MEMBER, TOKEN, ANN.id) == visitor
    assert work.events == told


async def test_a_person_confirmed_has_nothing_left_to_claim():
    claimed = a_visitor(claimed_email="ann@x.example", claimed_at=NOON)
    visitor = await identify_visitor(a_work(claimed), MEMBER, TOKEN, ANN.id)
    assert visitor == replace(
        claimed,
        lead_id=ANN.id,
        identified_at=NOON,
        claimed_email=None,
        claimed_at=None,
        version=2,
    )


async def test_a_form_says_whose_the_visitor_is_within_one_request_too():
    work = a_work()
    rows = [
        TouchDetails(kind=VIEW, visitor=TOKEN),
        TouchDetails(kind=VIEW, visitor=OTHER_TOKEN),
        TouchDetails(kind=FORM, visitor=TOKEN, lead="ann@x.example"),
        TouchDetails(kind=VIEW, visitor=TOKEN),
        TouchDetails(kind=FORM, visitor=TOKEN, lead="ben@x.example"),
        TouchDetails(kind=VIEW, visitor=TOKEN),
    ]

    outcomes = await record_touches(work, MEMBER, rows)

    leads = [ANN.id, None, ANN.id, ANN.id, BEN.id, BEN.id]
    assert [row.touch and row.touch.lead_id for row in outcomes] == leads
    assert [row.touch for row in outcomes] == stored(work, Touch)
    assert {v.token: v.lead_id for v in stored(work, Visitor)} == {
        TOKEN: BEN.id,
        OTHER_TOKEN: None,
    }


async def test_a_form_from_a_known_browser_brings_its_earlier_touches_along():
    work = a_work(a_visitor())
    await view(work)

    await record_touch(work, MEMBER, TouchDetails(kind=FORM, visitor=TOKEN, lead=ANN.id))

    assert [touch.lead_id for touch in stored(work, Touch)] == [ANN.id, ANN.id]


async def test_an_unknown_lead_is_not_made_by_telling_whose_browser_it_is():
    work = a_work()
    with pytest.raises(NotFound) as refused:
        await identify_visitor(work, MEMBER, TOKEN, "nobody@x.example")
    assert refused.value.path == ("lead",)
    assert stored(work, Visitor) == []
    with pytest.raises(BadVisitor):
        await identify_visitor(work, MEMBER, "no token", ANN.id)


def says(status: ConsentStatus, *, hours_ago: int = 0) -> Consent:
    at = NOON - timedelta(hours=hours_ago)
    return Consent(
        id=new_id(),
        lead_id=ANN.id,
        purpose=ConsentPurpose.TRACKING,
        status=status,
        basis=LegalBasis.CONSENT,
        source="form",
        occurred_at=at,
        recorded_at=at,
    )


async def test_nobody_is_tracked_who_does_not_wish_it():
    known = a_visitor(lead_id=ANN.id, identified_at=NOON)
    work = a_work(known, says(ConsentStatus.GRANTED, hours_ago=1), says(ConsentStatus.WITHDRAWN))
    rows = [
        TouchDetails(kind=VIEW, lead=ANN.id),
        TouchDetails(kind=VIEW, visitor=TOKEN),
        TouchDetails(kind=FORM, visitor=OTHER_TOKEN, lead=ANN.id),
        TouchDetails(kind=VIEW, lead=BEN.id),
    ]

    outcomes = await record_touches(work, MEMBER, rows)

    codes = [[refusal.code for refusal in row.refusals] for row in outcomes]
    assert codes == [["TRACKING_WITHDRAWN"]] * 3 + [[]]
    assert [touch.lead_id for touch in stored(work, Touch)] == [BEN.id]
    with pytest.raises(TrackingWithdrawn):
        await identify_visitor(work, MEMBER, OTHER_TOKEN, ANN.id)
    assert stored(work, Visitor) == [known]


async def test_nor_is_it_kept_whom_a_page_says_their_browser_is():
    visitor = a_visitor(lead_id=ANN.id, identified_at=NOON)
    work = a_work(visitor, says(ConsentStatus.WITHDRAWN))

    await take_beacons(work, MEMBER, [Beacon(visitor=TOKEN, email="ben@x.example")])

    assert stored(work, Visitor) == [visitor]


async def test_who_has_agreed_again_is_tracked_again():
    work = a_work(says(ConsentStatus.WITHDRAWN, hours_ago=1), says(ConsentStatus.GRANTED))
    await record_touch(work, MEMBER, TouchDetails(kind=VIEW, lead=ANN.id))
    assert [touch.lead_id for touch in stored(work, Touch)] == [ANN.id]
