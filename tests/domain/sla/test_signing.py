"""Coming to an agreement, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from domain.errors import DomainError, NotFound, PermissionDenied, Refusals
from domain.events import SlaProposed, SlaSigned, SlaWithdrawn
from domain.handoff import WrongTeam
from domain.identity import ROLE_PERMISSIONS, Role, Team
from domain.sla.agreeing import agreement_in_force, commitments_of
from domain.sla.agreement import Commitment, Sla
from domain.sla.calendar import UnknownTimeZone
from domain.sla.signing import (
    AlreadySigned,
    BadEffectiveDate,
    CalendarNeeded,
    NotAProposal,
    SideNeeded,
    SignedByProposer,
    SlaOverlaps,
    WrongSide,
    countersign,
    propose,
    withdraw,
)
from domain.stages import Side
from domain.values import PeriodKind
from tests.domain.sla.signing_scene import APRIL_1, MARCH_1, NOW, TERMS, Scene, make_scene


@pytest.fixture
def scene() -> Scene:
    return make_scene()


async def test_a_proposal_is_signed_by_its_side(scene):
    sla = await propose(scene.work, scene.mia, scene.proposal(name=" March "))

    assert sla == Sla(
        id=sla.id,
        series_id=sla.id,
        number=1,
        name="March",
        period_kind=PeriodKind.MONTH,
        starts_on=date(2026, 3, 1),
        ends_on=date(2026, 4, 1),
        time_zone="UTC",
        calendar_id=scene.calendar.id,
        currency="EUR",
        marketing_team_id=scene.marketing.id,
        sales_team_id=scene.sales.id,
        effective_at=MARCH_1,
        proposed_side=Side.MARKETING,
        proposed_by=scene.mia.user_id,
        proposed_at=NOW,
        marketing_signed_by=scene.mia.user_id,
        marketing_signed_at=NOW,
    )
    assert [c.name for c in await commitments_of(scene.work, sla.id)] == ["MQLs", "Call"]
    assert scene.work.events == [SlaProposed(at=NOW, by=scene.mia.user_id, sla_id=sla.id)]


async def test_the_other_side_makes_it_count(scene):
    proposal = await propose(scene.work, scene.mia, scene.proposal())
    force = {"sales_team_id": scene.sales.id, "marketing_team_id": scene.marketing.id, "at": NOW}
    assert await agreement_in_force(scene.work, **force) is None

    sla = await countersign(scene.work, scene.sam, proposal.id)

    assert sla == replace(
        proposal, sales_signed_by=scene.sam.user_id, sales_signed_at=NOW, version=2
    )
    assert scene.work.events[-1] == SlaSigned(at=NOW, by=scene.sam.user_id, sla_id=sla.id)
    assert await agreement_in_force(scene.work, **force) == (
        sla,
        await commitments_of(scene.work, sla.id),
    )


async def test_a_period_of_the_past_can_be_agreed_on(scene):
    sla = await scene.signed(starts_on=date(2017, 7, 1))

    assert sla.effective_at == datetime(2017, 7, 1, tzinfo=UTC)


async def test_who_is_in_both_sides_signs_for_one_of_them(scene):
    with pytest.raises(SideNeeded):
        await propose(scene.work, scene.bo, scene.proposal())
    sla = await propose(scene.work, scene.bo, scene.proposal(side=Side.SALES))

    with pytest.raises(SignedByProposer):
        await countersign(scene.work, scene.bo, sla.id)

    assert await scene.stored() == [sla]
    assert sla.sales_signed_by == scene.bo.user_id
    assert (await countersign(scene.work, scene.mia, sla.id)).signed_at == NOW


@pytest.mark.parametrize(
    ("change", "refusal", "path"),
    [
        ({"side": Side.SALES}, WrongSide, ("side",)),
        ({"time_zone": "Mars/Olympus"}, UnknownTimeZone, ("timeZone",)),
        ({"marketing_team_id": uuid4()}, NotFound, ("marketingTeam",)),
        ({"sales_team_id": uuid4()}, NotFound, ("salesTeam",)),
        ({"calendar_id": uuid4()}, NotFound, ("calendar",)),
        ({"starts_on": date(2026, 3, 2)}, DomainError, ("period", "startsOn")),
        ({"starts_on": date(9999, 12, 1)}, DomainError, ("period", "startsOn")),
        ({"starts_on": date(1, 1, 1)}, DomainError, ("period", "startsOn")),
        (
            {"period_kind": PeriodKind.CUSTOM, "ends_on": date(2026, 2, 1)},
            DomainError,
            ("period", "endsOn"),
        ),
        (
            {"period_kind": PeriodKind.CUSTOM, "ends_on": date(2027, 3, 3)},
            DomainError,
            ("period", "endsOn"),
        ),
        ({"effective_at": MARCH_1 - timedelta(minutes=1)}, BadEffectiveDate, ("effectiveAt",)),
        ({"effective_at": APRIL_1}, BadEffectiveDate, ("effectiveAt",)),
        ({"ahead_band": Decimal("-0.1")}, DomainError, ("aheadBand",)),
        ({"at_risk_band": Decimal(0)}, DomainError, ("atRiskBand",)),
        ({"name": "\0"}, DomainError, ("name",)),
        ({"commitments": ()}, Refusals, ()),
        (
            {"commitments": (replace(TERMS[0], persona_id=uuid4()), TERMS[1])},
            NotFound,
            ("commitments", 0, "delivery", "persona"),
        ),
    ],
)
async def test_a_bad_proposal_is_refused_and_nothing_is_stored(scene, change, refusal, path):
    with pytest.raises(refusal) as refused:
        await propose(scene.work, scene.mia, scene.proposal(**change))

    assert refused.value.path == path
    assert (await scene.stored(), await scene.work.find(Commitment)) == ([], [])
    assert scene.work.events == []


async def test_each_team_is_of_its_side(scene):
    with pytest.raises(WrongTeam) as refused:
        await propose(scene.work, scene.mia, scene.proposal(marketing_team_id=scene.sales.id))
    assert refused.value.path == ("marketingTeam",)


async def test_without_any_calendar_one_must_be_named(scene):
    scene.work._stored[Team, scene.sales.id] = replace(scene.sales, calendar_id=None)

    with pytest.raises(CalendarNeeded):
        await propose(scene.work, scene.mia, scene.proposal())

    sla = await propose(scene.work, scene.mia, scene.proposal(calendar_id=scene.calendar.id))
    assert sla.calendar_id == scene.calendar.id


async def test_only_people_of_a_team_sign(scene):
    stranger = replace(scene.mia, user_id=uuid4())
    key = replace(scene.mia, user_id=None)
    member = replace(scene.mia, permissions=ROLE_PERMISSIONS[Role.MEMBER])

    with pytest.raises(WrongSide):
        await propose(scene.work, stranger, scene.proposal())
    for actor in (key, member):
        with pytest.raises(PermissionDenied):
            await propose(scene.work, actor, scene.proposal())

    assert await scene.stored() == []


async def test_nobody_signs_twice_or_for_the_wrong_side(scene):
    sla = await propose(scene.work, scene.sam, scene.proposal())
    with pytest.raises(WrongSide):
        await countersign(scene.work, scene.sam, sla.id)
    sla = await countersign(scene.work, scene.mia, sla.id)
    events = [*scene.work.events]

    with pytest.raises(AlreadySigned):
        await countersign(scene.work, scene.mia, sla.id)

    assert (await scene.stored(), scene.work.events) == ([sla], events)


async def test_a_proposal_can_be_withdrawn_by_its_side_and_is_dead_then(scene):
    sla = await propose(scene.work, scene.mia, scene.proposal())
    with pytest.raises(WrongSide):
        await withdraw(scene.work, scene.sam, sla.id)

    withdrawn = await withdraw(scene.work, scene.mia, sla.id)

    assert withdrawn == replace(sla, withdrawn_at=NOW, version=2)
    assert scene.work.events[-1] == SlaWithdrawn(at=NOW, by=scene.mia.user_id, sla_id=sla.id)
    with pytest.raises(NotAProposal):
        await countersign(scene.work, scene.sam, sla.id)
    with pytest.raises(NotAProposal):
        await withdraw(scene.work, scene.mia, sla.id)


async def test_what_is_signed_cannot_be_withdrawn(scene):
    sla = await scene.signed()

    with pytest.raises(NotAProposal):
        await withdraw(scene.work, scene.mia, sla.id)

    assert await scene.stored() == [sla]


async def test_two_agreements_of_the_same_teams_share_no_day(scene):
    rival = await propose(scene.work, scene.mia, scene.proposal(name="Rival"))
    await scene.signed()
    days = {"period_kind": PeriodKind.CUSTOM, "starts_on": date(2026, 3, 31)}

    with pytest.raises(SlaOverlaps) as proposing:
        await propose(scene.work, scene.mia, scene.proposal(ends_on=date(2026, 4, 2), **days))
    with pytest.raises(SlaOverlaps) as signing:
        await countersign(scene.work, scene.sam, rival.id)

    assert (proposing.value.path, signing.value.path) == (("period",), ("sla",))
    assert (await scene.work.get(Sla, rival.id)).signed_at is None
    assert (await scene.signed(starts_on=date(2026, 4, 1))).signed_at == NOW
