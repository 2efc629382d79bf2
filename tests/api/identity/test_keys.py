"""The keys of machines and the links to wall boards."""

import pytest

from domain import ids
from domain.identity import ApiKey, Board
from domain.ids import public
from infra.secrets import API_KEY, BOARD_LINK, digest_of
from tests.api.identity.asking import (
    CREATE_BOARD,
    CREATE_KEY,
    REVOKE_BOARD,
    REVOKE_KEY,
    ROTATE_KEY,
    refused,
    stored,
)

# Keys and boards


async def test_a_keys_secret_is_shown_once_and_kept_as_a_digest(company):
    made = await company.data(CREATE_KEY, {"input": {"name": "CRM", "role": "MEMBER"}})
    issued = made["apiKeyCreate"]["issuedApiKey"]
    secret, key = issued["secret"], issued["apiKey"]
    listed = await company.data("{ apiKeys { nodes { id name } } }")
    company.wait(minutes=1)
    revoked = await company.data(REVOKE_KEY, {"input": {"apiKey": key["id"]}})

    assert key == {
        "id": key["id"],
        "name": "CRM",
        "role": "MEMBER",
        "revokedAt": None,
        "createdBy": {"name": "Olive"},
    }
    assert listed == {"apiKeys": {"nodes": [{"id": key["id"], "name": "CRM"}]}}
    assert revoked["apiKeyRevoke"] == {
        "apiKey": {"id": key["id"], "revokedAt": "2026-03-10T12:01:00Z"},
        "userErrors": [],
    }
    (kept,) = await stored(company, ApiKey)
    assert kept.digest == digest_of(secret, prefix=API_KEY)


@pytest.mark.parametrize(
    ("given", "until"),
    [
        ({}, "2026-03-11T12:00:00Z"),
        ({"overlap": "PT0M"}, "2026-03-10T12:00:00Z"),
        ({"overlap": "P7D"}, "2026-03-17T12:00:00Z"),
    ],
)
async def test_a_rotated_key_has_a_new_secret_and_the_old_one_for_the_overlap(
    company, given, until
):
    made = await company.data(CREATE_KEY, {"input": {"name": "CRM", "role": "MEMBER"}})
    issued = made["apiKeyCreate"]["issuedApiKey"]
    key = {"apiKey": issued["apiKey"]["id"]}

    rotated = await company.data(ROTATE_KEY, {"input": {**key, **given}})

    again = rotated["apiKeyRotate"]["issuedApiKey"]
    assert again["apiKey"] == {
        "id": key["apiKey"],
        "rotatedAt": "2026-03-10T12:00:00Z",
        "previousExpiresAt": until,
    }
    (kept,) = await stored(company, ApiKey)
    assert (kept.digest, kept.previous_digest) == (
        digest_of(again["secret"], prefix=API_KEY),
        digest_of(issued["secret"], prefix=API_KEY),
    )


@pytest.mark.parametrize("overlap", ["P8D", "-PT1H"])
async def test_an_overlap_that_cannot_be_rotates_nothing(company, overlap):
    made = await company.data(CREATE_KEY, {"input": {"name": "CRM", "role": "MEMBER"}})
    before = await stored(company, ApiKey)
    key = made["apiKeyCreate"]["issuedApiKey"]["apiKey"]["id"]

    answer = await company.ask(ROTATE_KEY, {"input": {"apiKey": key, "overlap": overlap}})

    refusals = answer.get("errors") or answer["data"]["apiKeyRotate"]["userErrors"]
    assert len(refusals) == 1
    assert await stored(company, ApiKey) == before


async def test_a_revoked_key_is_not_rotated(company):
    made = await company.data(CREATE_KEY, {"input": {"name": "CRM", "role": "MEMBER"}})
    key = {"input": {"apiKey": made["apiKeyCreate"]["issuedApiKey"]["apiKey"]["id"]}}
    await company.data(REVOKE_KEY, key)
    before = await stored(company, ApiKey)

    answer = await company.data(ROTATE_KEY, key)

    assert answer["apiKeyRotate"] == {
        "issuedApiKey": None,
        "userErrors": refused("KEY_REVOKED", "apiKey"),
    }
    assert await stored(company, ApiKey) == before


async def test_a_boards_address_is_shown_once_and_kept_as_a_digest(company):
    sales = public("Team", company.sales.id)
    made = await company.data(
        CREATE_BOARD, {"input": {"name": "Hall", "salesTeam": sales}}, as_=company.rep
    )
    issued = made["boardLinkCreate"]["issuedBoardLink"]
    url, board = issued["url"], issued["boardLink"]
    revoked = await company.data(
        REVOKE_BOARD, {"input": {"boardLink": board["id"]}}, as_=company.rep
    )

    assert board == {
        "id": board["id"],
        "name": "Hall",
        "revokedAt": None,
        "salesTeam": {"name": "Sales"},
    }
    assert revoked["boardLinkRevoke"] == {
        "boardLink": {"id": board["id"], "revokedAt": "2026-03-10T12:00:00Z"},
        "userErrors": [],
    }
    address, _, token = url.rpartition("/")
    assert address == "https://smarketing.example/board"
    (kept,) = await stored(company, Board)
    assert kept.digest == digest_of(token, prefix=BOARD_LINK)
    assert ids.expect("Board", board["id"]) == kept.id


@pytest.mark.parametrize(
    ("document", "given", "errors"),
    [
        (CREATE_KEY, {"name": "CRM", "role": "OWNER"}, refused("INVALID", "role")),
        (CREATE_KEY, {"name": "", "role": "MEMBER"}, refused("INVALID", "name")),
        (CREATE_KEY, {"name": "n" * 201, "role": "MEMBER"}, refused("INVALID", "name")),
        (CREATE_KEY, {"name": "\x00", "role": "MEMBER"}, refused("INVALID", "name")),
        (CREATE_BOARD, {"name": "n\x00"}, refused("INVALID", "name")),
        (CREATE_BOARD, {"name": "B", "salesTeam": "marketing"}, refused("INVALID", "salesTeam")),
    ],
)
async def test_a_refused_key_or_board_is_not_made(company, document, given, errors):
    marketing = public("Team", company.marketing.id)
    named = {name: marketing if value == "marketing" else value for name, value in given.items()}

    (answer,) = (await company.data(document, {"input": named})).values()

    assert answer["userErrors"] == errors
    assert (await stored(company, ApiKey), await stored(company, Board)) == ([], [])
