"""Leads and their companies, what was done about them, and the ways they come in."""

from api.leads.inputs import LeadRef
from api.leads.operations import (
    LeadFilter,
    LeadOrder,
    Mutations,
    Queries,
    lead_id_of,
    resolve_lead,
)
from api.leads.views import ActivityView, CompanyView, LeadView

__all__ = [
    "ActivityView",
    "CompanyView",
    "LeadFilter",
    "LeadOrder",
    "LeadRef",
    "LeadView",
    "Mutations",
    "Queries",
    "lead_id_of",
    "resolve_lead",
]
