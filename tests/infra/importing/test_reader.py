"""What is promised of a file of leads, whatever it is made of."""

import asyncio
import csv
import io
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Refusals
from domain.imports import (
    BadHeader,
    ImportedLead,
    ImportedStep,
    NotCsv,
    RowError,
    RowFault,
    StepKind,
    UnknownColumn,
    UnknownEncoding,
)
from domain.leads import ExternalId
from domain.stages import Stage
from infra.importing import Outcome, RowsReader, chunks_of, load_mapping, records
from infra.importing.reader import BLOCK, SAMPLE

REPOSITORY = Path(__file__).parents[3]
DATA = Path(os.environ.get("SMARKETING_DATA") or REPOSITORY.parent / "shared" / "data")
MAPPINGS = REPOSITORY / "docs" / "mappings"

NAMES = """
[lead]
external_id = { source = "crm", column = "id" }
last_name = "name"
"""


def lead(line: int, key: str, name: str | None) -> ImportedLead:
    return ImportedLead(line=line, external_id=ExternalId("crm", key), last_name=name)


def read(data: bytes, *, mapping: str = NAMES, pieces: int = 7, after: int = 0) -> list[Outcome]:
    chunks = [data[at : at + pieces] for at in range(0, len(data), pieces)]
    return list(RowsReader(load_mapping(mapping), start_after_line=after).read(chunks))


def declared(encoding: str) -> str:
    return f'[file]\nencoding = "{encoding}"\n{NAMES}'


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
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("utf-32-le", b"\xff\xfe\x00\x00"),
        ("utf-32-be", b"\x00\x00\xfe\xff"),
    ],
)
def test_a_byte_order_mark_says_how_to_read_and_is_no_part_of_the_name(encoding, mark):
    data = mark + "id,name\n1,Conceição 🙂\n".encode(encoding)

    assert read(data, pieces=3) == [lead(2, "1", "Conceição 🙂")]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("cp1252", "Conceição"),
        ("iso-8859-2", "Łukasz Żółć"),
        ("koi8-r", "Иван"),
        ("shift_jis", "山田太郎"),
        ("utf-16-le", "Ann"),
        ("mac_roman", "Käthe"),
    ],
)
def test_any_declared_encoding_is_read_as_such(encoding, name):
    data = f"id,name\n1,{name}\n".encode(encoding)

    assert read(data, mapping=declared(encoding)) == [lead(2, "1", name)]


def test_an_undeclared_encoding_is_refused_with_a_choice_never_guessed():
    with pytest.raises(UnknownEncoding) as refused:
        read("id,name\n1,Ann\n2,Conceição\n".encode("cp1252"))

    assert refused.value.path == ("file", "encoding")
    assert refused.value.message.startswith("The file is not UTF-8 (line 3); declare its encoding.")
    assert "cp1252 ('2,Conceição')" in refused.value.message
    assert "cp1250 ('2,Conceiçăo')" in refused.value.message


def test_utf_16_without_a_mark_has_to_be_declared():
    with pytest.raises(UnknownEncoding, match="UTF-16 without a byte order mark"):
        read("id,name\n1,Ann\n".encode("utf-16-le"))


def test_a_declared_encoding_that_the_file_contradicts_is_refused():
    with pytest.raises(UnknownEncoding, match=r"cp1252 is declared, but .* mark of utf-8"):
        read(b"\xef\xbb\xbfid,name\n1,Ann\n", mapping=declared("cp1252"))


