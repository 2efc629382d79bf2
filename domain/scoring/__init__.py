"""The lead score: how well a lead fits and how much it does, by rules that a tenant agrees on.

Fit is made of capped groups of rules about who somebody is, and never fades.  Engagement is the sum
of points for what was touched, each halved after its half-life, capped by type and in total.  Both
make a grade, A1 to C3.  Others call
`rescore_soon` after they have stored touches, and `rescore` after they have changed leads.
"""

from domain.scoring.models import (
    Grading,
    LeadGrading,
    ScoredGroup,
    ScoredRule,
    ScorePart,
    ScoringModel,
    ScoringModelNotProposed,
    ScoringModelStatus,
)
from domain.scoring.preset import PRESET, PRESET_NAME
from domain.scoring.proposing import (
    GradeShare,
    NewestLeads,
    PreviewedLead,
    ScoringPreview,
    activate_model,
    preview_model,
    propose_model,
)
from domain.scoring.reading import gradings_of
from domain.scoring.rescoring import (
    BATCH,
    CountLeadsAfter,
    DueGradings,
    EngagementSums,
    LeadsAfter,
    MarkDue,
    TouchRule,
    active_model,
    read_gradings_ahead,
    rescore,
    rescore_soon,
    score_next,
    scored_draft,
    sweep_gradings,
    waiting_for,
)
from domain.scoring.terms import (
    FIT_FIELDS,
    EngagementGroup,
    EngagementRule,
    FitGroup,
    FitRule,
    ScoringTerms,
)
from domain.scoring.touched import SCORED_TOUCH_FIELDS

__all__ = [
    "BATCH",
    "FIT_FIELDS",
    "PRESET",
    "PRESET_NAME",
    "SCORED_TOUCH_FIELDS",
    "CountLeadsAfter",
    "DueGradings",
    "EngagementGroup",
    "EngagementRule",
    "EngagementSums",
    "FitGroup",
    "FitRule",
    "GradeShare",
    "Grading",
    "LeadGrading",
    "LeadsAfter",
    "MarkDue",
    "NewestLeads",
    "PreviewedLead",
    "ScorePart",
    "ScoredGroup",
    "ScoredRule",
    "ScoringModel",
    "ScoringModelNotProposed",
    "ScoringModelStatus",
    "ScoringPreview",
    "ScoringTerms",
    "TouchRule",
    "activate_model",
    "active_model",
    "gradings_of",
    "preview_model",
    "propose_model",
    "read_gradings_ahead",
    "rescore",
    "rescore_soon",
    "score_next",
    "scored_draft",
    "sweep_gradings",
    "waiting_for",
]
