"""Where in an input a thing is named that is not there."""

from __future__ import annotations

from uuid import UUID

import pytest
import strawberry
from strawberry import Some

from api.identity.refs import UserRef
from api.pointing import located
from api.threads import SubjectInput, ThreadStartInput
from domain.errors import DomainError, Invalid, NotFound
from domain.ids import new_id, public

HANDOFF, FIRST, SECOND = new_id(), new_id(), new_id()


def user(id: UUID) -> UserRef:
    return UserRef(id=Some(strawberry.ID(public("User", id))))


GIVEN = ThreadStartInput(
    about=SubjectInput(handoff=Some(strawberry.ID(public("Handoff", HANDOFF)))),
    text="What became of her?",
    mentions=[user(FIRST), user(SECOND)],
)


@pytest.mark.parametrize(
    ("refusal", "path"),
    [
        (NotFound("hand-off", id=HANDOFF), ("about", "handoff")),
        (NotFound("user", id=SECOND), ("mentions", 1, "id")),
        (NotFound("user", id=SECOND, path=("mentions", 1)), ("mentions", 1)),
        (NotFound("team", id=new_id()), ()),
        (NotFound("subscription"), ()),
        (Invalid("This is in the past."), ()),
    ],
    ids=["of a choice", "in a list", "told already", "not named", "of no id", "something else"],
)
def test_a_thing_that_is_not_there_is_told_where_its_id_stands(
    refusal: DomainError, path: tuple[str | int, ...]
) -> None:
    assert located(refusal, GIVEN).path == path


def test_what_has_no_input_has_no_place_to_tell() -> None:
    assert located(NotFound("subscription", id=new_id()), None).path == ()
