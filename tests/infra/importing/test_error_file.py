import csv
from pathlib import Path

import pytest

from domain.imports import Imported, ImportedLead, RowError, RowFault, RowMapping
from domain.leads import ExternalId
from infra.importing import ErrorFile, RowsReader, load_mapping

COLUMNS = """
[lead]
external_id = { source = "crm", column = "id" }
last_name = "name"
score = "score"
"""
MAPPING = load_mapping(COLUMNS)
NO_NUMBER = "score is no whole number up to 1,000,000,000"


def leave_out(path: Path, data: bytes, mapping: RowMapping = MAPPING) -> list[Imported]:
    """Import, and keep the errors in a file, as the command does."""
    reader = RowsReader(mapping)
    outcomes = list(reader.read([data]))
    assert reader.encoding is not None
    assert reader.delimiter is not None
    with ErrorFile(path, encoding=reader.encoding, delimiter=reader.delimiter) as errors:
        for error in outcomes:
            if isinstance(error, RowError):
                errors.add(error, reader.header)
    return [outcome for outcome in outcomes if not isinstance(outcome, RowError)]


def test_each_row_left_out_is_written_with_line_column_code_message_and_original(tmp_path):
    path = tmp_path / "errors.csv"
    leave_out(path, b'id,name,score\n1,"Ann\nLee",ten\n2,Bob\n3,Cid,5\n')

    with path.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [
            ["error_line", "error_column", "error_code", "error_message", "id", "name", "score"],
            [
                "2",
                "score",
                "BAD_NUMBER",
                "score is no whole number up to 1,000,000,000: 'ten'.",
                "1",
                "Ann\nLee",
                "ten",
            ],
            ["4", "", "FIELD_COUNT", "The row has 2 fields, but there are 3 columns.", "2", "Bob"],
        ]


def test_a_mended_file_of_errors_can_be_imported_as_it_is(tmp_path):
    path = tmp_path / "errors.csv"
    leave_out(path, b"id,name,score\n1,Ann,ten\n")
    mended = path.read_bytes().replace(b",ten\r\n", b",10\r\n")

    assert leave_out(path, mended) == [
        ImportedLead(line=2, external_id=ExternalId("crm", "1"), last_name="Ann", score=10)
    ]


@pytest.mark.parametrize(
    ("declared", "written"),
    [
        ('encoding = "cp1252"\ndelimiter = ";"', "cp1252"),
        ('encoding = "utf-8"\ndelimiter = ";"', "utf-8"),
        ('delimiter = ";"', "utf-8-sig"),
        ('encoding = "utf-16"\ndelimiter = ";"', "utf-16"),
        ('encoding = "utf-16-le"\ndelimiter = ";"', "utf-16-le"),
        ("", "utf-16"),
    ],
)
def test_a_file_of_errors_is_written_as_the_file_was(tmp_path, declared, written):
    path = tmp_path / "errors.csv"
    mapping = load_mapping(f"[file]\n{declared}\n{COLUMNS}")
    leave_out(path, "id;name;score\n1;Müßig;ten\n".encode(written), mapping)
    # As a spreadsheet that keeps the encoding saves it.
    saved_as = "utf-8-sig" if written == "utf-8" else written
    mended = path.read_bytes().decode(saved_as).replace(";ten", ";10").encode(saved_as)

    assert leave_out(path, mended, mapping) == [
        ImportedLead(line=2, external_id=ExternalId("crm", "1"), last_name="Müßig", score=10)
    ]


def test_a_spreadsheet_is_told_that_a_file_of_errors_is_utf_8(tmp_path):
    path = tmp_path / "errors.csv"
    leave_out(path, "id,name,score\n1,Müßig,ten\n".encode())

    assert path.read_bytes().startswith(b"\xef\xbb\xbferror_line,")


def test_what_was_not_mended_is_told_anew_and_can_be_mended_then(tmp_path):
    first, second, third = (tmp_path / f"{number}.csv" for number in range(3))
    leave_out(first, b'id,name,score\n1,Ann,ten\n2,"Bob,5\n3,Cid,two\n')
    leave_out(second, first.read_bytes().replace(b"ten", b"eleven"))
    leave_out(third, second.read_bytes())

    with third.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [
            ["error_line", "error_column", "error_code", "error_message", "id", "name", "score"],
            ["2", "score", "BAD_NUMBER", f"{NO_NUMBER}: 'eleven'.", "1", "Ann", "eleven"],
            ["3", "", "FIELD_COUNT", "The row has 5 fields, but there are 7 columns.", '2,"Bob,5'],
            ["4", "score", "BAD_NUMBER", f"{NO_NUMBER}: 'two'.", "3", "Cid", "two"],
        ]


def test_a_resumed_import_adds_to_the_file_of_errors(tmp_path):
    path = tmp_path / "errors.csv"
    fault = RowError(line=2, column=None, code=RowFault.NO_IDENTITY, message="Who?", row=("é",))
    for resume in (False, True):
        with ErrorFile(path, resume=resume) as errors:
            errors.add(fault, ["id"])

    assert path.read_text("utf-8-sig").splitlines() == [
        "error_line,error_column,error_code,error_message,id",
        "2,,NO_IDENTITY,Who?,é",
        "2,,NO_IDENTITY,Who?,é",
    ]


def test_without_errors_there_is_no_file_not_even_an_old_one(tmp_path):
    path = tmp_path / "errors.csv"
    path.write_text("from yesterday")

    leave_out(path, b"id,name,score\n1,Ann,5\n")

    assert not path.exists()
