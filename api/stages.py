"""The two sides and the stages, as every feature shows them."""

from __future__ import annotations

from api.filtering import enum
from domain.stages import Side, Stage

enum(
    Side,
    "The two sides of an agreement.",
    MARKETING="Finds leads and hands them off.",
    SALES="Works on the leads it is handed.",
)

enum(
    Stage,
    "How far a person has come, from stranger to fan, in this order.",
    VISITOR="Has been seen, and no more is known.",
    PROSPECT="May fit: somebody we would like to know.",
    LEAD="Has shown interest and can be reached.",
    MQL="Marketing-qualified: marketing says that sales should talk to this person.",
    SAL="Sales-accepted: sales has taken the lead on.",
    SQL="Sales-qualified: sales has found a need worth an offer.",
    OPPORTUNITY="A deal is being negotiated.",
    CUSTOMER="Has bought.",
    ADVOCATE="Recommends us to others.",
)
