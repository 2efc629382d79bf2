"""TOML to a mapping (see docs/imports.md), with every fault told at once and where it stands."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

from domain.errors import Refusals
from domain.imports import BadMapping, FactKind, RowMapping
from infra.importing.mapping.facts import FactParser
from infra.importing.mapping.leads import LeadParser
from infra.importing.mapping.parser import DELIMITERS, Parser

__all__ = ["DELIMITERS", "LONGEST_DOCUMENT", "load_mapping", "parse_mapping"]

LONGEST_DOCUMENT = 64 * 1024


def load_mapping(text: str) -> RowMapping:
    """Return the mapping that a TOML document describes.

    Raises:
        BadMapping: if it is not TOML, or says what cannot be.  Several faults come together as
            `Refusals`.
    """
    if len(text) > LONGEST_DOCUMENT:
        raise BadMapping(f"A mapping is at most {LONGEST_DOCUMENT} characters long.")
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadMapping(f"The mapping is not TOML: {error}.") from error
    return parse_mapping(document)


def parse_mapping(document: Mapping[str, object]) -> RowMapping:
    """Return the mapping that a document describes; see `load_mapping`.

    What its rows tell of is the table that it has: `[touch]`, for example, else `[lead]`.
    """
    kinds = [kind for kind in FactKind if kind.value in document]
    if len(kinds) + ("lead" in document) > 1:
        named = " and ".join(
            f"[{name}]" for name in [*(["lead"] if "lead" in document else []), *kinds]
        )
        raise BadMapping(f"The rows of a file tell of one thing, not of {named}.", path=(kinds[0],))
    parser: Parser
    if kinds:
        parser = FactParser()
        mapping: RowMapping = parser.mapping(document, kinds[0])
    else:
        parser = LeadParser()
        mapping = parser.mapping(document)
    if len(parser.refusals) == 1:
        raise parser.refusals[0]
    if parser.refusals:
        raise Refusals(parser.refusals)
    return mapping
