"""Which user or team is meant, by what others know them by."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from domain.errors import Invalid, NotFound
from domain.identity import Role, Team, User, resolve_team, resolve_user
from domain.ids import new_id
from domain.stages import Side
from tests.fakes import FakeWork

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
RITA = User(
    id=new_id(),
    account_id=new_id(),
    email="rita@acme.example",
    name="Rita",
    role=Role.MEMBER,
    created_at=NOON,
)
DUBLIN = Team(id=new_id(), name="Dublin", side=Side.SALES, created_at=NOON)


@pytest.fixture
def work():
    return FakeWork(NOON, RITA, DUBLIN)


async def test_a_user_is_told_by_id_or_by_address_whatever_its_capitals(work):
    assert await resolve_user(work, RITA.id, path=("owner",)) == RITA.id
    assert await resolve_user(work, " Rita@ACME.example ", path=("owner",)) == RITA.id


async def test_a_team_is_told_by_id_or_by_name(work):
    assert await resolve_team(work, DUBLIN.id, path=("toTeam",)) == DUBLIN.id
    assert await resolve_team(work, " Dublin ", path=("toTeam",)) == DUBLIN.id


async def test_an_id_is_left_to_whoever_needs_what_it_names(work):
    unknown = new_id()

    assert await resolve_user(work, unknown, path=("owner",)) == unknown
    assert await resolve_team(work, unknown, path=("toTeam",)) == unknown


@dataclass(frozen=True)
class Case:
    key: str
    refusal: type[Exception]
    user_path: tuple[str, ...]
    team_path: tuple[str, ...]


@pytest.mark.parametrize(
    "case",
    [
        Case("nobody", NotFound, ("owner",), ("toTeam",)),
        Case("", NotFound, ("owner",), ("toTeam",)),
        Case("a\x00b", Invalid, ("owner", "email"), ("toTeam", "name")),
        Case("x" * 255, Invalid, ("owner", "email"), ("toTeam", "name")),
    ],
)
async def test_what_names_nobody_is_refused(work, case):
    with pytest.raises(case.refusal) as of_user:
        await resolve_user(work, case.key, path=("owner",))
    with pytest.raises(case.refusal) as of_team:
        await resolve_team(work, case.key, path=("toTeam",))

    assert (of_user.value.path, of_team.value.path) == (case.user_path, case.team_path)
