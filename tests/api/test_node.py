"""Anything by its id."""

import pytest

from api.schema import schema
from api.views import VIEWS
from domain.identity import ApiKey, Board, Role, TeamMember
from domain.ids import PREFIXES, new_id, public

NODE = "query($id: ID!) { node(id: $id) { __typename id } }"
NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"

# What has ids and is not reached by them alone.
EXCLUDED = {"Photo", "Upload"}


async def some_of_each(world):
    """Store a key and a board, and return the ids of things in the world by their type."""
    made = {"name": "N", "created_by": None, "created_at": world.now}
    key = ApiKey(id=new_id(), role=Role.MEMBER, digest=new_id().hex, **made)
    board = Board(id=new_id(), digest=new_id().hex, **made)
    async with world.work() as work:
        await work.add_all([key, board])
        member, *_ = await work.find(TeamMember)
    return {
        "Tenant": public("Tenant", world.tenant.id),
        "User": public("User", world.rep.id),
        "Team": public("Team", world.sales.id),
        "TeamMember": public("TeamMember", member.id),
        "Calendar": public("Calendar", world.calendar.id),
        "CalendarVersion": public("CalendarVersion", world.hours.id),
        "ApiKey": public("ApiKey", key.id),
        "BoardLink": public("Board", board.id),
    }


async def test_everything_is_found_by_its_id_in_the_order_asked(world):
    ids = await some_of_each(world)
    unknown = public("Lead", new_id())

    answer = await world.data(NODES, {"ids": [*ids.values(), unknown, *ids.values()]})

    found = [{"__typename": name, "id": id} for name, id in ids.items()]
    assert answer == {"nodes": [*found, None, *found]}


async def test_one_thing_is_found_by_its_id_with_its_own_fields(world):
    document = "query($id: ID!) { node(id: $id) { id ... on Team { name side } } }"
    id = public("Team", world.sales.id)

    answer = await world.data(document, {"id": id}, as_=world.analyst)

    assert answer == {"node": {"id": id, "name": "Sales", "side": "SALES"}}


@pytest.mark.parametrize("kind", sorted(PREFIXES))
async def test_an_unknown_id_of_any_kind_is_null(world, kind):
    assert await world.data(NODE, {"id": public(kind, new_id())}) == {"node": None}


def test_every_kind_with_a_view_is_a_node():
    shown = {kind.__name__ for kind in VIEWS} & set(PREFIXES)
    types = {type.name for type in schema()._schema.get_possible_types(NODE_TYPE())}

    assert shown | EXCLUDED == set(PREFIXES)
    assert len(types) == len(shown)


def NODE_TYPE():  # noqa: N802  # read from the schema when it is there
    return schema()._schema.type_map["Node"]


async def test_another_tenants_things_do_not_exist(world, other_world):
    theirs = await some_of_each(other_world)

    answer = await world.data(NODES, {"ids": list(theirs.values())})

    assert answer == {"nodes": [None] * len(theirs)}


async def test_who_may_not_see_keys_does_not_find_them(world):
    ids = await some_of_each(world)
    hidden = [ids["ApiKey"], ids["BoardLink"]]

    assert await world.data(NODES, {"ids": hidden}, as_=world.analyst) == {"nodes": [None, None]}


@pytest.mark.parametrize(
    "wrong",
    ["", "team", "team_1", "nul\x00", "team_" + "G" * 32, "thing_" + "0" * 32, "9" * 10_000],
)
async def test_what_is_no_id_is_refused_and_nothing_is_answered(world, wrong):
    right = public("Team", world.sales.id)

    one = await world.ask(NODE, {"id": wrong})
    many = await world.ask(NODES, {"ids": [right, wrong]})

    for answer in (one, many):
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]
    assert (one["data"], many["data"]) == ({"node": None}, None)


async def test_at_most_a_hundred_ids_are_looked_up_at_once(world):
    id = public("Team", world.sales.id)

    most = await world.data(NODES, {"ids": [id] * 100})
    more = await world.ask(NODES, {"ids": [id] * 101})

    assert most == {"nodes": [{"__typename": "Team", "id": id}] * 100}
    assert [error["extensions"]["code"] for error in more["errors"]] == ["BAD_USER_INPUT"]
