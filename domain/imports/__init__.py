"""What a file says, and how its columns are to be understood.

A mapping says which column gives what; reading a row by it gives what the row says, or a `RowError`
for the person who has to mend the file.  What is done with it is another matter: here nothing is
looked up and nothing is decided.
"""

from typing import TypeAlias

from domain.imports.cells import Cell, FileMapping, Letters, Otherwise, RowError, RowFault
from domain.imports.dates import (
    EARLIEST,
    ISO,
    LATEST,
    NotADate,
    OutOfRange,
    contradicting,
    example_of,
    fault_in_format,
    read_instant,
)
from domain.imports.facts import (
    SCHEMAS,
    FactField,
    FactKind,
    FactMapping,
    FactSchema,
    ImportedFact,
    Value,
    ValueKind,
)
from domain.imports.headers import (
    BadHeader,
    BadMapping,
    NotCsv,
    UnknownColumn,
    UnknownEncoding,
    check_header,
    did_you_mean,
)
from domain.imports.leads import (
    ImportedLead,
    ImportedStep,
    LeadField,
    LeadMapping,
    StepKind,
    StepMapping,
    in_order,
)

Imported: TypeAlias = ImportedLead | ImportedFact
RowMapping: TypeAlias = LeadMapping | FactMapping

__all__ = [
    "EARLIEST",
    "ISO",
    "LATEST",
    "SCHEMAS",
    "BadHeader",
    "BadMapping",
    "Cell",
    "FactField",
    "FactKind",
    "FactMapping",
    "FactSchema",
    "FileMapping",
    "Imported",
    "ImportedFact",
    "ImportedLead",
    "ImportedStep",
    "LeadField",
    "LeadMapping",
    "Letters",
    "NotADate",
    "NotCsv",
    "Otherwise",
    "OutOfRange",
    "RowError",
    "RowFault",
    "RowMapping",
    "StepKind",
    "StepMapping",
    "UnknownColumn",
    "UnknownEncoding",
    "Value",
    "ValueKind",
    "check_header",
    "contradicting",
    "did_you_mean",
    "example_of",
    "fault_in_format",
    "in_order",
    "read_instant",
]
