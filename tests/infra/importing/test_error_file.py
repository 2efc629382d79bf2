import csv
from pathlib import Path

from domain.imports import ImportedLead, RowError, RowFault
from domain.leads import ExternalId
from infra.importing import ErrorFile, RowsReader, load_mapping

MAPPING = load_mapping("""
[lead]
external_id = { source = "crm", column = "id" }
last_name = "name"
score = "score"
""")


def leave_out(path: Path, data: bytes) -> list[ImportedLead]:
    """Import, and keep the errors in a file, as the command does."""
    reader, leads = RowsReader(MAPPING), []
    with ErrorFile(path) as errors:
        for outcome in reader.read([data]):
            if isinstance(outcome, RowError):
                errors.add(outcome, reader.header)
            else:
                leads.append(outcome)
    return leads


def test_each_row_left_out_is_written_with_line_column_code_message_and_original(tmp_path):
    path = tmp_path / "errors.csv"
    leave_out(path, b'id,name,score\n1,"Ann\nLee",ten\n2,Bob\n3,Cid,5\n')

    with path.open(encoding="utf-8", newline="") as file:
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


def test_a_resumed_import_adds_to_the_file_of_errors(tmp_path):
    path = tmp_path / "errors.csv"
    fault = RowError(line=2, column=None, code=RowFault.NO_IDENTITY, message="Who?", row=("é",))
    for resume in (False, True):
        with ErrorFile(path, resume=resume) as errors:
            errors.add(fault, ["id"])

    assert path.read_text("utf-8").splitlines() == [
        "error_line,error_column,error_code,error_message,id",
        "2,,NO_IDENTITY,Who?,é",
        "2,,NO_IDENTITY,Who?,é",
    ]


def test_without_errors_there_is_no_file_not_even_an_old_one(tmp_path):
    path = tmp_path / "errors.csv"
    path.write_text("from yesterday")

    leave_out(path, b"id,name,score\n1,Ann,5\n")

    assert not path.exists()
