"""What a quote that does not match costs."""

import pytest

from domain.imports import NotCsv, RowError, RowFault
from infra.importing import records
from tests.infra.importing.reading import broken, lead, read


def test_a_quote_that_never_closes_costs_one_row_not_the_rest_of_the_file():
    data = b'id,name\n1,"Ann\n2,Bob\n3,Cid\n'

    assert read(data) == [broken(2, '1,"Ann'), lead(3, "2", "Bob"), lead(4, "3", "Cid")]


def test_a_quote_that_closes_rows_later_costs_one_row():
    data = b'id,name\n1,"Ann\n2,Bob\n3,"Cid, Roe"\n'

    assert read(data) == [broken(2, '1,"Ann'), lead(3, "2", "Bob"), lead(4, "3", "Cid, Roe")]


def test_text_after_a_closing_quote_is_not_glued_on():
    assert read(b'id,name\n1,"Ann"x\n2,Bob\n') == [broken(2, '1,"Ann"x'), lead(3, "2", "Bob")]


def test_a_row_of_megabytes_is_left_out_and_the_next_one_read(monkeypatch):
    monkeypatch.setattr(records, "LARGEST_RECORD", 1000)
    long, open_quote = b"1," + b"x" * 5000 + b"\n", b'2,"' + b"y\n" * 900

    outcomes = read(b"id,name\n" + long + open_quote + b"3,Cid\n")

    assert [(each.line, each.code) for each in outcomes if isinstance(each, RowError)][:2] == [
        (2, RowFault.RECORD_TOO_LARGE),
        (3, RowFault.RECORD_TOO_LARGE),
    ]
    assert outcomes[-1] == lead(903, "3", "Cid")


def test_memory_does_not_grow_with_the_length_of_a_line(monkeypatch):
    monkeypatch.setattr(records, "LARGEST_RECORD", 1000)
    parser = records.Records(",")
    for _ in range(1000):
        assert list(parser.feed("x" * 500)) == []
        assert len(parser._partial) <= 1501

    first, second = parser.feed("\n1,2\n")
    assert (first.line, first.code) == (1, RowFault.RECORD_TOO_LARGE)
    assert second == records.Record(2, ["1", "2"])


def test_a_file_in_which_hardly_a_quote_closes_is_given_up(monkeypatch):
    monkeypatch.setattr(records, "LARGEST_RECORD", 1000)
    opening = b'1,"' + b"x" * 50 + b"\n"

    with pytest.raises(NotCsv, match="quotes that do not close"):
        read(b"id,name\n" + (opening + b"2,y\n" * 300) * 110, pieces=10_000)
