"""The two sides, and the stages from stranger to fan."""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    """The two sides of an agreement."""

    MARKETING = "MARKETING"
    SALES = "SALES"

    @property
    def other(self) -> Side:
        return Side.SALES if self is Side.MARKETING else Side.MARKETING


class Stage(StrEnum):
    """How far a person has come, in order."""

    VISITOR = "VISITOR"
    PROSPECT = "PROSPECT"
    LEAD = "LEAD"
    MQL = "MQL"
    SAL = "SAL"
    SQL = "SQL"
    OPPORTUNITY = "OPPORTUNITY"
    CUSTOMER = "CUSTOMER"
    ADVOCATE = "ADVOCATE"

    @property
    def rank(self) -> int:
        return _RANKS[self]

    @property
    def onward(self) -> tuple[Stage, ...]:
        """It and all later ones: what was ever in one of these has reached it."""
        return tuple(stage for stage in Stage if stage.rank >= self.rank)


_RANKS = {stage: rank for rank, stage in enumerate(Stage)}
