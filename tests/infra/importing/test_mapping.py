from pathlib import Path

import pytest

from domain.errors import DomainError, Refusals
from domain.imports import (
    SCHEMAS,
    BadMapping,
    Cell,
    FactKind,
    FileMapping,
    LeadField,
    LeadMapping,
    Letters,
    Otherwise,
    RowMapping,
    StepKind,
    StepMapping,
)
from domain.stages import Stage
from infra.importing import load_mapping, parse_mapping

DOCS = Path(__file__).parents[3] / "docs"
LEAD = '[lead]\nemail = "E-mail"\n'


def refusals_of(text: str) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(DomainError) as refused:
        load_mapping(text)
    error = refused.value
    each = error.refusals if isinstance(error, Refusals) else [error]
    assert {refusal.code for refusal in each} == {"BAD_MAPPING"}
    return [(refusal.path, refusal.message) for refusal in each]


def test_a_mapping_says_which_column_gives_what():
    dates = ("%d.%m.%Y",)
    assert load_mapping(r"""
        [file]
        encoding = "Windows-1252"
        delimiter = "\t"
        time_zone = "Europe/Berlin"
        date_formats = ["%d.%m.%Y"]
        blanks = ["-", "n/a"]

        [lead]
        external_id = { source = "crm", column = "Id", required = true }
        email = { column = "E-mail", letters = "lower" }
        origin_source = { column = "Quelle", values = { Messe = "event" }, otherwise = "blank" }
        origin_medium = { constant = "offline" }
        seen_at = { column = "Erstkontakt", formats = ["iso"] }

        [hand_off]
        at = "Übergabe"
        to_team = { constant = "Vertrieb" }

        [reject]
        at = "Abgelehnt"
        reason = "Grund"

        [[stage]]
        stage = "CUSTOMER"
        at = "Gewonnen"
    """) == LeadMapping(
        file=FileMapping(
            encoding="cp1252",
            delimiter="\t",
            time_zone="Europe/Berlin",
            date_formats=dates,
            blanks=frozenset({"-", "n/a"}),
        ),
        fields={
            LeadField.EXTERNAL_ID: Cell(path=("lead", "external_id"), column="Id", required=True),
            LeadField.EMAIL: Cell(path=("lead", "email"), column="E-mail", letters=Letters.LOWER),
            LeadField.ORIGIN_SOURCE: Cell(
                path=("lead", "origin_source"),
                column="Quelle",
                values={"Messe": "event"},
                otherwise=Otherwise.BLANK,
            ),
            LeadField.ORIGIN_MEDIUM: Cell(path=("lead", "origin_medium"), constant="offline"),
            LeadField.SEEN_AT: Cell(
                path=("lead", "seen_at"), column="Erstkontakt", formats=("iso",)
            ),
        },
        external_id_source="crm",
        steps=(
            StepMapping(
                kind=StepKind.HAND_OFF,
                at=Cell(path=("hand_off", "at"), column="Übergabe", formats=dates),
                to_team=Cell(path=("hand_off", "to_team"), constant="Vertrieb"),
            ),
            StepMapping(
                kind=StepKind.REJECT,
                at=Cell(path=("reject", "at"), column="Abgelehnt", formats=dates),
                reason=Cell(path=("reject", "reason"), column="Grund"),
            ),
            StepMapping(
                kind=StepKind.STAGE,
                at=Cell(path=("stage", 0, "at"), column="Gewonnen", formats=dates),
                stage=Stage.CUSTOMER,
            ),
        ),
    )


def told_by(mapping: RowMapping) -> tuple[object, ...]:
    """Return what a mapping is of, and the systems whose names it gives."""
    if isinstance(mapping, LeadMapping):
        return ("lead", mapping.external_id_source)
    return (mapping.kind, *sorted(set(mapping.sources.values())))


def test_the_mappings_in_the_documentation_can_be_followed():
    assert {
        path.stem: told_by(load_mapping(path.read_text("utf-8")))
        for path in (DOCS / "mappings").glob("*.toml")
    } == {
        "olist_mqls": ("lead", "olist"),
        "olist_closed_deals": ("lead", "olist"),
        "olist_won_deals": (FactKind.OPPORTUNITY, "olist"),
        "companies": (FactKind.COMPANY,),
        "touches": (FactKind.TOUCH, "mailer"),
        "opportunities": (FactKind.OPPORTUNITY, "crm"),
        "costs": (FactKind.COST, "ads"),
    }


def test_the_examples_in_the_guide_can_be_followed():
    guide = (DOCS / "imports.md").read_text("utf-8")
    examples = [part.partition("```")[0] for part in guide.split("```toml\n")[1:]]

    assert [told_by(load_mapping(example)) for example in examples] == [
        ("lead", "crm"),
        (FactKind.COST, "ads"),
        (FactKind.OPPORTUNITY, "salesforce"),
    ]


@pytest.mark.parametrize("kind", FactKind)
def test_the_guide_names_every_field(kind):
    guide = (DOCS / "imports.md").read_text("utf-8")
    row = next(line for line in guide.splitlines() if line.startswith(f"| `[{kind}]` |"))

    assert [name for name in SCHEMAS[kind].names if f"`{name}`" not in row] == []


