"""The real files are read whole, as a plain count finds them."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from domain.imports import ImportedLead, ImportedStep, StepKind
from domain.leads import ExternalId
from domain.stages import Stage
from infra.importing import Outcome, RowsReader, chunks_of, load_mapping
from tests.infra.importing.sample_files import DATA, MAPPINGS, NEEDS_SAMPLE_DATA, rows_of

pytestmark = NEEDS_SAMPLE_DATA


def leads_of(name: str) -> list[Outcome]:
    path = DATA / f"olist_{name}.csv"
    mapping = load_mapping((MAPPINGS / f"olist_{name}.toml").read_text("utf-8"))
    reader = RowsReader(mapping, total_bytes=path.stat().st_size)
    outcomes = list(reader.read(chunks_of(path)))
    assert reader.progress == 1
    return outcomes


def test_the_real_leads_are_read_whole():
    leads = leads_of("mqls")

    assert Counter(map(type, leads)) == {ImportedLead: 8000}
    assert sum(each.origin_source is None for each in leads) == 60
    assert {each.external_id.value for each in leads} == {row["mql_id"] for row in rows_of("mqls")}
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
        for row in rows_of("mqls")
    )

    assert months(leads_of("mqls"), StepKind.HAND_OFF, zone) == plain
    assert plain.total() == 8000


def test_the_real_deals_are_won_in_the_months_that_a_plain_count_finds():
    deals = leads_of("closed_deals")
    zone = load_mapping((MAPPINGS / "olist_closed_deals.toml").read_text("utf-8")).file.time_zone
    plain = Counter(
        (int(row["won_date"].split()[0].split("/")[2]), int(row["won_date"].split("/")[0]))
        for row in rows_of("closed_deals")
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
