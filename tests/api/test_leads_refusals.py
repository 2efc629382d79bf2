"""What is refused about leads, and that nothing changes by it."""

from __future__ import annotations

import pytest

from domain.ids import public
from tests.api.asking_leads import CREATE, LOG, ONE, UPDATE, UPSERT, codes, created, everything


@pytest.mark.parametrize(
    ("said", "refusals"),
    [
        ({"score": 1001}, [("INVALID", ["score"])]),
        ({"firstName": "a\x00b"}, [("INVALID", ["firstName"])]),
        ({"lastName": "a" * 201}, [("INVALID", ["lastName"])]),
        ({"company": {"domain": "no domain"}}, [("INVALID", ["company", "domain"])]),
        ({"company": {"name": "a\x00"}}, [("INVALID", ["company", "name"])]),
        (
            {"externalIds": [{"source": "crm", "value": "\x00"}]},
            [("INVALID", ["externalIds", "0", "value"])],
        ),
        ({"createdAt": "2026-03-10T12:06:00Z"}, [("INVALID", ["createdAt"])]),
        ({"createdAt": "0001-01-01T00:00:00Z"}, [("INVALID", ["createdAt"])]),
        ({"owner": {"id": "lead_" + "0" * 32}}, [("BAD_USER_INPUT", ["owner", "id"])]),
        ({"owner": {"id": "nobody"}}, [("BAD_USER_INPUT", ["owner", "id"])]),
        ({"owner": {"id": "user_" + "0" * 32}}, [("NOT_FOUND", ["owner"])]),
        ({"owner": {"email": "nobody@x.example"}}, [("NOT_FOUND", ["owner"])]),
        ({"owner": {"email": ""}}, [("NOT_FOUND", ["owner"])]),
        ({"owner": {"email": "a\x00b"}}, [("INVALID", ["owner", "email"])]),
        ({"owner": {"email": "x" * 255}}, [("INVALID", ["owner", "email"])]),
        (
            {"score": -5000, "jobTitle": "\x00"},
            [("INVALID", ["jobTitle"]), ("INVALID", ["score"])],
        ),
    ],
)
async def test_what_cannot_be_right_is_refused_and_nothing_is_written(world, said, refusals):
    ada = await created(world, email="ada@x.example")
    before = await everything(world)

    new = await world.ask(CREATE, {"input": said}, as_=world.marketer)
    assert codes(new, "leadCreate") == refusals
    if "createdAt" not in said:
        changed = {"lead": {"id": ada["id"]}, **said}
        answer = await world.ask(UPDATE, {"input": changed}, as_=world.marketer)
        assert codes(answer, "leadUpdate") == refusals

    assert await everything(world) == before


@pytest.mark.parametrize(
    "said",
    [
        {"score": 2**31},
        {"score": 1.5},
        {"email": "not an address"},
        {"email": "a\x00@x.example"},
        {"country": "Ireland"},
        {"createdAt": "yesterday"},
    ],
)
async def test_what_is_no_value_of_its_type_is_refused_before_anything_runs(world, said):
    answer = await world.ask(CREATE, {"input": said}, as_=world.marketer)

    assert {error["extensions"]["code"] for error in answer["errors"]} == {"BAD_USER_INPUT"}
    assert await everything(world) == [[]] * 5


