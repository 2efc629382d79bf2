"""What campaigns, channels, contents and personas are worth, and the rows behind each number."""

from domain.attribution.performance.evidence import (
    EvidenceCount,
    EvidenceOf,
    EvidencePage,
    EvidenceRow,
    Number,
)
from domain.attribution.performance.figures import (
    ORDERS,
    Figures,
    FiguresPage,
    Performance,
    in_order,
    page_of_figures,
)
from domain.attribution.performance.reading import (
    CampaignsThat,
    Rows,
    evidence,
    performance,
    read_performance,
    scope_of,
)
from domain.attribution.performance.terms import (
    Key,
    PerformanceBasis,
    PerformanceDimension,
    PerformanceMeasure,
    PerformancePeriodTooLong,
    Scope,
)

__all__ = [
    "ORDERS",
    "CampaignsThat",
    "EvidenceCount",
    "EvidenceOf",
    "EvidencePage",
    "EvidenceRow",
    "Figures",
    "FiguresPage",
    "Key",
    "Number",
    "Performance",
    "PerformanceBasis",
    "PerformanceDimension",
    "PerformanceMeasure",
    "PerformancePeriodTooLong",
    "Rows",
    "Scope",
    "evidence",
    "in_order",
    "page_of_figures",
    "performance",
    "read_performance",
    "scope_of",
]
