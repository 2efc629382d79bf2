"""Sections of docs/benchmarks.md, each written anew by the command that made it."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.place import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
ORDER = (
    "list",
    "status",
    "funnel",
    "sweep",
    "live",
    "import",
    "touches",
    "duplicates",
    "handoff",
    "attribution",
    "performance",
    "idempotency",
    "audit",
    "hostile",
    "audits",
    "faults",
    "crowds",
)
_HEAD = """\
# Benchmarks

Written by `make bench`.  Read the ratios: the machines these figures come from are small and
shared, so whatever is measured is measured beside something else in the same minute, in rounds
that take turns.
"""


@dataclass(frozen=True, slots=True)
class Section:
    """What one benchmark found out."""

    name: str
    title: str
    about: str
    figures: str

    @property
    def text(self) -> str:
        made = f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python"
        made += f" {platform.python_version()}"
        return (
            f"<!-- {self.name} -->\n## {self.title}\n\n{self.about}\n\n{self.figures}\n\n"
            f"`make bench ARGS={self.name}` ({made})\n<!-- /{self.name} -->\n"
        )


def write(section: Section, page: Path = PAGE) -> None:
    """Put a section in its place on the page, instead of the one that was there."""
    known = _sections(page.read_text()) if page.exists() else {}
    known[section.name] = section.text
    ordered = [known[name] for name in ORDER if name in known]
    page.write_text("\n".join([_HEAD, *ordered]))


def _sections(text: str) -> dict[str, str]:
    found = re.finditer(r"<!-- (\w+) -->\n.*?<!-- /\1 -->\n", text, re.DOTALL)
    return {match[1]: match[0] for match in found}
