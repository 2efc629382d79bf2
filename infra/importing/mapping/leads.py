"""The mapping of a file of leads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from domain.imports import Cell, LeadField, LeadMapping, StepKind, StepMapping
from domain.stages import Stage
from infra.importing.mapping.parser import Parser, Path

MOST_STEPS = 50

_STEPS = {
    "hand_off": StepKind.HAND_OFF,
    "accept": StepKind.ACCEPT,
    "reject": StepKind.REJECT,
    "recycle": StepKind.RECYCLE,
}
_STEP_KEYS = ("at", "reason")


class LeadParser(Parser):
    """Reads the mapping of a file of leads."""

    def mapping(self, document: Mapping[str, object]) -> LeadMapping:
        self.known(document, ["file", "lead", *_STEPS, "stage"], ())
        file = self.file(self.table(document, "file", ()))
        self.formats = file.date_formats
        lead = self.table(document, "lead", ())
        fields, source = self.fields(lead)
        steps = tuple(self.steps(document))
        # With other faults, the name of just that field may have been mistyped.
        if not self.refusals and not {LeadField.EXTERNAL_ID, LeadField.EMAIL} & fields.keys():
            self.refuse("Say which column holds the external_id or the email of a lead.", "lead")
        return LeadMapping(file=file, fields=fields, steps=steps, external_id_source=source)

    def fields(self, table: Mapping[str, object]) -> tuple[dict[LeadField, Cell], str | None]:
        self.known(table, [name.value for name in LeadField], ("lead",))
        found: dict[LeadField, Cell] = {}
        source: str | None = None
        for name in LeadField:
            if name not in table:
                continue
            path: Path = ("lead", name.value)
            given = table[name]
            if name is LeadField.EXTERNAL_ID:
                source, given = self.source_of(given, path)
            cell = self.cell(given, path, instant=name is LeadField.SEEN_AT)
            if cell is not None:
                found[name] = cell
        return found, source

    def steps(self, document: Mapping[str, object]) -> Iterable[StepMapping]:
        for name, kind in _STEPS.items():
            if name in document:
                step = self.step(self.table(document, name, ()), kind, (name,))
                if step is not None:
                    yield step
        stages = document.get("stage", [])
        if not isinstance(stages, list) or len(stages) > MOST_STEPS:
            self.refuse(f"Write each stage under [[stage]], at most {MOST_STEPS}.", "stage")
            return
        for at, table in enumerate(stages):
            if not isinstance(table, dict):
                self.refuse("Write each stage under [[stage]].", "stage", at)
                continue
            step = self.step(table, StepKind.STAGE, ("stage", at))
            if step is not None:
                yield step

    def step(self, table: Mapping[str, object], kind: StepKind, path: Path) -> StepMapping | None:
        teams = ("from_team", "to_team") if kind is StepKind.HAND_OFF else ()
        own = ("stage",) if kind is StepKind.STAGE else ()
        self.known(table, (*own, *_STEP_KEYS, *teams), path)
        stage = self.choice(table, "stage", Stage, path) if own else None
        if own and "stage" not in table:
            self.refuse("Say which stage it is.", *path, "stage")
        if "at" not in table:
            self.refuse("Say which column holds when it happened.", *path, "at")
            return None
        at = self.cell(table["at"], (*path, "at"), instant=True)
        others = {
            key: self.cell(table[key], (*path, key)) for key in ("reason", *teams) if key in table
        }
        if at is None or (own and stage is None):
            return None
        return StepMapping(kind=kind, at=at, stage=stage, **others)
