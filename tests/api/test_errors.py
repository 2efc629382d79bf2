"""Refusals are answers, and one mutation's trouble is not another's."""

from domain.ids import public
from domain.leads import Lead
from domain.sla.calendars import Calendar
from tests.world import World

TWO = """mutation($calendar: ID!) {
  leadCreate(input: {email: "ada@x.example"}) { lead { email } userErrors { code } }
  calendarUpdate(input: {calendar: $calendar, name: "Mine"}) { calendar { name } }
}"""


async def test_what_was_done_is_answered_though_a_later_mutation_fails(world: World) -> None:
    async with world.work() as work:
        [calendar] = await work.find(Calendar)

    answer = await world.ask(TWO, {"calendar": public("Calendar", calendar.id)}, as_=world.rep)

    assert answer["data"] == {
        "leadCreate": {"lead": {"email": "ada@x.example"}, "userErrors": []},
        "calendarUpdate": None,
    }
    [error] = answer["errors"]
    assert (error["extensions"]["code"], error["path"]) == ("FORBIDDEN", ["calendarUpdate"])
    async with world.work() as work:
        assert [lead.email for lead in await work.find(Lead)] == ["ada@x.example"]
        assert await work.find(Calendar) == [calendar]