def stage(line: str) -> str:
    return f'{LEAD}[[stage]]\nstage = "MQL"\nat = "Day"\n[[stage]]\n{line}'


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ('[leads]\nemail = "x"\n' + LEAD, ("leads",), "did you mean 'lead'?"),
        (LEAD + 'emial = "x"', ("lead", "emial"), "did you mean 'email'?"),
        (LEAD + "score = 5", ("lead", "score"), "Give a column's name"),
        (LEAD + 'score = ""', ("lead", "score", "column"), "1 to 200 characters"),
        (LEAD + 'score = "\\u0000"', ("lead", "score", "column"), "1 to 200 characters"),
        (LEAD + "score = {}", ("lead", "score"), "either a column or a constant"),
        (
            LEAD + 'score = { column = "a", constant = "b" }',
            ("lead", "score"),
            "either a column or a constant",
        ),
        (
            LEAD + 'score = { colum = "a", column = "b" }',
            ("lead", "score", "colum"),
            "did you mean 'column'?",
        ),
        (
            LEAD + 'score = { column = "a", required = "yes" }',
            ("lead", "score", "required"),
            "true or false",
        ),
        (
            LEAD + 'score = { column = "a", letters = "lowr" }',
            ("lead", "score", "letters"),
            "did you mean 'lower'?",
        ),
        (
            LEAD + 'score = { column = "a", otherwise = "drop" }',
            ("lead", "score", "otherwise"),
            "there are 'keep', 'blank', 'refuse'.",
        ),
        (
            LEAD + 'score = { column = "a", values = { hot = 90 } }',
            ("lead", "score", "values", "hot"),
            "replaced by a text",
        ),
        (
            LEAD + 'score = { column = "a", formats = ["iso"] }',
            ("lead", "score", "formats"),
            "not known here",
        ),
        (LEAD + 'external_id = "Id"', ("lead", "external_id"), "Name the system"),
        ('[lead]\nlast_name = "Name"', ("lead",), "external_id or the email"),
        ("lead = 5", ("lead",), "to be a table"),
        (f'{LEAD}[file]\nencoding = "latin9000"', ("file", "encoding"), "No encoding is called"),
        (f'{LEAD}[file]\nencoding = "base64"', ("file", "encoding"), "No encoding is called"),
        (f'{LEAD}[file]\nencoding = "punycode"', ("file", "encoding"), "No encoding is called"),
        (f'{LEAD}[file]\ndelimiter = ":"', ("file", "delimiter"), "A delimiter is"),
        (
            f'{LEAD}[file]\ntime_zone = "Europe/Berln"',
            ("file", "time_zone"),
            "did you mean 'Europe/Berlin'?",
        ),
        (f'{LEAD}[file]\ntime_zone = "../passwd"', ("file", "time_zone"), "There is no time zone"),
        (f'{LEAD}[file]\ntime_zone = "/etc/passwd"', ("file", "time_zone"), "no time zone"),
        (f'{LEAD}[file]\ntime_zone = "America"', ("file", "time_zone"), "no time zone"),
        (f"{LEAD}[file]\nblanks = [1]", ("file", "blanks"), "a list of at most 50 texts"),
        (f"{LEAD}[file]\nskip_rows = [' ']", ("file", "skip_rows", 0), "with nothing"),
        (
            f'{LEAD}[file]\ndate_formats = ["iso", "%m/%d"]',
            ("file", "date_formats", 1),
            "exactly one of %Y %y",
        ),
        (
            f'{LEAD}[file]\ndate_formats = ["%x"]',
            ("file", "date_formats", 0),
            "'%x' is not known",
        ),
        (
            f'{LEAD}[file]\ndate_formats = ["%m/%d/%Y", "%d/%m/%Y"]',
            ("file", "date_formats"),
            "read the same text as two days",
        ),
        (
            LEAD + 'seen_at = { constant = "yesterday" }',
            ("lead", "seen_at", "constant"),
            "no date in any of the formats",
        ),
        (f'{LEAD}[accept]\nreason = "x"', ("accept", "at"), "when it happened"),
        (f'{LEAD}[accept]\nat = "x"\nto_team = "y"', ("accept", "to_team"), "not known here"),
        (f'{LEAD}[stage]\nstage = "MQL"', ("stage",), "under [[stage]]"),
        (stage('at = "x"'), ("stage", 1, "stage"), "Say which stage"),
        (stage('at = "x"\nstage = "MLQ"'), ("stage", 1, "stage"), "did you mean 'MQL'?"),
        ("lead = [", (), "not TOML"),
        ("#" * 70_000, (), "at most 65536 characters"),
    ],
)
def test_a_fault_is_told_where_it_stands(text, path, message):
    ((found, told),) = refusals_of(text)

    assert found == path
    assert message in told


def test_all_faults_are_told_at_once():
    assert [
        path for path, _ in refusals_of('x = 1\n[file]\ndelimiter = "-"\n[lead]\nemial = "x"')
    ] == [
        ("x",),
        ("file", "delimiter"),
        ("lead", "emial"),
    ]


def test_what_comes_as_json_is_judged_likewise():
    with pytest.raises(BadMapping) as refused:
        parse_mapping({"lead": {"email": {"constant": "\ud800"}}})

    assert refused.value.path == ("lead", "email", "constant")
