"""Agreements: what both sides promise, who signed it, and when it counts."""

from api.sla.operations import Mutations, Queries
from api.sla.views import CommitmentView, LeadTypeValueView, SlaView

__all__ = ["CommitmentView", "LeadTypeValueView", "Mutations", "Queries", "SlaView"]
