"""The operations we document: what a front end asks for, a file each.

They fill the explorer's menu, the types for TypeScript are made from them, and tests run every one.
A file begins with comments: `# Group: what it does`, and an example of its variables in JSON.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
KINDS = ("query", "mutation", "subscription")
GROUPS = (
    "Session",
    "Leads",
    "Hand-off",
    "Feedback",
    "Scoring",
    "SLA",
    "Feed",
    "Goals",
    "Revenue",
    "Campaigns",
    "Personas",
    "Imports",
    "People",
    "Settings",
)
"""In the order in which somebody who begins meets them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentedOperation:
    """One operation, ready to run but for the values that only its reader knows."""

    name: str
    group: str
    title: str
    document: str
    variables: dict[str, Any]

    @property
    def kind(self) -> str:
        """Return whether it is a query, a mutation or a subscription."""
        return self.document.split(maxsplit=1)[0]


@cache
def documented_operations() -> tuple[DocumentedOperation, ...]:
    """Return all of them, by group; within a group what reads comes first."""
    found = [_read(path) for path in sorted(FOLDER.glob("*.graphql"))]
    return tuple(
        sorted(found, key=lambda one: (GROUPS.index(one.group), KINDS.index(one.kind), one.name))
    )


def _read(path: Path) -> DocumentedOperation:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    told = [line[2:].strip() for line in lines if line.startswith("# ")]
    group, _, title = told[0].partition(": ")
    return DocumentedOperation(
        name=path.stem,
        group=group,
        title=f"{title[:1].upper()}{title[1:]}",
        document="".join(lines[len(told) :]),
        variables=json.loads(told[1]) if len(told) > 1 else {},
    )
