from datetime import UTC, datetime

import pytest

from domain.imports import ImportedLead, ImportedStep, RowError, RowFault, StepKind
from domain.leads import ExternalId
from domain.stages import Stage
from infra.importing import load_mapping
from infra.importing.rows import RowReader

MAPPING = load_mapping("""
[file]
time_zone = "America/Sao_Paulo"
date_formats = ["%m/%d/%Y %H:%M", "%m/%d/%Y", "iso"]
blanks = ["n/a"]

[lead]
external_id = { source = "crm", column = "id" }
email = { column = "email", letters = "lower" }
first_name = { column = "name", required = true }
origin_source = { column = "origin", values = { ads = "paid", x = "" }, otherwise = "refuse" }
origin_medium = { constant = "web" }
score = "score"
seen_at = "seen"

[hand_off]
at = "handed"
to_team = { constant = "Sales" }
from_team = "team"

[accept]
at = "accepted"

[recycle]
at = "recycled"
reason = "why"

[[stage]]
stage = "CUSTOMER"
at = "accepted"

[[stage]]
stage = "MQL"
at = "handed"
""")
HEADER = ["id", "email", "name", "origin", "score", "seen", "handed", "team", "accepted"]
HEADER += ["recycled", "why"]
ROW = {"id": "7", "name": "Ann"}
NOBODY = "The row has neither an external id nor an e-mail address."
UNLISTED = "origin has a value that is not listed"
NO_NUMBER = "score is no whole number up to 1,000,000,000"
NO_DATE = "seen is no date like 02/26/2018 19:58 or 02/26/2018 or 2018-02-26"
NO_YEAR = "seen is not from 1970 up to 2099"
ROUNDED, AS_TEXT = "is a number that a spreadsheet has rounded", "export it as text"
BLANKS = "name it in `blanks` if so"
PLAIN = {"external_id": ExternalId("crm", "7"), "first_name": "Ann", "origin_medium": "web"}


def read(**values: str) -> ImportedLead | RowError | None:
    row = ROW | values
    return RowReader(MAPPING, HEADER).read(2, [row.get(name, "") for name in HEADER])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, {}),
        ({"name": " \u00a0Ann\t"}, {}),
        (
            {"id": "n/a", "email": "Ann@Example.COM"},
            {"external_id": None, "email": "ann@example.com"},
        ),
        ({"origin": "ads"}, {"origin_source": "paid"}),
        ({"origin": "x"}, {"origin_source": None}),
        ({"origin": " n/a "}, {"origin_source": None}),
        ({"score": "50"}, {"score": 50}),
        ({"score": "-7.0"}, {"score": -7}),
        ({"seen": "2/1/2018"}, {"seen_at": datetime(2018, 2, 1, 2, tzinfo=UTC)}),
        ({"seen": "02/01/2018 19:58"}, {"seen_at": datetime(2018, 2, 1, 21, 58, tzinfo=UTC)}),
        ({"seen": "2018-02-01T00:00:00Z"}, {"seen_at": datetime(2018, 2, 1, tzinfo=UTC)}),
        ({"seen": "2018-07-01"}, {"seen_at": datetime(2018, 7, 1, 3, tzinfo=UTC)}),
    ],
)
def test_a_row_says_what_the_mapping_makes_of_it(values, expected):
    assert read(**values) == ImportedLead(line=2, **(PLAIN | expected))


def test_what_happened_on_one_day_happened_in_the_order_of_a_hand_off():
    day = datetime(2018, 2, 1, 2, tzinfo=UTC)
    later = datetime(2018, 2, 3, 2, tzinfo=UTC)
    lead = read(handed="2/1/2018", team="Web", accepted="2/1/2018", recycled="2/3/2018", why="Away")

    assert lead == ImportedLead(
        line=2,
        **PLAIN,
        steps=(
            ImportedStep(kind=StepKind.STAGE, at=day, stage=Stage.MQL),
            ImportedStep(kind=StepKind.HAND_OFF, at=day, from_team="Web", to_team="Sales"),
            ImportedStep(kind=StepKind.ACCEPT, at=day),
            ImportedStep(kind=StepKind.STAGE, at=day, stage=Stage.CUSTOMER),
            ImportedStep(kind=StepKind.RECYCLE, at=later, reason="Away"),
        ),
    )


