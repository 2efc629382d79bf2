"""Campaigns: what they are, what belongs to them, and what they cost."""

from domain.campaigns.belonging import (
    NextStrays,
    adopt_strays,
    campaigns_by_code,
)
from domain.campaigns.campaign import (
    CAMPAIGN_FIELDS,
    Campaign,
    CampaignAsset,
    CampaignCost,
    CampaignKind,
    campaign_code,
)
from domain.campaigns.costing import (
    CostDetails,
    CostOutcome,
    CostRow,
    correct_cost,
    delete_cost,
    record_cost,
    upsert_costs,
)
from domain.campaigns.planning import (
    UNSAID,
    CampaignPlan,
    Said,
    archive_campaign,
    campaign_of,
    create_campaign,
    set_campaign_assets,
    update_campaign,
)

__all__ = [
    "CAMPAIGN_FIELDS",
    "UNSAID",
    "Campaign",
    "CampaignAsset",
    "CampaignCost",
    "CampaignKind",
    "CampaignPlan",
    "CostDetails",
    "CostOutcome",
    "CostRow",
    "NextStrays",
    "Said",
    "adopt_strays",
    "archive_campaign",
    "campaign_code",
    "campaign_of",
    "campaigns_by_code",
    "correct_cost",
    "create_campaign",
    "delete_cost",
    "record_cost",
    "set_campaign_assets",
    "update_campaign",
    "upsert_costs",
]