@pytest.mark.parametrize(
    ("ref", "refusal"),
    [
        ("foreign id", ("NOT_FOUND", ["lead"])),
        ("foreign address", ("NOT_FOUND", ["lead"])),
        ("foreign external id", ("NOT_FOUND", ["lead"])),
        ({"id": "lead_" + "0" * 32}, ("NOT_FOUND", ["lead"])),
        ({"email": "nobody@x.example"}, ("NOT_FOUND", ["lead"])),
        ({"externalId": {"source": "crm", "value": "9"}}, ("NOT_FOUND", ["lead"])),
        ({"id": "user_" + "0" * 32}, ("BAD_USER_INPUT", ["lead", "id"])),
        ({"id": "ada"}, ("BAD_USER_INPUT", ["lead", "id"])),
        ({"id": "lead_\x00"}, ("BAD_USER_INPUT", ["lead", "id"])),
        (
            {"externalId": {"source": "crm", "value": "\x00"}},
            ("INVALID", ["lead", "externalId", "value"]),
        ),
    ],
)
async def test_another_tenants_lead_does_not_exist(world, other_world, ref, refusal):
    foreign = await created(
        other_world, email="ada@x.example", externalIds=[{"source": "crm", "value": "1"}]
    )
    ref = {
        "foreign id": {"id": foreign["id"]},
        "foreign address": {"email": "ada@x.example"},
        "foreign external id": {"externalId": {"source": "crm", "value": "1"}},
    }.get(ref if isinstance(ref, str) else "", ref)
    before = await everything(other_world)

    change = {"lead": ref, "score": 1}
    assert codes(await world.ask(UPDATE, {"input": change}, as_=world.rep), "leadUpdate") == [
        refusal
    ]
    call = {"lead": ref, "kind": "CALL"}
    assert codes(await world.ask(LOG, {"input": call}, as_=world.rep), "activityLog") == [refusal]
    found = await world.ask(ONE, {"ref": ref})
    assert found["data"] == {"lead": None}
    assert ("errors" in found) == (refusal[0] != "NOT_FOUND")

    assert await everything(other_world) == before
    assert await everything(world) == [[]] * 5


async def test_tenants_may_know_the_same_person(world, other_world):
    said = {"email": "ada@x.example", "externalIds": [{"source": "crm", "value": "1"}]}
    ours, theirs = await created(world, **said), await created(other_world, **said)

    data = await world.data("{ leads { nodes { id } totalCount } }")
    assert ours["id"] != theirs["id"]
    assert data["leads"] == {"nodes": [{"id": ours["id"]}], "totalCount": 1}


async def test_another_tenants_user_cannot_own_a_lead(world, other_world):
    said = {"email": "ada@x.example", "owner": {"id": public("User", other_world.rep.id)}}

    assert codes(await world.ask(CREATE, {"input": said}, as_=world.rep), "leadCreate") == [
        ("NOT_FOUND", ["owner"])
    ]
    assert await everything(world) == [[]] * 5


async def test_a_reference_names_exactly_one_key(world):
    for ref in ({}, {"id": "lead_1", "email": "a@x.example"}, {"email": None}):
        answer = await world.ask(ONE, {"ref": ref})
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"occurredAt": "2026-03-10T12:06:00Z"}, ("INVALID", ["occurredAt"])),
        ({"occurredAt": "1969-12-31T00:00:00Z"}, ("INVALID", ["occurredAt"])),
        ({"text": "\x00"}, ("INVALID", ["text"])),
        ({"text": "a" * 10_001}, ("INVALID", ["text"])),
        ({"kind": "NOTE"}, ("INVALID", ["text"])),
    ],
)
async def test_an_activity_that_cannot_have_been_is_refused(world, said, refusal):
    lead = await created(world, email="ada@x.example")
    before = await everything(world)

    call = {"lead": {"id": lead["id"]}, "kind": "CALL", **said}
    answer = await world.ask(LOG, {"input": call}, as_=world.rep)

    assert codes(answer, "activityLog") == [refusal]
    assert await everything(world) == before


async def test_an_analyst_sees_leads_and_changes_none(world):
    lead = await created(world, email="ada@x.example")
    ref = {"id": lead["id"]}
    before = await everything(world)

    attempts = [
        (CREATE, {"input": {"email": "bob@x.example"}}),
        (UPDATE, {"input": {"lead": ref, "score": 1}}),
        (UPSERT, {"rows": [{"email": "bob@x.example"}]}),
        (LOG, {"input": {"lead": ref, "kind": "CALL"}}),
    ]
    for document, variables in attempts:
        answer = await world.ask(document, variables, as_=world.analyst)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]

    assert await everything(world) == before
    assert (await world.data(ONE, {"ref": ref}, as_=world.analyst))["lead"]["id"] == lead["id"]


async def test_taking_a_lead_from_somebody_needs_leave(world):
    rita, sam = (public("User", user.id) for user in (world.other_rep, world.rep))
    lead = await created(world, email="ada@x.example", owner={"id": sam})
    said = {"lead": {"id": lead["id"]}, "owner": {"id": rita}}

    answer = await world.ask(UPDATE, {"input": said}, as_=world.other_rep)
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
    data = await world.data(UPDATE, {"input": said}, as_=world.marketer)
    assert data["leadUpdate"]["lead"]["owner"] == {"name": "Rita"}
