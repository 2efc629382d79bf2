"""Recalibration: what lead types turned out to be worth, for the next version of an agreement."""

from domain.sla.recalibration.monthly import (
    ResultsOfTypes,
    ValuedDeliveries,
    recalibrate,
    take_values,
    terms_from,
)
from domain.sla.recalibration.values import (
    PRIOR_WEIGHT,
    CalibratedDelivery,
    CalibratedValue,
    NothingCalibrated,
    TypeResult,
    ValueRecalibration,
    ValuesOutdated,
    WindowResults,
    calibrated,
    shrunk_rate,
    window_before,
)

__all__ = [
    "PRIOR_WEIGHT",
    "CalibratedDelivery",
    "CalibratedValue",
    "NothingCalibrated",
    "ResultsOfTypes",
    "TypeResult",
    "ValueRecalibration",
    "ValuedDeliveries",
    "ValuesOutdated",
    "WindowResults",
    "calibrated",
    "recalibrate",
    "shrunk_rate",
    "take_values",
    "terms_from",
    "window_before",
]
