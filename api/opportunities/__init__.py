"""Opportunities: deals with leads, and the ways they come in."""

from api.opportunities.inputs import OpportunityRef
from api.opportunities.operations import Mutations, OpportunityFilter, Queries
from api.opportunities.views import OpportunityStepView, OpportunityView

__all__ = [
    "Mutations",
    "OpportunityFilter",
    "OpportunityRef",
    "OpportunityStepView",
    "OpportunityView",
    "Queries",
]
