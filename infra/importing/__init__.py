"""Files of leads: the mapping that explains the columns, the reader, and the file of errors."""

from infra.importing.error_file import ErrorFile
from infra.importing.mapping import load_mapping, parse_mapping
from infra.importing.reader import Outcome, RowsReader, chunks_of

__all__ = ["ErrorFile", "Outcome", "RowsReader", "chunks_of", "load_mapping", "parse_mapping"]
