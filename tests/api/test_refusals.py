"""The API as a confused client sees it: whatever is sent, the answer says what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import pytest
from graphql import get_nullable_type, is_input_object_type, is_list_type

from domain.ids import public
from domain.paging import write_cursor
from tests.api.scene import Scene
from tests.api.walking import CALLS, OF_ACCOUNTS, ONCE, Call, Path, Slot, distinct

NOBODY = UUID(int=0)
MEGABYTE = 1_000_000
LONGEST_ANSWER = 20_000
TEXTS = {
    "NUL": "a\0b",
    "half a character": "a\ud800b",
    "a megabyte": "x" * MEGABYTE,
    "blank": " \u2003\t",
    "only signs": "\u202e\u2066\ufeff%_\\%",
}
CURSORS = {
    "a cursor of its own": write_cursor(("a\0", 10**400, None, True)),
    "a cursor of half a character": write_cursor(("\ud800", "\ud800")),
}
HOSTILE: Mapping[str, Mapping[str, Any]] = {
    "String": {**TEXTS, **CURSORS},
    "EmailAddress": {**TEXTS, "another's": "a@b@c.example"},
    "TimeZone": {**TEXTS, "nowhere": "Atlantis/Deep", "a path": "../../etc/passwd"},
    "CountryCode": {**TEXTS, "nowhere": "ZZ"},
    "Currency": {**TEXTS, "nobody's": "ZZZ"},
    "URL": {**TEXTS, "a script": "javascript:alert(1)"},
    "ID": {
        **TEXTS,
        "no id": "lead_",
        "other digits": "lead_" + "\u0661" * 32,
        "capitals": "lead_" + "A" * 32,
    },
    "Int": {
        "largest": 2**31 - 1,
        "smallest": -(2**31),
        "too large": 2**31,
        "enormous": 10**400,
        "nought": 0,
        "less than nothing": -1,
        "a fraction": 0.5,
    },
    "Decimal": {
        "largest": "9" * 30,
        "smallest": "-" + "9" * 30,
        "enormous": "9" * MEGABYTE,
        "tiniest": "0.000000000001",
        "nought": "0",
        "a power": "1e400",
        "a double": 1e308,
        "no number": "NaN",
        "infinite": "Infinity",
    },
    "DateTime": {
        "first": "0001-01-01T00:00:00Z",
        "before the first": "0001-01-01T00:00:00+23:59",
        "last": "9999-12-31T23:59:59Z",
        "after the last": "9999-12-31T23:59:59-23:59",
        "never": "2026-02-30T00:00:00Z",
        "long ago": "1969-12-31T23:59:59Z",
        "long": "2026-03-10T12:00:00Z" * 50_000,
    },
    "Date": {
        "first": "0001-01-01",
        "last": "9999-12-31",
        "never": "2026-02-30",
        "long": "2026-03-10" * 100_000,
    },
    "Duration": {
        "longest": "P99999DT999999H99999999M",
        "none": "PT0M",
        "enormous": "P" + "9" * MEGABYTE + "D",
        "less than none": "-PT1H",
    },
}
MUTATIONS = [call for call in CALLS if call.root == "mutation"]
PLACES = {call: list[Slot]() for call in CALLS if call.root != "subscription"}
for place in distinct(slot for call in PLACES for slot in call.slots()):
    PLACES[Call(place.root, place.field)].append(place)


def payload_of(answer: dict[str, Any], call: Call) -> tuple[Any, list[dict[str, Any]]]:
    """Return the thing that a mutation answers with, and why it was refused."""
    payload = dict(answer["data"][call.name])
    payload.pop("__typename")
    errors = payload.pop("userErrors")
    (thing,) = payload.values()
    return thing, errors


async def answered(
    scene: Scene, call: Call, variables: dict[str, Any]
) -> tuple[dict[str, Any], int]:
    """Return the answer, and how often something would have been written."""
    document = call.document(variables)
    if call.root == "mutation":
        return await scene.rehearse(document, variables)
    return await scene.ask(document, variables), 0


# Refusals that no single field is to blame for.
OF_THE_WHOLE = {"ALREADY_SET_UP", "BAD_CREDENTIALS", "STALE"}


def points_somewhere(call: Call, error: dict[str, Any]) -> bool:
    """Say whether a refusal's path is a way into the input."""
    place = call.field.args["input"].type
    for part in error["path"]:
        place = get_nullable_type(place)
        if is_list_type(place) and part.isdigit():
            place = place.of_type
        elif is_input_object_type(place) and part in place.fields:
            place = place.fields[part].type
        else:
            return False
    return bool(error["path"]) or error["code"] in OF_THE_WHOLE


