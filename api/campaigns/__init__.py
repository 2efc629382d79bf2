"""Campaigns: what they are, what belongs to them, and what they cost."""

from api.campaigns.inputs import CampaignRef
from api.campaigns.operations import Mutations, Queries, campaign_id_of
from api.campaigns.views import CampaignCostView, CampaignView

__all__ = [
    "CampaignCostView",
    "CampaignRef",
    "CampaignView",
    "Mutations",
    "Queries",
    "campaign_id_of",
]
