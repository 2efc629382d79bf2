"""What a transaction's changes look like in the log."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from domain import handoff_flow, identity
from domain.audit import (
    AuditActorKind,
    AuditEffect,
    AuditEntry,
    Cause,
    digest_of,
    next_hash,
)
from domain.errors import StaleWrite
from domain.identity import ApiKey, Role, Team, TeamMember
from domain.ids import new_id, public
from domain.lead_details import LeadDetails
from domain.lead_intake import upsert_leads
from domain.leads import ExternalId, Lead
from domain.sla import keeping
from domain.sla.clocks import SlaClock
from infra.audit.trail import Trail, differences_of
from infra.rows import table_of
from tests.agreements import a_sla, add_mql, sign
from tests.infra.audit.reading_the_log import changes, entries, rename, writing
from tests.world import NOON, World


async def test_an_entry_says_who_what_when_and_from_where(world: World) -> None:
    session_id = new_id()
    await rename(world, world.sales, "West", session_id=session_id)

    (entry,) = await entries(world)
    *founding, before = await entries(world, action="system")
    assert entry == AuditEntry(
        id=entry.id,
        at=NOON,
        action="teamUpdate",
        actor_kind=AuditActorKind.USER,
        actor_id=world.owner.id,
        actor_name="Olive",
        session_id=session_id,
        request_id="r1",
        ip_address="192.0.2.7",
        user_agent="curl/8",
        effect=AuditEffect.CHANGED,
        subject_kind="Team",
        subject_id=world.sales.id,
        differences='[{"field":"name","before":"Sales","after":"West"}]',
        number=len(founding) + 2,
        previous_hash=before.hash,
        hash=next_hash(before.hash, entry.number, digest_of(world.tenant.id, entry)),
    )


async def test_what_is_new_is_told_by_what_it_holds(world: World) -> None:
    async with writing(world, action="teamCreate") as work:
        team = Team(
            id=new_id(),
            name="North",
            side=world.sales.side,
            created_at=NOON,
            calendar_id=world.calendar.id,
        )
        await work.add(team)

    told = {
        "name": (None, "North"),
        "side": (None, "SALES"),
        "createdAt": (None, "2026-03-10T12:00:00Z"),
        "calendarId": (None, public("Calendar", world.calendar.id)),
    }
    assert await changes(world) == [("ADDED", "Team", told)]


async def test_what_is_gone_is_told_by_what_it_held(world: World) -> None:
    async with world.work() as work:
        (member,) = await work.find(TeamMember, user_id=world.other_rep.id)
    async with writing(world, action="teamMemberRemove") as work:
        await identity.remove_team_member(work, world.actor(), member.id)

    told = {
        "teamId": (public("Team", world.sales.id), None),
        "userId": (public("User", world.other_rep.id), None),
        "createdAt": ("2026-03-10T12:00:00Z", None),
        "available": (True, None),
        "capacity": (member.capacity, None),
    }
    assert await changes(world) == [("REMOVED", "TeamMember", told)]


async def test_several_saves_in_one_transaction_are_one_change(world: World) -> None:
    async with writing(world) as work:
        team = await work.get(Team, world.sales.id)
        team = await work.save(replace(team, name="Between"))
        await work.save(replace(team, name="West"))

    assert await changes(world) == [("CHANGED", "Team", {"name": ("Sales", "West")})]


async def test_what_comes_to_nothing_is_not_told(world: World) -> None:
    async with writing(world) as work:
        team = await work.get(Team, world.sales.id)
        team = await work.save(replace(team, name="Between"))
        await work.save(replace(team, name="Sales"))
        (member,) = await work.find(TeamMember, user_id=world.rep.id)
        await work.save(replace(member, last_routed_at=NOON))
        fleeting = replace(member, id=new_id(), user_id=world.analyst.id, version=1)
        await work.add(fleeting)
        await work.delete(TeamMember, id=fleeting.id)

    assert await entries(world) == []


async def test_what_was_not_read_before_is_read_to_be_told(world: World) -> None:
    async with writing(world) as work:
        await work.save(replace(world.sales, name="West"))
    async with writing(world) as work:
        await work.save_all([replace(world.marketing, name="East")])

    assert await changes(world) == [
        ("CHANGED", "Team", {"name": ("Sales", "West")}),
        ("CHANGED", "Team", {"name": ("Marketing", "East")}),
    ]


async def test_a_copy_of_another_version_is_never_taken_for_what_was_there(world: World) -> None:
    """Read, then changed behind its back by a statement: the log says what the table said."""
    teams = table_of(Team)
    async with writing(world) as work:
        team = await work.get(Team, world.sales.id)
        await work.execute(
            sa.update(teams).where(teams.c.id == team.id).values(name="Behind", version=2)
        )
        await work.save(replace(team, name="West", version=2))

    assert await changes(world) == [("CHANGED", "Team", {"name": ("Behind", "West")})]


async def test_what_is_refused_is_not_told(world: World) -> None:
    async def save_stale() -> None:
        async with writing(world) as work:
            await work.save(replace(world.sales, name="West"))
            await work.save(replace(world.marketing, version=7))

    with pytest.raises(StaleWrite):
        await save_stale()

    assert await entries(world) == []


async def test_secrets_are_never_told(world: World) -> None:
    key = ApiKey(
        id=new_id(),
        name="CRM",
        role=Role.MEMBER,
        digest="0123456789abcdef",
        created_by=world.owner.id,
        created_at=NOON,
    )
    async with writing(world, action="apiKeyCreate") as work:
        await work.add(key)
    async with writing(world, action="apiKeyRevoke") as work:
        await work.save(replace(await work.get(ApiKey, key.id), revoked_at=NOON))

    added, revoked = await entries(world)
    assert key.digest not in added.differences + revoked.differences
    assert revoked.differences == (
        '[{"field":"revokedAt","before":null,"after":"2026-03-10T12:00:00Z"}]'
    )


async def test_what_was_done_without_changing_anything_can_be_noted(world: World) -> None:
    async with writing(world, action="signIn") as work:
        work.note(world.owner)

    (entry,) = await entries(world)
    assert (entry.effect, entry.subject_kind) == (AuditEffect.NOTED, "User")
    assert (entry.subject_id, entry.changes) == (world.owner.id, ())


# Leads, by people and by machines


ROWS = [
    LeadDetails(email="ada@example.com", external_ids=(ExternalId("crm", "1"),)),
    LeadDetails(email="bob@example.com", score=7),
]


async def test_leads_that_people_bring_are_told_with_their_other_names(world: World) -> None:
    async with writing(world, action="leadsUpsert") as work:
        await upsert_leads(work, world.actor(), ROWS)
    async with writing(world, action="leadsUpsert") as work:
        changed = [LeadDetails(email="ada@example.com", score=5), ROWS[1]]
        await upsert_leads(work, world.actor(), changed)

    found = await changes(world)
    name = {"source": "crm", "value": "1", "createdAt": "2026-03-10T12:00:00Z"}
    assert [(effect, kind) for effect, kind, _ in found] == [
        ("ADDED", "Lead"),
        ("ADDED", "Lead"),
        ("CHANGED", "Lead"),
    ]
    assert found[0][2]["email"] == (None, "ada@example.com")
    assert found[0][2]["leadExternalId"][1].items() >= name.items()
    assert found[2][2] == {"score": (0, 5)}


async def test_what_the_system_does_to_leads_by_itself_is_left_to_the_event_log(
    world: World,
) -> None:
    async with world.database.work(world.tenant.id, cause=Cause(action="import")) as work:
        await upsert_leads(work, world.actor(), ROWS)
        await work.save(replace(await work.get(Team, world.sales.id), name="West"))

    assert await changes(world, action="import") == [
        ("CHANGED", "Team", {"name": ("Sales", "West")})
    ]


async def test_a_hand_off_is_told_once_however_often_it_was_saved(world: World) -> None:
    await sign(world, sla=a_sla(world))
    lead = await add_mql(world)
    async with writing(world, action="leadHandOff") as work:
        await handoff_flow.hand_off(work, world.actor(), lead.id, owner_id=world.rep.id)

    found = {kind: told for _, kind, told in await changes(world, action="leadHandOff")}
    assert found.keys() == {"Lead", "Handoff"}
    assert found["Lead"] == {"ownerId": (None, public("User", world.rep.id))}
    assert found["Handoff"]["leadId"] == (None, public("Lead", lead.id))
    assert found["Handoff"]["dueAt"][1] is not None


async def test_of_clocks_only_what_somebody_decides_is_told(world: World) -> None:
    await sign(world, sla=a_sla(world))
    lead = await add_mql(world)
    async with writing(world, action="leadHandOff") as work:
        await handoff_flow.hand_off(work, world.actor(), lead.id, owner_id=world.rep.id)
        clock, *_ = await work.find(SlaClock, lead_id=lead.id)
    async with writing(world, action="clockPause") as work:
        await keeping.pause_clock(work, world.actor(), clock.id, reason="On holiday.")

    found = await changes(world, action="clockPause")
    assert [(effect, kind) for effect, kind, _ in found] == [("CHANGED", "SlaClock")]
    assert found[0][2]["reason"] == (None, "On holiday.")
    assert found[0][2]["facts"] == (
        [],
        [{"kind": "PAUSED", "at": "2026-03-10T12:00:00Z"}],
    )


# The trail itself


def test_without_an_origin_nothing_is_followed() -> None:
    trail = Trail(None)

    assert not trail.follows(Team)
    assert trail.take(NOON) == []


def test_what_the_parts_of_a_transaction_change_is_told_of_each(world: World) -> None:
    trail, first_part = Trail(None), Trail(Cause(action="first"))
    first_part.read(Team, [world.sales])
    west = replace(world.sales, name="West", version=2)
    first_part.changed(Team, [west])
    trail.join(first_part)
    second_part = Trail(Cause(action="second"))
    second_part.read(Team, [west])
    second_part.changed(Team, [replace(world.sales, name="East", version=3)])
    trail.join(second_part)

    assert first_part.take(NOON) == []
    first, second = trail.take(NOON)
    assert (first.action, first.differences) == (
        "first",
        '[{"field":"name","before":"Sales","after":"West"}]',
    )
    assert (second.action, second.differences) == (
        "second",
        '[{"field":"name","before":"West","after":"East"}]',
    )
    assert trail.take(NOON) == []


LEADS = st.builds(
    Lead,
    id=st.just(new_id()),
    stage=st.sampled_from(["VISITOR", "LEAD"]),
    stage_entered_at=st.just(NOON),
    created_at=st.just(NOON),
    updated_at=st.just(NOON),
    email=st.none() | st.just("ada@example.com"),
    first_name=st.none() | st.text(max_size=5),
    score=st.integers(-1000, 1000),
    owner_id=st.none() | st.uuids(),
)


@given(before=LEADS, after=LEADS)
def test_the_differences_lead_from_before_to_after(before: Lead, after: Lead) -> None:
    """Applied to what all of the one holds, they give what all of the other holds."""
    whole = told(None, before)
    whole.update(told(before, after))

    assert {k: v for k, v in whole.items() if v is not None} == {
        k: v for k, v in told(None, after).items() if v is not None
    }


def told(before: Lead | None, after: Lead) -> dict[str, Any]:
    return {each["field"]: each["after"] for each in differences_of(Lead, before, after)}
