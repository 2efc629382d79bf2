"""The funnel: how many leads of a cohort came how far, how sure that is, and how long it took."""

from domain.funnel.questions import (
    Clockwork,
    FunnelDimension,
    FunnelLeads,
    GroupKey,
    Groups,
    JourneyCount,
    JourneyCounts,
    LargestGroups,
    Meant,
    Segment,
    Spread,
)
from domain.funnel.report import (
    Conversion,
    FunnelGroup,
    FunnelReport,
    FunnelStage,
    conversion,
    funnel_report,
    read_funnel,
)
from domain.funnel.terms import (
    DEFAULT_STAGES,
    MOST_ROWS,
    MOST_SEGMENTS,
    CohortSpan,
    FunnelTerms,
    cohorts_of,
)

__all__ = [
    "DEFAULT_STAGES",
    "MOST_ROWS",
    "MOST_SEGMENTS",
    "Clockwork",
    "CohortSpan",
    "Conversion",
    "FunnelDimension",
    "FunnelGroup",
    "FunnelLeads",
    "FunnelReport",
    "FunnelStage",
    "FunnelTerms",
    "GroupKey",
    "Groups",
    "JourneyCount",
    "JourneyCounts",
    "LargestGroups",
    "Meant",
    "Segment",
    "Spread",
    "cohorts_of",
    "conversion",
    "funnel_report",
    "read_funnel",
]
