"""Attribution: which campaigns, touches and contents a deal is owed to, and how much of it."""

from domain.attribution.credits import AttributionCredit, Journey, credits_of
from domain.attribution.defining import (
    MOST_OWN_MODELS,
    archive_model,
    create_model,
    model_for_figures,
    model_of,
)
from domain.attribution.models import (
    BUILT_IN_MODELS,
    BY_KIND,
    FIRST_OPPORTUNITY,
    AnchorShare,
    AttributionModel,
    BuiltInModel,
    CreditSpread,
    TouchAnchor,
)
from domain.attribution.reattributing import (
    BATCH,
    ForgetCredits,
    Journeys,
    LeadsWithDeals,
    NextOpportunities,
    OpportunityCount,
    SettleCampaigns,
    StoreBuiltIns,
    compute_models,
    models_in_use,
    reattribute,
)
from domain.attribution.sharing import Milestones, Portion, Step, portions, split

__all__ = [
    "BATCH",
    "BUILT_IN_MODELS",
    "BY_KIND",
    "FIRST_OPPORTUNITY",
    "MOST_OWN_MODELS",
    "AnchorShare",
    "AttributionCredit",
    "AttributionModel",
    "BuiltInModel",
    "CreditSpread",
    "ForgetCredits",
    "Journey",
    "Journeys",
    "LeadsWithDeals",
    "Milestones",
    "NextOpportunities",
    "OpportunityCount",
    "Portion",
    "SettleCampaigns",
    "Step",
    "StoreBuiltIns",
    "TouchAnchor",
    "archive_model",
    "compute_models",
    "create_model",
    "credits_of",
    "model_for_figures",
    "model_of",
    "models_in_use",
    "portions",
    "reattribute",
    "split",
]
