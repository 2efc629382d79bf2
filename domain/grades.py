"""Grades: how well a lead fits (A to C) and how much it does (1 to 3), in one word."""

from __future__ import annotations

from enum import StrEnum


class Grade(StrEnum):
    """Fit A-C with engagement 1-3, from the least to the best; fit ranks before engagement."""

    C3 = "C3"
    C2 = "C2"
    C1 = "C1"
    B3 = "B3"
    B2 = "B2"
    B1 = "B1"
    A3 = "A3"
    A2 = "A2"
    A1 = "A1"

    @property
    def fit(self) -> str:
        """The letter: how well the lead fits."""
        return self.value[0]

    @property
    def engagement(self) -> str:
        """The digit: how much it does."""
        return self.value[1]
