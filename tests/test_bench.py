"""Benchmarks are run by hand and never timed here; these say that they still work."""

from __future__ import annotations

from pathlib import Path

from bench import attribution, funnel, hostile, importing, performance, sweep, touches
from bench.measuring import Cost, comparison, percentile
from bench.report import Section, write


def test_figures_are_medians_beside_a_reference() -> None:
    ours = [Cost(100, 1.0, 0.1, 0.1), Cost(100, 2.0, 0.3, 0.1), Cost(100, 4.0, 0.2, 0.1)]
    other = [Cost(100, 1.0, 0.5, 0.1)]

    assert comparison({"ours": ours, "other": other}, "ours") == (
        "| server | server CPU ms a request | PostgreSQL CPU ms | CPU, × ours | requests/s |\n"
        "| --- | ---: | ---: | ---: | ---: |\n"
        "| ours | 2.00 | 1.00 | 1.00 | 50 |\n"
        "| other | 5.00 | 1.00 | 2.00 | 100 |"
    )


def test_a_percentile_is_one_of_the_values() -> None:
    assert [percentile([3, 1, 2], share) for share in (0, 0.5, 0.99, 1)] == [1, 2, 3, 3]


def test_a_section_replaces_the_one_of_its_name_and_keeps_the_others(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    for section in (
        Section("sweep", "Sweeper", "about", "| old |"),
        Section("list", "List", "about", "| list |"),
        Section("sweep", "Sweeper", "about", "| new |"),
    ):
        write(section, page)

    text = page.read_text()
    assert "| old |" not in text
    assert text.index("| list |") < text.index("| new |")
    assert (text.count("<!-- list -->"), text.count("<!-- sweep -->")) == (1, 1)


async def test_the_sweeper_can_be_measured() -> None:
    section = await sweep.run(due=5, rounds=1, not_due=(0, 20))

    assert "| 0 | " in section.figures
    assert "sla_clocks" in section.figures


async def test_the_funnel_can_be_measured() -> None:
    section = await funnel.run(leads=300, rounds=1)

    assert [line.split(" | ")[0] for line in section.figures.splitlines()[2:]] == [
        f"| {name}" for name in funnel.REPORTS
    ]


async def test_the_attribution_of_a_touch_can_be_measured() -> None:
    section = await attribution.run(few=100, many=400, rounds=1, touches_a_round=1)

    assert [line.split(" | ")[0] for line in section.figures.splitlines()[2:]] == [
        "| 100 touches",
        "| 400 touches",
    ]


async def test_what_campaigns_are_worth_can_be_measured() -> None:
    section = await performance.run(touches=400, leads=40, deals=20, rounds=1)

    assert [line.split(" | ")[0] for line in section.figures.splitlines()[2:]] == [
        f"| {name}" for name in (*performance.REPORTS, performance.LOOP)
    ]


async def test_imports_can_be_measured() -> None:
    section = await importing.run(rows=100, rounds=1)

    assert "| import, leads only | " in section.figures


async def test_hostile_documents_can_be_measured() -> None:
    attacks = list(hostile.ATTACKS)[:2]

    section = await hostile.run(seconds=0.1, leads=100, attacks=attacks)

    assert [line.split(" | ")[0] for line in section.figures.splitlines()[2:]] == [
        f"| {name}" for name in ("nobody", *attacks)
    ]


async def test_touches_can_be_measured() -> None:
    section = await touches.run(rows=20, rounds=1)

    assert "| COPY | " in section.figures
    assert "| use case | " in section.figures
