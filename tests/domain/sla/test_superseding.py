"""The next version of an agreement, and what a late signature finds, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from domain.events import SlaSigned, SlaSuperseded
from domain.handoff import Handoff, HandoffCredit
from domain.ids import new_id
from domain.leads import Lead
from domain.sla.agreeing import commitments_of
from domain.sla.agreement import Sla
from domain.sla.clocks import SlaClock, SlaTally
from domain.sla.signing import (
    BadEffectiveDate,
    NotSupersedable,
    countersign,
    propose,
    supersede,
    withdraw,
)
from domain.stages import Side, Stage
from tests.domain.sla.signing_scene import APRIL_1, MARCH_1, NOW, TERMS, Scene, make_scene


@pytest.fixture
def scene() -> Scene:
    return make_scene()


async def test_the_next_version_takes_over_when_it_says(scene):
    old = await scene.signed()
    scene.judged.add(old.id)
    at = NOW + timedelta(days=5)
    terms = (replace(TERMS[0], target=120), TERMS[1])

    new = await supersede(
        scene.work, scene.sam, old.id, commitments=terms, effective_at=at, name="March, more"
    )

    assert new == replace(
        old,
        id=new.id,
        number=2,
        name="March, more",
        effective_at=at,
        proposed_side=Side.SALES,
        proposed_by=scene.sam.user_id,
        marketing_signed_by=None,
        marketing_signed_at=None,
        supersedes_id=old.id,
        version=1,
    )
    signed = await countersign(scene.work, scene.mia, new.id)
    ceased = await scene.work.get(Sla, old.id)
    assert ceased == replace(old, ceased_at=at, version=3)
    assert scene.work.events[-2:] == [
        SlaSuperseded(at=NOW, by=scene.mia.user_id, sla_id=old.id, next_sla_id=new.id),
        SlaSigned(at=NOW, by=scene.mia.user_id, sla_id=new.id),
    ]
    eve = at - timedelta(microseconds=1)
    assert [ceased.in_force(eve), signed.in_force(eve)] == [True, False]
    assert [ceased.in_force(at), signed.in_force(at)] == [False, True]


async def test_a_version_signed_late_takes_effect_when_it_is_signed(scene):
    old = await scene.signed()
    scene.judged.add(old.id)
    new = await supersede(scene.work, scene.sam, old.id, commitments=TERMS)
    assert new.effective_at == NOW
    scene.work.now = NOW + timedelta(days=1)

    signed = await countersign(scene.work, scene.mia, new.id)

    assert signed.effective_at == NOW + timedelta(days=1)
    assert (await scene.work.get(Sla, old.id)).ceased_at == NOW + timedelta(days=1)


async def test_a_version_signed_after_the_period_is_refused(scene):
    old = await scene.signed()
    scene.judged.add(old.id)
    new = await supersede(scene.work, scene.sam, old.id, commitments=TERMS)
    scene.work.now = APRIL_1

    with pytest.raises(BadEffectiveDate):
        await countersign(scene.work, scene.mia, new.id)

    assert await scene.work.get(Sla, old.id) == old


async def test_the_past_is_not_judged_anew(scene):
    old = await scene.signed()
    scene.judged.add(old.id)

    with pytest.raises(BadEffectiveDate):
        await supersede(
            scene.work,
            scene.sam,
            old.id,
            commitments=TERMS,
            effective_at=NOW - timedelta(minutes=1),
        )

    assert await scene.stored() == [old]


async def test_a_past_that_nothing_was_judged_by_may_be_set_right(scene):
    old = await scene.signed(starts_on=date(2017, 7, 1))
    effective_at = datetime(2017, 7, 1, tzinfo=UTC)

    new = await supersede(
        scene.work, scene.sam, old.id, commitments=TERMS, effective_at=effective_at
    )
    signed = await countersign(scene.work, scene.mia, new.id)

    assert signed.in_force(effective_at)
    assert not (await scene.work.get(Sla, old.id)).in_force(effective_at)


async def test_only_the_newest_signed_version_has_a_next_one(scene):
    proposal = await propose(scene.work, scene.mia, scene.proposal())
    with pytest.raises(NotSupersedable, match="Only a signed"):
        await supersede(scene.work, scene.sam, proposal.id, commitments=TERMS)
    old = await countersign(scene.work, scene.sam, proposal.id)
    new = await supersede(scene.work, scene.sam, old.id, commitments=TERMS)
    with pytest.raises(NotSupersedable, match="withdraw it first"):
        await supersede(scene.work, scene.sam, old.id, commitments=TERMS)
    await countersign(scene.work, scene.mia, new.id)
    with pytest.raises(NotSupersedable, match="newer version"):
        await supersede(scene.work, scene.sam, old.id, commitments=TERMS)

    assert len(await scene.stored()) == 2


async def test_a_withdrawn_version_makes_room_for_another(scene):
    old = await scene.signed()
    new = await supersede(scene.work, scene.sam, old.id, commitments=TERMS)
    await withdraw(scene.work, scene.sam, new.id)

    third = await supersede(scene.work, scene.sam, old.id, commitments=TERMS)

    assert third.number == 3
    assert (await countersign(scene.work, scene.mia, third.id)).supersedes_id == old.id


async def test_what_was_handed_off_before_the_signature_counts_as_delivered(scene):
    lead = Lead(id=uuid4(), stage=Stage.MQL, stage_entered_at=NOW, created_at=NOW, updated_at=NOW)
    scene.leads[lead.id] = lead
    early, before = (
        Handoff(
            id=new_id(),
            lead_id=lead.id,
            from_team_id=scene.marketing.id,
            to_team_id=scene.sales.id,
            score=0,
            handed_off_at=at,
            recorded_at=at,
        )
        for at in (MARCH_1 - timedelta(minutes=1), MARCH_1)
    )
    await scene.work.add_all([early, before])

    sla = await scene.signed()

    assert await scene.work.find(Handoff) == [early, replace(before, sla_id=sla.id, version=2)]
    delivery, _ = await commitments_of(scene.work, sla.id)
    assert await scene.work.find(SlaClock) == []
    assert [
        (c.handoff_id, c.commitment_id, c.on, c.units) for c in await scene.work.find(HandoffCredit)
    ] == [(before.id, delivery.id, date(2026, 3, 1), 1)]
    assert {key[:2]: by for key, by in scene.work.counts.items()} == {
        (SlaTally, date(2026, 3, 1)): {
            "delivered": 1,
            "clawed_back": 0,
            "handed_off": 1,
            "accepted": 0,
            "rejected": 0,
        }
    }


async def test_weekdays_are_learned_when_it_is_proposed(scene):
    monday = date(2026, 2, 2)
    scene.by_day = {
        monday + timedelta(days=day + 7 * week): 8 if day == 0 else 3
        for week in range(4)
        for day in range(5)
    }

    sla = await propose(
        scene.work,
        scene.mia,
        scene.proposal(commitments=(replace(TERMS[0], learn_weekdays=True), TERMS[1])),
    )

    delivery, _ = await commitments_of(scene.work, sla.id)
    # The mean is 4 a day; 4 Mondays of 8 and 4 average days more: (4 × 2 + 4) / 8.
    assert delivery.weekday_weights == (
        Decimal("1.5000"),
        *[Decimal("0.8750")] * 4,
        Decimal("1.0000"),
        Decimal("1.0000"),
    )
