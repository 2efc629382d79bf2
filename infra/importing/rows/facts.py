"""One row of a file that is not of leads."""

from __future__ import annotations

from domain.imports import (
    SCHEMAS,
    FactField,
    FactMapping,
    ImportedFact,
    RowFault,
    Value,
    ValueKind,
)
from domain.opportunities import OpportunityStatus
from infra.importing.rows.values import Fault, Values

LONGEST_LONG_TEXT = 2000
_CLOSED = (OpportunityStatus.WON, OpportunityStatus.LOST)


def fact_of(values: Values, mapping: FactMapping, line: int) -> ImportedFact:
    """Return what a row says; it counts only if the values have no fault."""
    schema = SCHEMAS[mapping.kind]
    read = {field.name: _value(values, mapping, field) for field in schema.fields}
    said = {name: value for name, value in read.items() if value is not None}
    if said.get("status") not in _CLOSED and _one_day_of_closing(mapping):
        said.pop("closed_at", None)
    fact = ImportedFact(line=line, kind=mapping.kind, values=said, row=tuple(values.row))
    for field in schema.fields if not values.faults else ():
        cell = mapping.fields.get(field.name)
        if cell is not None and field.needed and field.name not in said:
            values.fault(cell, RowFault.REQUIRED, "is blank.")
    if not said.keys() & set(schema.told_by) and not values.faults:
        message = f"The row says none of {', '.join(schema.told_by)}."
        values.faults.append(Fault(None, RowFault.NO_IDENTITY, message))
    return fact


def _one_day_of_closing(mapping: FactMapping) -> bool:
    """Say whether one column holds when a deal closed and, until then, when it is expected to."""
    closed, expected = (mapping.fields.get(name) for name in ("closed_at", "expected_close_on"))
    if closed is None or expected is None or closed.column is None:
        return False
    return closed.column == expected.column


def _value(values: Values, mapping: FactMapping, field: FactField) -> Value | None:
    cell = mapping.fields.get(field.name)
    match field.kind:
        case ValueKind.INSTANT:
            return values.instant(cell)
        case ValueKind.DAY:
            return values.day(cell)
        case ValueKind.AMOUNT:
            return values.amount(cell)
        case ValueKind.EMAIL:
            return values.email(cell)
        case ValueKind.CHOICE:
            return values.choice(cell, field.choices)
        case ValueKind.NAME:
            return values.name(cell, mapping.sources.get(field.name))
        case ValueKind.LONG_TEXT:
            return values.text(cell, longest=LONGEST_LONG_TEXT)
        case ValueKind.TEXT:
            return values.text(cell)
