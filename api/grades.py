"""The grades, in words."""

from __future__ import annotations

from api.filtering import enum
from domain.grades import Grade

enum(
    Grade,
    "Fit A to C with engagement 1 to 3; A1 is the best.",
    A1="Fits well, and does much.",
    A2="Fits well, and does something.",
    A3="Fits well, and does little.",
    B1="Fits somewhat, and does much.",
    B2="Fits somewhat, and does something.",
    B3="Fits somewhat, and does little.",
    C1="Fits badly, and does much.",
    C2="Fits badly, and does something.",
    C3="Fits badly, and does little.",
)
