"""What a file of leads says.

A mapping says which column gives what; reading a row by it gives an `ImportedLead`, or a `RowError`
for the person who has to mend the file.  What is done with a lead is another matter: here nothing
is looked up and nothing is decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from domain.imports.cells import Cell, FileMapping
from domain.leads import ExternalId
from domain.stages import Stage


class StepKind(StrEnum):
    """What happened to a lead."""

    STAGE = "STAGE"
    HAND_OFF = "HAND_OFF"
    ACCEPT = "ACCEPT"
    REJECT = "REJECT"
    RECYCLE = "RECYCLE"


class LeadField(StrEnum):
    """What a column can tell about a lead."""

    EXTERNAL_ID = "external_id"
    EMAIL = "email"
    PHONE = "phone"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    JOB_TITLE = "job_title"
    COUNTRY = "country"
    COMPANY_NAME = "company_name"
    COMPANY_DOMAIN = "company_domain"
    ORIGIN_SOURCE = "origin_source"
    ORIGIN_MEDIUM = "origin_medium"
    ORIGIN_CAMPAIGN = "origin_campaign"
    SCORE = "score"
    SEEN_AT = "seen_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedStep:
    """Something that happened to a lead, when it did.  `stage` is given for `STAGE` only."""

    kind: StepKind
    at: datetime
    stage: Stage | None = None
    reason: str | None = None
    from_team: str | None = None
    to_team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedLead:
    """One row of a file, understood.  It has an external id or an e-mail address, or both.

    `line` is where the row begins in the file.  `steps` are in the order in which they happened.
    `row` is the original, to be shown if the lead is refused after all.
    """

    line: int
    external_id: ExternalId | None = None
    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    job_title: str | None = None
    country: str | None = None
    company_name: str | None = None
    company_domain: str | None = None
    origin_source: str | None = None
    origin_medium: str | None = None
    origin_campaign: str | None = None
    score: int | None = None
    seen_at: datetime | None = None
    steps: tuple[ImportedStep, ...] = ()
    row: tuple[str, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMapping:
    """Something that happened to every lead whose row says when."""

    kind: StepKind
    at: Cell
    stage: Stage | None = None
    reason: Cell | None = None
    from_team: Cell | None = None
    to_team: Cell | None = None

    @property
    def cells(self) -> Iterator[Cell]:
        maybe = (self.at, self.reason, self.from_team, self.to_team)
        return (cell for cell in maybe if cell is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadMapping:
    """Which column of a file gives what."""

    file: FileMapping
    fields: Mapping[LeadField, Cell]
    steps: tuple[StepMapping, ...] = ()
    external_id_source: str | None = None

    @property
    def cells(self) -> Iterator[Cell]:
        yield from self.fields.values()
        for step in self.steps:
            yield from step.cells


def in_order(steps: Iterable[ImportedStep]) -> tuple[ImportedStep, ...]:
    """Return steps as they happened; at the same instant, in the order of the hand-off.

    A lead that became an MQL, was handed off, accepted and won on one day, did so in this order.
    """
    return tuple(sorted(steps, key=lambda step: (step.at, _rank(step))))


def _rank(step: ImportedStep) -> tuple[int, int]:
    if step.stage is not None:
        return (0 if step.stage.rank <= Stage.MQL.rank else 5, step.stage.rank)
    order = (StepKind.HAND_OFF, StepKind.ACCEPT, StepKind.REJECT, StepKind.RECYCLE)
    return (1 + order.index(step.kind), 0)