def test_bytes_that_are_no_text_cost_their_own_row_only():
    good = b"id,name\n" + (b"1," + b"n" * 150 + b"\n") * (SAMPLE // 150)
    bad = len(good.splitlines()) + 1

    outcomes = read(good + b"2,Conceic\xe3o\n3,Bob\n", pieces=50_000)[-2:]

    assert outcomes == [
        RowError(
            line=bad,
            column="name",
            code=RowFault.BAD_ENCODING,
            message="name holds bytes that are not utf-8.",
            row=("2", "Conceic\ufffdo"),
        ),
        lead(bad + 1, "3", "Bob"),
    ]


def test_a_nul_costs_its_own_row_only():
    assert read(b"id,name\n1,A\x00nn\n2,Bob\n") == [
        RowError(
            line=2,
            column="name",
            code=RowFault.NUL_CHARACTER,
            message="name holds a NUL character.",
            row=("1", "A\ufffdnn"),
        ),
        lead(3, "2", "Bob"),
    ]


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


def broken(line: int, text: str) -> RowError:
    return RowError(
        line=line,
        column=None,
        code=RowFault.BAD_QUOTING,
        message="The quotes of this row do not match.",
        row=(text,),
    )


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
    rows=st.lists(st.tuples(values, values), min_size=1, max_size=20),
    pieces=st.integers(1, 50),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_whatever_a_csv_writer_writes_is_read_back_in_pieces_of_any_size(rows, pieces, end):
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("id", "name"), *rows])

    outcomes = read(written.getvalue().encode(), pieces=pieces)

    read_back = [
        (each.external_id.value, each.last_name) if isinstance(each, ImportedLead) else each.code
        for each in outcomes
    ]
    assert read_back == [
        (key.strip(), name.strip() or None) if key.strip() else RowFault.NO_IDENTITY
        for key, name in rows
        if key or name
    ]


def olist(name: str) -> Path:
    path = DATA / f"olist_{name}.csv"
    if not path.exists():
        pytest.skip(f"{path.name} is not here; set SMARKETING_DATA to the folder that holds it")
    return path


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="") as file:
        yield from csv.DictReader(file)


def leads_of(name: str) -> list[Outcome]:
    path = olist(name)
    mapping = load_mapping((MAPPINGS / f"olist_{name}.toml").read_text("utf-8"))
    reader = RowsReader(mapping, total_bytes=path.stat().st_size)
    outcomes = list(reader.read(chunks_of(path)))
    assert reader.progress == 1
    return outcomes


def test_the_real_leads_are_read_whole():
    leads = leads_of("mqls")

    assert Counter(map(type, leads)) == {ImportedLead: 8000}
    assert sum(each.origin_source is None for each in leads) == 60
    assert {each.external_id.value for each in leads} == {
        row["mql_id"] for row in rows_of(olist("mqls"))
    }
    qualified = datetime(2018, 2, 1, 2, tzinfo=UTC)  # midnight of a Brazilian summer
    assert leads[0] == ImportedLead(
        line=2,
        external_id=ExternalId("olist", "dac32acd4db4c29c230538b72f8dd87d"),
        origin_source="social",
        seen_at=qualified,
        steps=(
            ImportedStep(kind=StepKind.STAGE, at=qualified, stage=Stage.MQL),
            ImportedStep(
                kind=StepKind.HAND_OFF, at=qualified, from_team="Marketing", to_team="Sales"
            ),
        ),
    )


def test_the_real_leads_fall_into_the_months_that_a_plain_count_finds():
    zone = load_mapping((MAPPINGS / "olist_mqls.toml").read_text("utf-8")).file.time_zone
    plain = Counter(
        (int(row["first_contact_date"].split("/")[2]), int(row["first_contact_date"].split("/")[0]))
        for row in rows_of(olist("mqls"))
    )

    assert months(leads_of("mqls"), StepKind.HAND_OFF, zone) == plain
    assert plain.total() == 8000


def test_the_real_deals_are_won_in_the_months_that_a_plain_count_finds():
    deals = leads_of("closed_deals")
    zone = load_mapping((MAPPINGS / "olist_closed_deals.toml").read_text("utf-8")).file.time_zone
    plain = Counter(
        (int(row["won_date"].split()[0].split("/")[2]), int(row["won_date"].split("/")[0]))
        for row in rows_of(olist("closed_deals"))
    )

    assert Counter(map(type, deals)) == {ImportedLead: 380}
    assert months(deals, StepKind.ACCEPT, zone) == plain
    assert months(deals, StepKind.STAGE, zone) == plain
    assert plain.total() == 380


def months(leads: Sequence[Outcome], kind: StepKind, zone: str) -> Counter[tuple[int, int]]:
    local = (
        step.at.astimezone(ZoneInfo(zone))
        for each in leads
        if isinstance(each, ImportedLead)
        for step in each.steps
        if step.kind is kind
    )
    return Counter((at.year, at.month) for at in local)
