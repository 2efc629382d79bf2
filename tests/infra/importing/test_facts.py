from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from domain.errors import DomainError, Refusals
from domain.imports import (
    SCHEMAS,
    FactKind,
    FactMapping,
    Imported,
    ImportedFact,
    RowError,
    RowFault,
)
from domain.leads import ExternalId
from domain.touches import TouchKind
from infra.importing import load_mapping
from infra.importing.rows import RowReader

DEALS = """
[file]
time_zone = "Europe/Berlin"
date_formats = ["%d.%m.%Y %H:%M", "%d.%m.%Y"]
decimal_mark = ","

[opportunity]
external_id = { source = "crm", column = "deal", required = true }
lead_external_id = { source = "crm", column = "contact" }
lead_email = { column = "mail", letters = "lower" }
status = { column = "state", values = { won = "WON", lost = "LOST", "" = "OPEN" } }
amount = "sum"
currency = { constant = "EUR" }
opened_at = "opened"
closed_at = "closed"
expected_close_on = "expected"
lost_reason = "why"
"""
HEADER = ["deal", "contact", "mail", "state", "sum", "opened", "closed", "expected", "why"]


def read(document: str, header: Sequence[str], **values: str) -> Imported | RowError | None:
    row = [values.get(name, "") for name in header]
    return RowReader(load_mapping(document), header).read(2, row)


def refusals_of(document: str) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(DomainError) as refused:
        load_mapping(document)
    error = refused.value
    each = error.refusals if isinstance(error, Refusals) else [error]
    assert {refusal.code for refusal in each} == {"BAD_MAPPING"}
    return [(refusal.path, refusal.message) for refusal in each]


def test_a_row_of_a_deal_is_read_by_its_mapping():
    said = read(
        DEALS,
        HEADER,
        deal="D-7",
        contact="4711",
        mail="Ann@Example.com",
        state="won",
        sum="1.234,56",
        opened="01.03.2026",
        closed="29.03.2026 03:30",
        expected="31.03.2026",
    )
    assert said == ImportedFact(
        line=2,
        kind=FactKind.OPPORTUNITY,
        values={
            "external_id": ExternalId("crm", "D-7"),
            "lead_external_id": ExternalId("crm", "4711"),
            "lead_email": "ann@example.com",
            "status": "WON",
            "amount": Decimal("1234.56"),
            "currency": "EUR",
            "opened_at": datetime(2026, 2, 28, 23, 0, tzinfo=UTC),
            "closed_at": datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
            "expected_close_on": date(2026, 3, 31),
        },
    )


def test_a_blank_field_says_nothing():
    said = read(DEALS, HEADER, deal="D-7")
    assert isinstance(said, ImportedFact)
    assert said.values == {
        "external_id": ExternalId("crm", "D-7"),
        "status": "OPEN",
        "currency": "EUR",
    }


def amounts_with(mark):
    document = f'[file]\ndecimal_mark = "{mark}"\n[cost]\ncampaign = {{ constant = "x" }}\n'
    return (
        document + 'on = { constant = "2026-01-01" }\namount = "a"\ncurrency = { constant = "EUR" }'
    )


@pytest.mark.parametrize(("mark", "text"), [(".", "1234,5"), (".", "1.234,50"), (",", "1234.5")])
def test_an_amount_by_the_other_mark_is_left_out_and_says_how_it_would_be_one(mark, text):
    said = read(amounts_with(mark), ["a"], a=text)

    other = "," if mark == "." else "."
    assert isinstance(said, RowError)
    assert (said.column, said.code) == ("a", RowFault.BAD_NUMBER)
    assert said.message == (
        f"a is no amount such as 1234{mark}56: {text!r}."
        f'  It is one if the mapping says decimal_mark = "{other}".'
    )


@pytest.mark.parametrize(
    ("mark", "text", "amount"),
    [
        (".", "1234.5", "1234.5"),
        (".", "1,234,567.89", "1234567.89"),
        (".", "1'234.50", "1234.50"),
        (".", "-12", "-12"),
        (".", "+0.004", "0.004"),
        (",", "1.234,5", "1234.5"),
        (",", "1\u202f234,50", "1234.50"),
        (",", "12", "12"),
        (".", "1,23,456", None),
        (".", "1e6", None),
        (".", "NaN", None),
        (".", "\u0661\u0662", None),
        (".", "1" * 16, None),
    ],
)
def test_an_amount_is_read_by_the_declared_mark_and_never_guessed(mark, text, amount):
    said = read(amounts_with(mark), ["a"], a=text)
    if amount is None:
        assert isinstance(said, RowError)
        assert (said.column, said.code) == ("a", RowFault.BAD_NUMBER)
        assert said.message == f"a is no amount such as 1234{mark}56: {text!r}."
    else:
        assert isinstance(said, ImportedFact)
        assert said.values["amount"] == Decimal(amount)


SIGNS = 'currency_signs = ["€", "EUR", "EURO"]'


@pytest.mark.parametrize("text", ["€ 1,200.50", "1,200.50€", "EUR 1,200.50", "1,200.50\u00a0EURO"])
def test_the_sign_of_a_currency_is_passed_over_where_the_mapping_names_it(text):
    said = read(amounts_with(".").replace("[file]", f"[file]\n{SIGNS}"), ["a"], a=text)

    assert isinstance(said, ImportedFact)
    assert said.values["amount"] == Decimal("1200.50")


@pytest.mark.parametrize(("text", "amount"), [("-€5", "-5"), ("€ -5", "-5"), ("-5 €", "-5")])
def test_less_than_nothing_stays_so_with_a_sign(text, amount):
    said = read(amounts_with(".").replace("[file]", f"[file]\n{SIGNS}"), ["a"], a=text)

    assert isinstance(said, ImportedFact)
    assert said.values["amount"] == Decimal(amount)


