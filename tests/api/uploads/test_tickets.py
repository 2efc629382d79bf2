"""An address to send a file to: for whom, for what, and for how long."""

from __future__ import annotations

from dataclasses import replace

import httpx

from domain.ids import expect, new_id, public
from domain.personas import Persona, Photo
from domain.uploads import Upload, UploadChunk
from infra.signing import Purpose
from tests.api.uploads.sending import (
    IMPORT_UPLOAD,
    PHOTO_UPLOAD,
    PHOTO_URL,
    a_picture,
    import_ticket,
    photo_ticket,
    stored,
)
from tests.world import World


async def test_a_photo_is_sent_once(world: World, web: httpx.AsyncClient, persona: Persona) -> None:
    url = (await photo_ticket(world, persona))["uploadUrl"]
    await web.put(url, content=a_picture())
    before = await stored(world, Photo)

    again = await web.put(url, content=a_picture(color="blue"))

    assert (again.status_code, again.json()["error"]["code"]) == (409, "ALREADY_UPLOADED")
    assert await stored(world, Photo) == before


async def test_an_address_is_good_for_a_quarter_of_an_hour(
    world: World, web: httpx.AsyncClient, persona: Persona
) -> None:
    url = (await photo_ticket(world, persona))["uploadUrl"]
    world.wait(minutes=15)

    late = await web.put(url, content=a_picture())

    assert (late.status_code, late.json()["error"]["code"]) == (403, "LINK_EXPIRED")
    assert await stored(world, Persona) == [persona]


async def test_forged_addresses_and_those_of_another_purpose_are_refused(
    world: World, web: httpx.AsyncClient, persona: Persona
) -> None:
    url = (await photo_ticket(world, persona))["uploadUrl"]
    await web.put(url, content=a_picture())
    photo = (await world.data(PHOTO_URL, {"id": public("Persona", persona.id)}))["persona"][
        "photoUrl"
    ]
    token = url.rpartition("/")[2]
    forged = [
        await web.put(f"/uploads/{token[:-1]}{'A' if token[-1] != 'A' else 'B'}", content=b"x"),
        await web.put(f"/uploads/{photo.rpartition('/')[2]}", content=b"x"),
        await web.get(f"/photos/{token}"),
        await web.get("/photos/%00"),
        await web.put("/uploads/" + "x" * 5000, content=b"x"),
    ]

    assert [(each.status_code, each.json()["error"]["code"]) for each in forged] == [
        (403, "LINK_NOT_VALID")
    ] * 5


async def test_an_address_of_one_tenant_reaches_nothing_of_another(
    world: World, web: httpx.AsyncClient, other_world: World
) -> None:
    upload = await import_ticket(world, 5)
    upload_id = expect("Upload", upload["upload"]["id"])
    token = world.services.signer.sign(
        Purpose.UPLOAD,
        {"tenant": other_world.tenant.id.hex, "upload": upload_id.hex},
        expires_at=world.now.replace(hour=13),
    )

    answer = await web.put(f"/uploads/{token}", content=b"a,b\n1")

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert await stored(world, UploadChunk) == []


async def test_another_tenants_persona_gets_no_photo(
    world: World, other_world: World, persona: Persona
) -> None:
    other_world.services = world.services

    foreign, nowhere = [
        await other_world.ask(PHOTO_UPLOAD, {"persona": public("Persona", id)})
        for id in (persona.id, new_id())
    ]

    assert foreign == nowhere
    assert foreign["data"]["personaPhotoUpload"]["userErrors"][0]["code"] == "NOT_FOUND"
    assert await stored(other_world, Upload) == []


async def test_whoever_was_made_inactive_sends_nothing(
    world: World, web: httpx.AsyncClient, persona: Persona
) -> None:
    url = (await photo_ticket(world, persona))["uploadUrl"]
    async with world.work() as work:
        await work.save(replace(world.marketer, active=False))

    refused = await web.put(url, content=a_picture())

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert await stored(world, Persona) == [persona]


async def test_members_get_no_address(world: World, persona: Persona) -> None:
    answers = [
        await world.ask(IMPORT_UPLOAD, {"name": "leads.csv", "size": 5}, as_=world.other_rep),
        await world.ask(
            PHOTO_UPLOAD, {"persona": public("Persona", persona.id)}, as_=world.other_rep
        ),
    ]

    codes = [answer["errors"][0]["extensions"]["code"] for answer in answers]
    assert codes == ["FORBIDDEN", "FORBIDDEN"]
    assert await stored(world, Upload) == []
