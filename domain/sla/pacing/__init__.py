"""Pacing: is a promise of this period ahead or behind, and how will it end?

Expected progress follows the working days of the period, each by its weight.  Counts come out with
two decimals, shares and probabilities with four, each rounded half up once, at the very end.
"""

from domain.sla.pacing.delivery import Bands, Pace, PaceReading, pace
from domain.sla.pacing.shares import ShareReading, share
from domain.sla.pacing.weights import WeekdayWeights, day_share, learn_weekday_weights, weights

__all__ = [
    "Bands",
    "Pace",
    "PaceReading",
    "ShareReading",
    "WeekdayWeights",
    "day_share",
    "learn_weekday_weights",
    "pace",
    "share",
    "weights",
]