@pytest.mark.parametrize(
    ("values", "column", "code", "message"),
    [
        ({"name": ""}, "name", "REQUIRED", "name is blank."),
        ({"name": "n/a"}, "name", "REQUIRED", "name is blank."),
        ({"id": ""}, None, "NO_IDENTITY", NOBODY),
        ({"email": "ann"}, "email", "BAD_EMAIL", "email is no e-mail address: 'ann'."),
        ({"email": "a@b@c.de"}, "email", "BAD_EMAIL", "email is no e-mail address: 'a@b@c.de'."),
        ({"origin": "tv"}, "origin", "UNKNOWN_VALUE", f"{UNLISTED}: 'tv'."),
        ({"score": "1.5"}, "score", "BAD_NUMBER", f"{NO_NUMBER}: '1.5'."),
        ({"score": "9" * 99}, "score", "BAD_NUMBER", f"{NO_NUMBER}: '{'9' * 80}'."),
        ({"score": "NaN"}, "score", "BAD_NUMBER", f"{NO_NUMBER}: 'NaN'."),
        ({"score": "٥"}, "score", "BAD_NUMBER", f"{NO_NUMBER}: '٥'."),
        ({"seen": "13/1/2018"}, "seen", "BAD_DATE", f"{NO_DATE}: '13/1/2018'."),
        ({"seen": "2/30/2018"}, "seen", "BAD_DATE", f"{NO_DATE}: '2/30/2018'."),
        ({"seen": "2/1/0018"}, "seen", "DATE_OUT_OF_RANGE", f"{NO_YEAR}: '2/1/0018'."),
        ({"seen": "9999-12-31"}, "seen", "DATE_OUT_OF_RANGE", f"{NO_YEAR}: '9999-12-31'."),
        ({"id": "7" * 201}, "id", "TEXT_TOO_LONG", "id is longer than 200 characters."),
        ({"name": "", "score": "x"}, "name", "REQUIRED", f"name is blank. {NO_NUMBER}: 'x'."),
        ({"id": "1.23457E+11"}, "id", "BAD_ID", f"id {ROUNDED}: '1.23457E+11'; {AS_TEXT}."),
        ({"id": "1,2e+5"}, "id", "BAD_ID", f"id {ROUNDED}: '1,2e+5'; {AS_TEXT}."),
        ({"id": "#N/A"}, "id", "BAD_ID", f"id says that there is none: '#N/A'; {BLANKS}."),
        ({"id": "#BEZUG!"}, "id", "BAD_ID", f"id says that there is none: '#BEZUG!'; {BLANKS}."),
        ({"id": "--"}, "id", "BAD_ID", f"id says that there is none: '--'; {BLANKS}."),
        (
            {"id": "(not set)"},
            "id",
            "BAD_ID",
            f"id says that there is none: '(not set)'; {BLANKS}.",
        ),
        ({"id": "NULL"}, "id", "BAD_ID", f"id says that there is none: 'NULL'; {BLANKS}."),
        # Two things come from this column.
        ({"accepted": "x"}, "accepted", "BAD_DATE", f"{NO_DATE.replace('seen', 'accepted')}: 'x'."),
    ],
)
def test_a_value_that_cannot_be_is_told_by_column(values, column, code, message):
    row = ROW | values
    assert read(**values) == RowError(
        line=2,
        column=column,
        code=RowFault(code),
        message=message,
        row=tuple(row.get(name, "") for name in HEADER),
    )


@pytest.mark.parametrize("key", ["00123", "1E5", "e+11", "#7", "None of these", "дом-1", "12-34"])
def test_what_may_be_an_id_is_one(key):
    assert read(id=key) == ImportedLead(line=2, **PLAIN | {"external_id": ExternalId("crm", key)})


def test_a_blank_row_is_no_row():
    assert RowReader(MAPPING, HEADER).read(2, [""] * len(HEADER)) is None
