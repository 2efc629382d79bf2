"""How touches are told from each other by a rule."""

from __future__ import annotations

import api.touches  # noqa: F401  # declares the words that touches are filtered by
from api.filtering import filter_input
from domain.scoring import SCORED_TOUCH_FIELDS

ScoredTouchFilter = filter_input(SCORED_TOUCH_FIELDS)