def fault_of(answer: dict[str, Any], commits: int, call: Call) -> str | None:
    """Say what is wrong with an answer, whatever was asked."""
    if any(e["extensions"]["code"] == "INTERNAL_SERVER_ERROR" for e in answer.get("errors", ())):
        return "a bug"
    if call.root != "mutation":
        return None
    if "errors" in answer:
        return "written in spite of errors" if commits else None
    thing, errors = payload_of(answer, call)
    if (thing is None) is not bool(errors):
        return f"neither done nor refused: {answer}"
    astray = [error for error in errors if not points_somewhere(call, error)]
    if astray:
        return f"refused with a path that leads nowhere: {astray}"
    return "written in spite of refusals" if errors and commits else None


@pytest.mark.parametrize(
    "call", [m for m in MUTATIONS if m.name not in ONCE | OF_ACCOUNTS], ids=str
)
async def test_every_mutation_can_be_done(scene: Scene, call: Call) -> None:
    """Else the walks below would stop at something that was not what they brought."""
    await _is_done(scene, call)


@pytest.mark.parametrize("call", [m for m in MUTATIONS if m.name in OF_ACCOUNTS], ids=str)
async def test_every_mutation_of_an_account_can_be_done(own_scene: Scene, call: Call) -> None:
    await _is_done(own_scene, call)


async def _is_done(scene: Scene, call: Call) -> None:
    variables = call.variables(scene)

    answer, _ = await scene.rehearse(call.document(variables), variables)

    assert "errors" not in answer, (answer, variables)
    thing, errors = payload_of(answer, call)
    assert thing is not None, (errors, variables)
    assert errors == []


@pytest.mark.parametrize("call", [c for c in CALLS if c.root == "query"], ids=str)
async def test_every_query_can_be_asked(scene: Scene, call: Call) -> None:
    variables = call.variables(scene)

    answer = await scene.ask(call.document(variables), variables)

    assert "errors" not in answer, (answer, variables)
    assert answer["data"][call.name] is not None, variables


@pytest.mark.parametrize("call", [call for call, places in PLACES.items() if places], ids=str)
async def test_no_value_is_ours_to_apologise_for(scene: Scene, call: Call) -> None:
    faults = []
    for place, forced in hostile(call):
        variables = call.variables(scene, forced)
        answer, commits = await answered(scene, call, variables)
        if fault := fault_of(answer, commits, call):
            faults.append((place, fault))

    assert faults == []


def hostile(call: Call) -> Iterator[tuple[str, dict[Path, Any]]]:
    """Return what to put where, one hostile value at a time."""
    for slot in PLACES[call]:
        values = {"nothing": None, **HOSTILE.get(slot.type, {})}
        if slot.type == "ID" and slot.kind is not None:
            values["of nothing"] = public(slot.kind, NOBODY)
        for name, value in values.items():
            yield f"{slot}: {name}", {slot.path: value}


BULK = [call for call in MUTATIONS if any(slot.path[1:3] == ("rows", 0) for slot in call.slots())]


@pytest.mark.parametrize("call", BULK, ids=str)
@pytest.mark.parametrize("text", ["NUL", "half a character"])
async def test_a_row_that_cannot_be_stored_spoils_no_other(
    scene: Scene, call: Call, text: str
) -> None:
    """One row for each text in it, which is wrong there, and one that is right."""
    told = [slot.path for slot in call.slots() if slot.type in ("String", "ID")]
    wrong = [{path: TEXTS[text]} for path in told if path[1:3] == ("rows", 0)]
    requests = [call.variables(scene, forced) for forced in (*wrong, None)]
    rows = [row for request in requests for row in request["input"]["rows"]]
    variables = {"input": {**call.variables(scene)["input"], "rows": rows}}

    answer, _ = await scene.rehearse(call.document(variables), variables)

    assert "errors" not in answer, answer
    done, refusals = payload_of(answer, call)
    assert refusals == []
    *spoilt, good = [row["outcome"] for row in done]
    assert "REFUSED" in spoilt
    assert good != "REFUSED"
