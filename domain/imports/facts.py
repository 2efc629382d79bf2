"""What a file says that is not of leads: of companies, touches, opportunities or costs.

Each kind has a schema: its fields, what sort of value each holds, and which of them tell a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from domain.imports.cells import Cell, FileMapping
from domain.leads import Agency, ExternalId
from domain.opportunities import OpportunityStatus
from domain.touches import Channel, TouchKind


class FactKind(StrEnum):
    """What each row of a file tells of."""

    COMPANY = "company"
    TOUCH = "touch"
    OPPORTUNITY = "opportunity"
    COST = "cost"


class ValueKind(StrEnum):
    """What sort of value a field holds."""

    TEXT = "text"
    LONG_TEXT = "long text"
    EMAIL = "e-mail address"
    INSTANT = "instant"
    DAY = "day"
    AMOUNT = "amount"
    NAME = "name in another system"
    CHOICE = "choice"


Value: TypeAlias = str | datetime | date | Decimal | ExternalId


@dataclass(frozen=True, slots=True)
class FactField:
    """A field of a kind of row.  `needed`: a mapping that leaves it out cannot be followed."""

    name: str
    kind: ValueKind = ValueKind.TEXT
    choices: tuple[str, ...] = ()
    needed: bool = False


@dataclass(frozen=True, slots=True)
class FactSchema:
    """The fields of a kind of row; each row has a value for at least one of `told_by`."""

    fields: tuple[FactField, ...]
    told_by: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class FactMapping:
    """Which column of a file gives what; `sources` names the system of each name it gives."""

    file: FileMapping
    kind: FactKind
    fields: Mapping[str, Cell]
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def cells(self) -> Iterator[Cell]:
        yield from self.fields.values()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFact:
    """One row of a file, understood: its values by field, without the blank ones.

    `line` is where the row begins in the file; `row` is the original, to be shown if it is refused
    after all.  `twins` is how many rows before it in the file said the same of a touch or a cost
    that has no name: by that and by what it says it is known again.
    """

    line: int
    kind: FactKind
    values: Mapping[str, Value]
    row: tuple[str, ...] = field(default=(), compare=False, repr=False)
    twins: int = 0


def _choice(name: str, choices: type[StrEnum], *, needed: bool = False) -> FactField:
    return FactField(name, ValueKind.CHOICE, tuple(each.value for each in choices), needed)


_EXTERNAL_ID = FactField("external_id", ValueKind.NAME)
_LEAD = (FactField("lead_external_id", ValueKind.NAME), FactField("lead_email", ValueKind.EMAIL))

SCHEMAS: Mapping[FactKind, FactSchema] = {
    FactKind.COMPANY: FactSchema(
        (FactField("name"), FactField("domain")),
        told_by=("name", "domain"),
    ),
    FactKind.TOUCH: FactSchema(
        (
            *_LEAD,
            FactField("visitor"),
            _choice("kind", TouchKind, needed=True),
            FactField("occurred_at", ValueKind.INSTANT, needed=True),
            _choice("channel", Channel),
            _choice("agency", Agency),
            FactField("campaign"),
            FactField("asset_url", ValueKind.LONG_TEXT),
            FactField("utm_source"),
            FactField("utm_medium"),
            FactField("utm_campaign"),
            FactField("utm_content"),
            FactField("utm_term"),
            FactField("url", ValueKind.LONG_TEXT),
            FactField("referrer", ValueKind.LONG_TEXT),
            _EXTERNAL_ID,
        ),
        told_by=("lead_external_id", "lead_email", "visitor"),
    ),
    FactKind.OPPORTUNITY: FactSchema(
        (
            *_LEAD,
            _EXTERNAL_ID,
            FactField("name"),
            FactField("stage"),
            _choice("status", OpportunityStatus),
            FactField("amount", ValueKind.AMOUNT),
            FactField("currency"),
            FactField("opened_at", ValueKind.INSTANT),
            FactField("closed_at", ValueKind.INSTANT),
            FactField("expected_close_on", ValueKind.DAY),
            FactField("lost_reason", ValueKind.LONG_TEXT),
            FactField("owner_email", ValueKind.EMAIL),
        ),
        told_by=("external_id",),
    ),
    FactKind.COST: FactSchema(
        (
            FactField("campaign", needed=True),
            FactField("on", ValueKind.DAY, needed=True),
            FactField("amount", ValueKind.AMOUNT, needed=True),
            FactField("currency", needed=True),
            FactField("note", ValueKind.LONG_TEXT),
            _EXTERNAL_ID,
        ),
        told_by=("campaign",),
    ),
}
