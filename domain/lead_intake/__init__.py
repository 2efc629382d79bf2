"""How leads come in: created, updated, upserted in bulk, and what was done about them."""

from domain.lead_intake.activities import log_activity
from domain.lead_intake.bulk import (
    MOST_ROWS,
    NoIdentity,
    TooManyRows,
    UpsertedRow,
    UpsertOutcome,
    upsert_leads,
)
from domain.lead_intake.forms import create_lead, update_lead
from domain.lead_intake.keys import current_lead_id, current_leads, resolve_lead
from domain.lead_intake.known import HandedOff
from domain.lead_intake.observing import source_of, trust_of
from domain.lead_intake.origins import FirstCampaigns
from domain.lead_intake.storing import WRITING_ORDER

__all__ = [
    "MOST_ROWS",
    "WRITING_ORDER",
    "FirstCampaigns",
    "HandedOff",
    "NoIdentity",
    "TooManyRows",
    "UpsertOutcome",
    "UpsertedRow",
    "create_lead",
    "current_lead_id",
    "current_leads",
    "log_activity",
    "resolve_lead",
    "source_of",
    "trust_of",
    "update_lead",
    "upsert_leads",
]
