from __future__ import annotations

import time
from uuid import UUID

import pytest

from domain.ids import PREFIXES, WrongId, expect, new_id, parse, public

LEAD = UUID("01a200dc-d711-795a-ba31-b9d8b82a3035")


def test_ids_are_version_7_of_this_millisecond_and_ever_later():
    before = time.time_ns() // 1_000_000
    ids = [new_id() for _ in range(5000)]
    after = time.time_ns() // 1_000_000 + 2

    assert ids == sorted(set(ids))
    assert {id.version for id in ids} == {7}
    assert before <= ids[0].int >> 80 <= ids[-1].int >> 80 <= after


def test_a_public_id_says_what_it_is_of_and_comes_back():
    assert public("Lead", LEAD) == "lead_01a200dcd711795aba31b9d8b82a3035"
    assert parse("lead_01a200dcd711795aba31b9d8b82a3035") == ("Lead", LEAD)
    assert expect("Lead", "lead_01a200dcd711795aba31b9d8b82a3035") == LEAD


def test_no_two_kinds_share_a_prefix():
    assert len(set(PREFIXES.values())) == len(PREFIXES)


def test_the_id_of_another_kind_is_refused_by_name():
    with pytest.raises(WrongId, match="expected a lead id, got a user id") as refusal:
        expect("Lead", public("User", LEAD), path=("lead", "id"))
    assert (refusal.value.code, refusal.value.path) == ("BAD_USER_INPUT", ("lead", "id"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lead_",
        "lead",
        str(LEAD),
        LEAD.hex,
        f"lead_{LEAD.hex.upper()}",
        f"lead_{LEAD.hex}0",
        f"lead_{LEAD.hex[:-1]}",
        f"deal_{LEAD.hex}",
        f"lead_{LEAD.hex[:-1]}\x00",
        f" lead_{LEAD.hex}",
        "lead_" + "٣" * 32,
    ],
)
def test_what_is_no_id_is_refused(text: str):
    with pytest.raises(WrongId):
        parse(text)
