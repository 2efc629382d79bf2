"""Setting up teams, and ids that are not ours."""

import pytest

from domain.identity import Team
from domain.ids import new_id, public
from tests.api.identity.asking import (
    ADD_MEMBER,
    CREATE_BOARD,
    CREATE_TEAM,
    REMOVE_MEMBER,
    REVOKE_BOARD,
    REVOKE_KEY,
    UPDATE,
    UPDATE_MEMBER,
    UPDATE_TEAM,
    everything,
    refused,
    stored,
    user_id,
)

# Teams


async def test_a_team_is_set_up_staffed_and_changed(world):
    office = public("Calendar", world.calendar.id)
    created = await world.data(
        CREATE_TEAM, {"input": {"name": "Inside", "side": "SALES", "calendar": office}}
    )
    (team,) = await stored(world, Team, name="Inside")
    joined = await world.data(
        ADD_MEMBER,
        {"input": {"team": public("Team", team.id), "user": user_id(world.rep), "capacity": 0}},
    )
    place = joined["teamMemberAdd"]["teamMember"]["id"]
    changed = await world.data(
        UPDATE_MEMBER, {"input": {"teamMember": place, "available": False, "capacity": 7}}
    )
    left = await world.data(REMOVE_MEMBER, {"input": {"teamMember": place}})
    freed = await world.data(
        UPDATE_TEAM, {"input": {"team": public("Team", team.id), "calendar": None}}
    )
    renamed = await world.data(
        UPDATE_TEAM, {"input": {"team": public("Team", world.sales.id), "name": "Closers"}}
    )

    assert created["teamCreate"] == {
        "team": {"name": "Inside", "side": "SALES", "calendar": {"name": "Office"}},
        "userErrors": [],
    }
    assert joined["teamMemberAdd"] == {
        "teamMember": {
            "id": place,
            "team": {"name": "Inside"},
            "user": {"name": "Sam"},
            "available": True,
            "capacity": 0,
        },
        "userErrors": [],
    }
    assert changed["teamMemberUpdate"]["teamMember"] == {"available": False, "capacity": 7}
    assert left["teamMemberRemove"]["teamMember"] == {"user": {"name": "Sam"}}
    assert freed["teamUpdate"]["team"] == {"name": "Inside", "calendar": None}
    assert renamed["teamUpdate"]["team"] == {"name": "Closers", "calendar": {"name": "Office"}}


def mutations(world, foreign):
    """Return each mutation of this feature with one id, and the field that says where it is."""
    team, user = public("Team", foreign.sales.id), user_id(foreign.rep)
    ours = {"team": public("Team", world.sales.id), "user": user_id(world.analyst)}
    place, key, board = (public(kind, new_id()) for kind in ("TeamMember", "ApiKey", "Board"))
    calendar = public("Calendar", foreign.calendar.id)
    return [
        (UPDATE, {"user": user, "name": "N"}),
        (CREATE_TEAM, {"name": "T", "side": "SALES", "calendar": calendar}),
        (UPDATE_TEAM, {"team": team, "name": "T"}),
        (UPDATE_TEAM, {"team": ours["team"], "calendar": calendar}),
        (ADD_MEMBER, {**ours, "team": team}),
        (ADD_MEMBER, {**ours, "user": user}),
        (UPDATE_MEMBER, {"teamMember": place, "capacity": 1}),
        (REMOVE_MEMBER, {"teamMember": place}),
        (REVOKE_KEY, {"apiKey": key}),
        (REVOKE_BOARD, {"boardLink": board}),
        (CREATE_BOARD, {"name": "B", "salesTeam": team}),
    ]


async def test_another_tenants_ids_are_answered_like_unknown_ones(company, other_world):
    before, theirs = await everything(company), await everything(other_world)

    for document, given in mutations(company, other_world):
        (answer,) = (await company.data(document, {"input": given})).values()
        assert [error["code"] for error in answer["userErrors"]] == ["NOT_FOUND"], given

    assert (await everything(company), await everything(other_world)) == (before, theirs)


@pytest.mark.parametrize("wrong", ["lead_" + "0" * 32, "team_1", "nul\x00", "x" * 10_000, "-1", ""])
async def test_the_id_of_another_kind_of_thing_is_refused_by_name(company, other_world, wrong):
    before = await everything(company)

    for document, given in mutations(company, other_world):
        mistaken = {
            name: wrong if isinstance(value, str) and "_" in value else value
            for name, value in given.items()
        }
        (answer,) = (await company.data(document, {"input": mistaken})).values()
        assert [error["code"] for error in answer["userErrors"]] == ["BAD_USER_INPUT"], given
        assert answer["userErrors"][0]["path"][0] in given

    assert await everything(company) == before


@pytest.mark.parametrize(
    ("document", "given", "errors"),
    [
        (CREATE_TEAM, {"name": "Sales", "side": "SALES"}, refused("ALREADY_EXISTS", "name")),
        (CREATE_TEAM, {"name": "", "side": "SALES"}, refused("INVALID", "name")),
        (CREATE_TEAM, {"name": "n" * 201, "side": "SALES"}, refused("INVALID", "name")),
        (CREATE_TEAM, {"name": "n\x00", "side": "SALES"}, refused("INVALID", "name")),
        (UPDATE_TEAM, {"team": "sales", "name": "Marketing"}, refused("ALREADY_EXISTS", "name")),
        (UPDATE_TEAM, {"team": "sales", "name": "\x00"}, refused("INVALID", "name")),
        (ADD_MEMBER, {"team": "sales", "user": "rep"}, refused("ALREADY_EXISTS", "user")),
        (
            ADD_MEMBER,
            {"team": "sales", "user": "analyst", "capacity": -1},
            refused("INVALID", "capacity"),
        ),
        (
            ADD_MEMBER,
            {"team": "sales", "user": "analyst", "capacity": 2**31 - 1},
            refused("INVALID", "capacity"),
        ),
    ],
)
async def test_a_refused_team_leaves_everything_as_it_was(world, document, given, errors):
    before = await everything(world)
    known = {
        "sales": public("Team", world.sales.id),
        "rep": user_id(world.rep),
        "analyst": user_id(world.analyst),
    }
    named = {
        name: known.get(value, value) if name in ("team", "user") else value
        for name, value in given.items()
    }

    (answer,) = (await world.data(document, {"input": named})).values()

    assert answer["userErrors"] == errors
    assert await everything(world) == before
