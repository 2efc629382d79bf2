"""The words of scoring."""

from __future__ import annotations

from api.filtering import enum
from domain.scoring import ScorePart, ScoringModelStatus

enum(
    ScorePart,
    "Which part of a grade a group of rules makes.",
    FIT="How well the lead fits; it never fades.",
    ENGAGEMENT="How much the lead does; it fades.",
)
enum(
    ScoringModelStatus,
    "Whether leads are scored by a model.",
    PROPOSED="Not yet.",
    ACTIVE="They are.",
    CEASED="They were, until a newer one took its place.",
)
