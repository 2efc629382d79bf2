"""How touches come in: one by one, in bulk, from web pages; and how visitors become people."""

from domain.touch_intake.details import (
    VISITOR_FIELDS,
    AssetKey,
    BadVisitor,
    CampaignKey,
    TouchDetails,
    TouchInFuture,
    Utm,
    WhoseTouch,
)
from domain.touch_intake.known import (
    LeadsAtAddresses,
    LockedLeads,
    TouchesNamed,
    TrackingWithdrawn,
)
from domain.touch_intake.recording import identify_visitor, record_touch, record_touches
from domain.touch_intake.storing import (
    MOST_AT_ONCE,
    RecordedTouch,
    TouchesFollow,
    TouchOutcome,
)

__all__ = [
    "MOST_AT_ONCE",
    "VISITOR_FIELDS",
    "AssetKey",
    "BadVisitor",
    "CampaignKey",
    "LeadsAtAddresses",
    "LockedLeads",
    "RecordedTouch",
    "TouchDetails",
    "TouchInFuture",
    "TouchOutcome",
    "TouchesFollow",
    "TouchesNamed",
    "TrackingWithdrawn",
    "Utm",
    "WhoseTouch",
    "identify_visitor",
    "record_touch",
    "record_touches",
]
