"""What is promised of a file of leads, whatever it is made of."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Refusals
from domain.imports import BadHeader, ImportedLead, NotCsv, RowError, RowFault, UnknownColumn
from infra.importing import RowsReader, load_mapping
from infra.importing.reader import BLOCK
from tests.infra.importing.reading import NAMES, lead, read


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("pieces", [1, 2, 1000])
def test_any_end_of_line_will_do_also_none_at_the_end(end, closed, pieces):
    data = end.join(["id,name", "1,Ann", "2,Bob"]) + (end if closed else "")

    assert read(data.encode(), pieces=pieces) == [lead(2, "1", "Ann"), lead(3, "2", "Bob")]


def test_a_row_is_numbered_by_the_line_on_which_it_begins():
    data = b'id,name\n1,"Ann\nMary\r\nLee"\n\n2,"Bob ""B"" Roe"\n'

    assert read(data) == [lead(2, "1", "Ann\nMary\r\nLee"), lead(6, "2", 'Bob "B" Roe')]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(delimiter):
    rows = [["id", "note", "name"], ["1", "a, b; c", "Ann"], ["2", "x|y\tz", "Bob"]]
    data = "\n".join(delimiter.join(f'"{value}"' for value in row) for row in rows)

    assert read(data.encode()) == [lead(2, "1", "Ann"), lead(3, "2", "Bob")]


def test_the_delimiter_is_the_one_that_gives_the_columns_of_the_mapping():
    # Most rows have one comma, and the header has none but in a name.
    data = b"id;name;a,b\n1;Lee, Ann;\n2;Roe, Bob;\n"

    assert read(data) == [lead(2, "1", "Lee, Ann"), lead(3, "2", "Roe, Bob")]


def test_excels_own_announcement_of_the_delimiter_is_followed():
    assert read(b"sep=;\r\nid;name\r\n1;Ann\r\n") == [lead(3, "1", "Ann")]


@pytest.mark.parametrize("delimiter", [";", ","])
def test_a_declared_delimiter_is_not_doubted(delimiter):
    mapping = f'[file]\ndelimiter = "{delimiter}"\n{NAMES}'
    data = f"id{delimiter}name\n1{delimiter}Ann\n".encode()

    assert read(data, mapping=mapping) == [lead(2, "1", "Ann")]


@pytest.mark.parametrize(
    ("data", "looks"),
    [
        (b"", "empty"),
        (b" \r\n \n", "empty"),
        (b"PK\x03\x04\x14\x00[Content_Types].xml", r"an Excel workbook \(.xlsx\); save it as CSV"),
        (b"PK\x03\x04\x14\x00leads.csv", "a zip archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", r"an old Excel workbook \(.xls\)"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"\x1f\x8b\x08\x00", "a gzip archive"),
        (b'{"id": 1}', "JSON"),
        (b' [\n{"id": 1}]', "JSON"),
        (b"<!DOCTYPE html><title>Sign in</title>", "a web page"),
        (b"<?xml version='1.0'?>", "a web page or XML"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (bytes(range(1, 32)) * 20, "a binary file"),
    ],
)
def test_what_is_not_csv_is_refused_by_what_it_looks_like(data, looks):
    with pytest.raises(NotCsv, match=looks):
        read(data)


def test_too_few_and_too_many_fields_are_told_with_the_row():
    assert read(b"id,name\n1\n2,Bob,x\n3,Cid\n") == [
        RowError(
            line=2,
            column=None,
            code=RowFault.FIELD_COUNT,
            message="The row has 1 fields, but there are 2 columns.",
            row=("1",),
        ),
        RowError(
            line=3,
            column=None,
            code=RowFault.FIELD_COUNT,
            message="The row has 3 fields, but there are 2 columns.",
            row=("2", "Bob", "x"),
        ),
        lead(4, "3", "Cid"),
    ]


def test_rows_without_any_value_are_no_rows():
    assert read(b"id,name\n\n1,Ann\n,\n\n") == [lead(3, "1", "Ann")]


def test_a_long_field_in_a_column_nobody_asked_for_is_no_fault():
    data = b'id,note,name\n1,"' + b"line\n" * 60_000 + b'",Ann\n2,,Bob\n'

    assert read(data, pieces=5000) == [lead(2, "1", "Ann"), lead(60_003, "2", "Bob")]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"id,name,id", "There are 2 columns 'id'."),
        (b",,", "The first row is to name the columns, but it is empty."),
        (b'id,"name', "cannot be read"),
        (b",".join(b"c%d" % at for at in range(2001)), "2001 columns; 2000 are allowed"),
    ],
)
def test_a_header_that_does_not_name_the_columns_is_refused(header, message):
    with pytest.raises(BadHeader, match=message):
        read(header + b"\n1,Ann\n")


@pytest.mark.parametrize(
    "above",
    [
        b'Campaign report\n"March 1, 2026 - March 31, 2026"\n',
        b"# ------\n# Ids; all; of; them\n\n# id\n",
        b";;;\nA;title;over;it\n",
        b'A "title" with a "quote\n',
        b"a note\n" * 49,
    ],
)
def test_titles_above_the_names_of_the_columns_are_no_rows(above):
    line = above.count(b"\n") + 2

    assert read(above + b"id;note;name\n1;a, b;Ann\n") == [lead(line, "1", "Ann")]


def test_where_no_row_has_all_names_the_nearest_one_is_refused():
    with pytest.raises(UnknownColumn) as refused:
        read(b"Report\nof March\nid,Nmae\n1,Ann\n")

    assert refused.value.message == "The file has no column 'name'; did you mean 'Nmae'?"


def test_names_of_columns_are_not_looked_for_without_end():
    with pytest.raises(Refusals):
        read(b"a note\n" * 50 + b"id,name\n1,Ann\n")


def test_rows_that_begin_like_a_total_are_no_rows_where_the_mapping_says_so():
    mapping = f'[file]\nskip_rows = ["Total", "summe:"]\n{NAMES}'
    data = b"id,name\n1,Ann\nTotal: all,7\n2,Total\n,SUMME: 3\n3,Cid\nTOTAL\n"

    assert read(data, mapping=mapping) == [
        lead(2, "1", "Ann"),
        lead(4, "2", "Total"),
        lead(6, "3", "Cid"),
    ]


def test_rows_may_be_filled_up_with_nothing():
    assert read(b"id,name\n1,Ann,,\n \xc2\xa0, ,\n2,Bob, \n") == [
        lead(2, "1", "Ann"),
        lead(4, "2", "Bob"),
    ]


def test_a_missing_column_is_refused_where_the_mapping_names_it():
    with pytest.raises(UnknownColumn) as refused:
        read(b"id,Nmae\n1,Ann\n")

    assert refused.value.path == ("lead", "last_name")
    assert refused.value.message == "The file has no column 'name'; did you mean 'Nmae'?"


def test_all_faults_of_a_header_are_told_at_once():
    with pytest.raises(Refusals) as refused:
        read(b"x,x\n1,Ann\n")

    assert [(each.code, each.path) for each in refused.value.refusals] == [
        ("BAD_HEADER", ()),
        ("UNKNOWN_COLUMN", ("lead", "external_id")),
        ("UNKNOWN_COLUMN", ("lead", "last_name")),
    ]


def test_an_interrupted_import_goes_on_with_exactly_the_rest():
    data = b'id,name\n1,"A\nB"\n2\n3,"C\n4,"D, E"\n\n5,F\n'
    whole = read(data)
    assert [each.line for each in whole] == [2, 4, 5, 6, 8]

    for done, outcome in enumerate(whole, start=1):
        assert read(data, after=outcome.line) == whole[done:]


def test_how_far_it_is_shows_while_it_is_read():
    data = b"id,name\n" + b"1,Ann Lee Mary Roe\n" * 15_000
    reader = RowsReader(load_mapping(NAMES), total_bytes=len(data))
    seen = {reader.progress for _ in reader.read([data])}

    assert min(seen) == Decimal(BLOCK * 10_000 // len(data)) / 10_000
    assert len(seen) == -(-len(data) // BLOCK)
    assert reader.progress == 1
    assert (reader.encoding, reader.delimiter, reader.header) == ("utf-8", ",", ("id", "name"))


def test_how_far_it_is_cannot_be_said_of_a_stream_without_end():
    assert RowsReader(load_mapping(NAMES)).progress is None


async def test_an_upload_reads_as_a_file_does():
    data = b'id,name\n1,"A\nB"\n' + b"2,C\n" * 20_000 + b'3,"' + b"x\n" * 40_000 + b'"\n'

    async def upload() -> AsyncIterator[bytes]:
        for at in range(0, len(data), 10_000):
            await asyncio.sleep(0)
            yield data[at : at + 10_000]

    reader = RowsReader(load_mapping(NAMES))
    assert [outcome async for outcome in reader.read_async(upload())] == read(data, pieces=10_000)


values = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n\r"), max_size=20
)


@given(
    # An id that begins with a letter is one, whatever follows.
    rows=st.lists(st.tuples(values.map("a{}".format), values), min_size=1, max_size=20),
    pieces=st.integers(1, 50),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_whatever_a_csv_writer_writes_is_read_back_in_pieces_of_any_size(rows, pieces, end):
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("id", "name"), *rows])

    outcomes = read(written.getvalue().encode(), pieces=pieces)

    assert [
        (each.external_id.value, each.last_name) if isinstance(each, ImportedLead) else each.code
        for each in outcomes
    ] == [(key.strip(), name.strip() or None) for key, name in rows]
