"""The lead score: how leads are graded, and by which model."""

from api.scoring.operations import Mutations, Queries
from api.scoring.views import GradingView, ScoringModelView

__all__ = ["GradingView", "Mutations", "Queries", "ScoringModelView"]