@pytest.mark.parametrize("text", ["€5€", "5 € 5", "€", "$5", "--5", "-€-5"])
def test_what_is_no_amount_beside_a_sign_is_left_out(text):
    said = read(amounts_with(".").replace("[file]", f"[file]\n{SIGNS}"), ["a"], a=text)

    assert isinstance(said, RowError)
    assert (said.column, said.code) == ("a", RowFault.BAD_NUMBER)


@pytest.mark.parametrize(("text", "sign"), [("€ 12", "€"), ("1,200.50 USD", "USD")])
def test_an_amount_with_a_sign_says_how_it_would_be_one(text, sign):
    said = read(amounts_with("."), ["a"], a=text)

    assert isinstance(said, RowError)
    assert said.message == (
        f"a is no amount such as 1234.56: {text!r}."
        f'  It is one if the mapping says currency_signs = ["{sign}"].'
    )


def test_a_blank_may_stand_for_a_value():
    document = DEALS.replace(
        'lost_reason = "why"', 'lost_reason = { column = "why", values = { "" = "Not told" } }'
    )
    said = read(document, HEADER, deal="D-7")

    assert isinstance(said, ImportedFact)
    assert (said.values["status"], said.values["lost_reason"]) == ("OPEN", "Not told")


def test_what_is_taken_as_a_blank_may_stand_for_a_value_too():
    document = DEALS.replace('"" = "OPEN" } }', '"" = "OPEN" }, otherwise = "blank" }')
    said = [read(document, HEADER, deal="D-7", state=state) for state in ("", "Proposal", "won")]

    assert [fact.values["status"] for fact in said if isinstance(fact, ImportedFact)] == [
        "OPEN",
        "OPEN",
        "WON",
    ]


def test_every_fault_of_a_row_is_told():
    said = read(
        DEALS, HEADER, deal="D-7", mail="nobody", state="maybe", sum="much", opened="2026-03-01"
    )
    assert isinstance(said, RowError)
    assert (said.line, said.column, said.code) == (2, "mail", RowFault.BAD_EMAIL)
    assert said.message == (
        "mail is no e-mail address: 'nobody'."
        " state is none of OPEN, WON, LOST: 'maybe'."
        " sum is no amount such as 1234,56: 'much'."
        " opened is no date like 26.02.2018 19:58 or 26.02.2018: '2026-03-01'."
    )


def test_a_row_that_tells_of_nobody_is_left_out():
    document = (
        '[touch]\nlead_email = "mail"\nvisitor = "cookie"\nkind = { constant = "CALL" }\n'
        'occurred_at = "at"'
    )
    said = read(document, ["mail", "cookie", "at"], at="2026-03-01T10:00:00Z")
    assert said == RowError(
        line=2,
        column=None,
        code=RowFault.NO_IDENTITY,
        message="The row says none of lead_external_id, lead_email, visitor.",
        row=("", "", "2026-03-01T10:00:00Z"),
    )


def test_a_field_that_every_row_needs_may_not_be_blank():
    document = '[touch]\nlead_email = "mail"\nkind = "what"\noccurred_at = "at"'
    said = read(document, ["mail", "what", "at"], mail="ann@example.com", what="CALL")
    assert isinstance(said, RowError)
    assert (said.column, said.code, said.message) == ("at", RowFault.REQUIRED, "at is blank.")


@pytest.mark.parametrize("kind", FactKind)
def test_a_mapping_of_every_kind_can_be_written_with_all_its_fields(kind):
    schema = SCHEMAS[kind]
    lines = [
        f"{field.name} = {{ source = 'crm', column = '{field.name}' }}"
        if field.kind == "name in another system"
        else f"{field.name} = '{field.name}'"
        for field in schema.fields
    ]
    mapping = load_mapping("\n".join([f"[{kind.value}]", *lines]))
    assert isinstance(mapping, FactMapping)
    assert mapping.kind is kind
    assert tuple(mapping.fields) == schema.names
    assert set(schema.told_by) <= set(schema.names)


@pytest.mark.parametrize(
    ("document", "refusals"),
    [
        (
            '[touch]\nlead_email = "a"',
            [
                (("touch", "kind"), "Say which column holds the kind."),
                (("touch", "occurred_at"), "Say which column holds the occurred_at."),
            ],
        ),
        (
            '[touch]\nkind = "a"\noccurred_at = "b"',
            [
                (
                    ("touch",),
                    "Say which column holds the lead_external_id or the lead_email or the visitor.",
                )
            ],
        ),
        (
            '[touch]\nlead_email = "a"\nkind = { constant = "HUG" }\noccurred_at = "b"',
            [
                (
                    ("touch", "kind", "constant"),
                    f"'HUG' is none of {', '.join(TouchKind)}.",
                )
            ],
        ),
        (
            '[opportunity]\nexternal_id = "a"',
            [
                (
                    ("opportunity", "external_id"),
                    "Name the system the ids come from: { source = 'crm', column = 'id' }.",
                )
            ],
        ),
        (
            '[company]\nnam = "a"',
            [(("company", "nam"), "'nam' is not known here; did you mean 'name'?")],
        ),
        (
            '[lead]\nemail = "a"\n[cost]\ncampaign = "b"',
            [(("cost",), "The rows of a file tell of one thing, not of [lead] and [cost].")],
        ),
        (
            '[file]\ndecimal_mark = "!"\n[company]\nname = "a"',
            [(("file", "decimal_mark"), "A decimal mark is '.' or ','.")],
        ),
    ],
)
def test_a_mapping_that_cannot_be_followed_is_refused_where_it_is_wrong(document, refusals):
    assert refusals_of(document) == refusals
