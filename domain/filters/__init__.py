"""The filter language: one way to say which leads (or anything) are meant.

List filters, stage criteria, persona criteria, segments and webhooks all speak it.  Its JSON form
is the GraphQL input form, and several keys in one object must all hold:

    {"score": {"gte": 50, "lt": 90}, "or": [{"originSource": {"eq": "organic"}}, {"not": {...}}]}

Logic has two values.  A comparison with a missing value is false, except `ne` and `notIn`, which
are true: whoever asks for leads whose country is not "US" means those without a country too.
`not` flips the answer, so `{"not": {"score": {"lt": 50}}}` holds where the score is missing.
Text is compared by code points; `contains`, `startsWith` and `endsWith` take A-Z for a-z and treat
no character as a wildcard.  infra/filters.py says the same in SQL, and a property test proves it.
"""

from domain.filters.fields import ANYTHING, Comparator, FieldType, FilterField, FilterFields
from domain.filters.kept import parsed
from domain.filters.matching import fold_case, matches
from domain.filters.parsing import (
    DEEPEST,
    LONGEST_LIST,
    LONGEST_TEXT,
    MOST_COMPARISONS,
    BadCriterion,
    parse,
)
from domain.filters.tree import (
    All,
    AnyOf,
    Compare,
    Filter,
    Not,
    Scalar,
    all_of,
    any_of,
    comparisons,
    normal_form,
    to_json,
)
from domain.filters.wording import Explanation, describe, explain

__all__ = [
    "ANYTHING",
    "DEEPEST",
    "LONGEST_LIST",
    "LONGEST_TEXT",
    "MOST_COMPARISONS",
    "All",
    "AnyOf",
    "BadCriterion",
    "Comparator",
    "Compare",
    "Explanation",
    "FieldType",
    "Filter",
    "FilterField",
    "FilterFields",
    "Not",
    "Scalar",
    "all_of",
    "any_of",
    "comparisons",
    "describe",
    "explain",
    "fold_case",
    "matches",
    "normal_form",
    "parse",
    "parsed",
    "to_json",
]
