from __future__ import annotations

import pytest

from domain.paging import BadPage, PageRequest, page_request, read_cursor, write_cursor


def test_cursors_come_back_as_they_went():
    values = ["2026-03-10T12:00:00+00:00", None, 72, "lead"]
    assert read_cursor(write_cursor(values), "after") == tuple(values)


@pytest.mark.parametrize(
    "text", ["", "?", "bm90IGpzb24", "e30", "W10", "W1tdXQ", "W" * 3000, "é", "a\x00b"]
)
def test_what_is_no_cursor_is_refused(text: str):
    with pytest.raises(BadPage) as refusal:
        read_cursor(text, "after")
    assert refusal.value.path == ("after",)


def test_pages_run_forward_from_the_front_unless_told_otherwise():
    cursor = write_cursor([7])

    def page(**arguments: object) -> PageRequest:
        given = {"first": None, "after": None, "last": None, "before": None, **arguments}
        return page_request(**given)  # type: ignore[arg-type]  # each argument's own type

    assert page() == PageRequest(size=25)
    assert page(first=100, after=cursor) == PageRequest(size=100, cursor=(7,))
    assert page(last=1, before=cursor) == PageRequest(size=1, cursor=(7,), backward=True)
    for arguments in (
        {"first": 0},
        {"first": 101},
        {"first": -1},
        {"last": 0},
        {"first": 1, "last": 1},
        {"last": 1, "after": cursor},
        {"before": cursor},
    ):
        with pytest.raises(BadPage):
            page(**arguments)
