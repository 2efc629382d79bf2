"""Small files, how they are read, and what comes of them."""

from domain.imports import ImportedLead, RowError, RowFault
from domain.leads import ExternalId
from infra.importing import Outcome, RowsReader, load_mapping

NAMES = """
[lead]
external_id = { source = "crm", column = "id" }
last_name = "name"
"""


def lead(line: int, key: str, name: str | None) -> ImportedLead:
    return ImportedLead(line=line, external_id=ExternalId("crm", key), last_name=name)


def read(data: bytes, *, mapping: str = NAMES, pieces: int = 7, after: int = 0) -> list[Outcome]:
    chunks = [data[at : at + pieces] for at in range(0, len(data), pieces)]
    return list(RowsReader(load_mapping(mapping), start_after_line=after).read(chunks))


def declared(encoding: str) -> str:
    return f'[file]\nencoding = "{encoding}"\n{NAMES}'


def broken(line: int, text: str) -> RowError:
    return RowError(
        line=line,
        column=None,
        code=RowFault.BAD_QUOTING,
        message="The quotes of this row do not match.",
        row=(text,),
    )
