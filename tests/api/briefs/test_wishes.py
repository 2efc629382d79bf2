"""A brief never leads to somebody who does not wish it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain import handoff_flow
from domain.briefs import HandoffBrief
from domain.consent import ConsentPurpose, ConsentStatus, LegalBasis
from domain.consenting import record_consent
from domain.leads import Lead
from tests.api.briefs.knowing import a_known_lead, brief_of, frozen
from tests.world import World


async def test_who_has_asked_to_be_left_alone_since_is_called_by_no_old_brief(
    world: World,
) -> None:
    lead = await a_known_lead(world)
    async with world.work() as work:
        handoff = await handoff_flow.hand_off(
            work, world.actor(world.marketer), lead.id, owner_id=world.rep.id
        )
    before = await frozen(world, handoff.id)
    assert before is not None
    async with world.work() as work:
        now = await work.get(Lead, lead.id)
        told = {"do_not_contact_at": world.now, "do_not_contact_reason": "Asked to."}
        await work.save(replace(now, do_not_contact=True, **told))
    alone = {"doNotContact": True, "suggestion": None, "opener": None}
    alone |= {"mayBeCalled": False, "mayBeWrittenTo": False}
    assert await frozen(world, handoff.id) == {**before, **alone}
    async with world.work() as work:
        now = await work.get(Lead, lead.id)
        told = {"do_not_contact_at": None, "do_not_contact_reason": None}
        await work.save(replace(now, do_not_contact=False, **told))
    assert await frozen(world, handoff.id) == before


async def wishes(world: World, lead: Lead, purpose: ConsentPurpose, status: ConsentStatus) -> None:
    async with world.work() as work:
        await record_consent(
            work,
            world.actor(),
            lead.id,
            purpose=purpose,
            status=status,
            basis=LegalBasis.CONSENT,
            source="a call",
        )


@pytest.mark.parametrize(
    ("purpose", "said"),
    [
        (
            ConsentPurpose.PHONE,
            {"mayBeCalled": False, "phoneWithdrawnAt": "2026-03-10T12:00:00Z", "opener": None},
        ),
        (
            ConsentPurpose.EMAIL,
            {
                "mayBeWrittenTo": False,
                "emailWithdrawnAt": "2026-03-10T12:00:00Z",
                "suggestion": None,
            },
        ),
        (ConsentPurpose.TRACKING, {}),
    ],
)
async def test_who_does_not_wish_to_be_called_or_written_to_is_seen_in_a_brief(
    world: World, purpose: ConsentPurpose, said: dict[str, object]
) -> None:
    """Now, in what was kept before, and in what is kept from now on."""
    lead = await a_known_lead(world)
    before = await brief_of(world, lead)
    async with world.work() as work:
        old = await handoff_flow.hand_off(
            work, world.actor(world.marketer), lead.id, owner_id=world.rep.id
        )
    await wishes(world, lead, purpose, ConsentStatus.WITHDRAWN)

    assert await brief_of(world, lead) == {**before, **said}
    assert await frozen(world, old.id) == {**before, **said}
    async with world.work() as work:
        [kept] = await work.find(HandoffBrief)
    assert kept.brief is not None
    assert kept.brief.may_be_called
    assert kept.brief.may_be_written_to

    world.wait(hours=1)
    await wishes(world, lead, purpose, ConsentStatus.GRANTED)
    assert await frozen(world, old.id) == before


async def test_what_was_withdrawn_at_the_hand_off_is_kept_with_it(world: World) -> None:
    lead = await a_known_lead(world)
    await wishes(world, lead, ConsentPurpose.PHONE, ConsentStatus.WITHDRAWN)
    world.wait(hours=1)
    async with world.work() as work:
        handoff = await handoff_flow.hand_off(
            work, world.actor(world.marketer), lead.id, owner_id=world.rep.id
        )
    world.wait(hours=1)
    await wishes(world, lead, ConsentPurpose.PHONE, ConsentStatus.GRANTED)

    kept, now = await frozen(world, handoff.id), await brief_of(world, lead)
    assert kept is not None
    assert (kept["mayBeCalled"], kept["phoneWithdrawnAt"], kept["opener"]) == (
        False,
        "2026-03-10T12:00:00Z",
        None,
    )
    assert now["mayBeCalled"]


async def test_that_a_lead_wants_to_be_left_alone_comes_first_and_nothing_is_suggested(
    world: World,
) -> None:
    lead = await a_known_lead(world)
    async with world.work() as work:
        now = await work.get(Lead, lead.id)
        told = {"do_not_contact_at": world.now, "do_not_contact_reason": "Asked to."}
        await work.save(replace(now, do_not_contact=True, phone="+353123456", **told))
    brief = await brief_of(world, lead)
    assert next(iter(brief)) == "doNotContact"
    assert (brief["doNotContact"], brief["suggestion"], brief["opener"]) == (True, None, None)
    assert (brief["mayBeCalled"], brief["mayBeWrittenTo"]) == (False, False)
    assert brief["who"]["phone"] == "+353123456"
