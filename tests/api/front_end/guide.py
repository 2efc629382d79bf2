"""The front end's guide, taken apart into what can be run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.conftest import ROOT

GUIDE = ROOT / "docs" / "front-end.md"
_BLOCK = re.compile(r"^```(\w+)(?: ([^\n]+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class File:
    """A file that the reader makes."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Program:
    """Something to run, and what it prints; `…` stands for anything."""

    line: int
    language: str
    text: str
    prints: str = ""

    @property
    def name(self) -> str:
        """Return what its file is called."""
        return f"line{self.line}"

    def printed(self, output: str) -> bool:
        """Tell whether an output is what the guide says."""
        pattern = ".+?".join(re.escape(part) for part in self.prints.split("…"))
        return re.fullmatch(pattern, output) is not None


def parts() -> Iterator[File | Program]:
    """Yield what the guide is made of, in order.

    Raises:
        ValueError: if a block says neither what it is nor what printed it.
    """
    program: Program | None = None
    text = GUIDE.read_text(encoding="utf-8")
    for block in _BLOCK.finditer(text):
        language, told, content = block.groups()
        line = text.count("\n", 0, block.start()) + 1
        if language == "text" and program is not None:
            program = Program(program.line, program.language, program.text, content)
            continue
        if program is not None:
            yield program
            program = None
        if told == "run" and language in ("sh", "ts"):
            program = Program(line, language, content)
        elif told and told.startswith("file="):
            yield File(told.removeprefix("file="), content)
        else:
            raise ValueError(f"{GUIDE.name}:{line}: nothing runs this block")
    if program is not None:
        yield program
