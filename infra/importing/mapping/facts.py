"""The mapping of a file that is not of leads: companies, touches, opportunities or costs."""

from __future__ import annotations

from collections.abc import Mapping

from domain.imports import SCHEMAS, Cell, FactField, FactKind, FactMapping, ValueKind
from infra.importing.mapping.parser import Parser

_DATED = frozenset({ValueKind.INSTANT, ValueKind.DAY})


class FactParser(Parser):
    """Reads the mapping of a file of one kind of fact."""

    def mapping(self, document: Mapping[str, object], kind: FactKind) -> FactMapping:
        self.known(document, ["file", kind.value], ())
        file = self.file(self.table(document, "file", ()))
        self.formats = file.date_formats
        schema, table = SCHEMAS[kind], self.table(document, kind.value, ())
        self.known(table, schema.names, (kind.value,))
        fields: dict[str, Cell] = {}
        sources: dict[str, str] = {}
        for field in schema.fields:
            cell = self.field(table, kind, field, sources)
            if cell is not None:
                fields[field.name] = cell
        # With other faults, the name of just that field may have been mistyped.
        if not self.refusals and not set(schema.told_by) & fields.keys():
            names = " or the ".join(schema.told_by)
            self.refuse(f"Say which column holds the {names}.", kind.value)
        return FactMapping(file=file, kind=kind, fields=fields, sources=sources)

    def field(
        self,
        table: Mapping[str, object],
        kind: FactKind,
        field: FactField,
        sources: dict[str, str],
    ) -> Cell | None:
        path = (kind.value, field.name)
        if field.name not in table:
            if field.needed:
                self.refuse(f"Say which column holds the {field.name}.", *path)
            return None
        given = table[field.name]
        if field.kind is ValueKind.NAME:
            source, given = self.source_of(given, path)
            if source is not None:
                sources[field.name] = source
        cell = self.cell(given, path, instant=field.kind in _DATED)
        if cell is not None and field.choices and cell.constant not in (None, *field.choices):
            choices = ", ".join(field.choices)
            self.refuse(f"{cell.constant!r} is none of {choices}.", *path, "constant")
        return cell
