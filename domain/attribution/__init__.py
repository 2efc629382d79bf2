"""Attribution: which campaigns, touches and contents a deal is owed to, and how much of it."""

from domain.attribution.credits import AttributionCredit, Journey, credits_of
from domain.attribution.models import (
    BUILT_IN_MODELS,
    BY_KIND,
    FIRST_OPPORTUNITY,
    Anchor,
    AnchorShare,
    AttributionModel,
    BuiltIn,
    Spread,
)
from domain.attribution.sharing import Milestones, Portion, Step, portions, split

__all__ = [
    "BUILT_IN_MODELS",
    "BY_KIND",
    "FIRST_OPPORTUNITY",
    "Anchor",
    "AnchorShare",
    "AttributionCredit",
    "AttributionModel",
    "BuiltIn",
    "Journey",
    "Milestones",
    "Portion",
    "Spread",
    "Step",
    "credits_of",
    "portions",
    "split",
]
