"""What the pipeline should bring, and how deals went: figures with what they are made of."""

from domain.forecast.asking import (
    ClosedSum,
    ClosedSums,
    DealSum,
    PipelineSums,
    StageRecords,
    WonDeal,
    WonDeals,
)
from domain.forecast.figures import Cycle, SalesFigures, sales_figures
from domain.forecast.forecasting import (
    Coverage,
    ForecastPart,
    OwnerForecast,
    PipelineForecast,
    QuotaUnknown,
    StageForecast,
    TeamForecast,
    pipeline_forecast,
)
from domain.forecast.shares import (
    Spread,
    StageRecord,
    WhyUnknown,
    observed_chance,
    percentile,
    spread,
    velocity,
    whole_minor,
)

__all__ = [
    "ClosedSum",
    "ClosedSums",
    "Coverage",
    "Cycle",
    "DealSum",
    "ForecastPart",
    "OwnerForecast",
    "PipelineForecast",
    "PipelineSums",
    "QuotaUnknown",
    "SalesFigures",
    "Spread",
    "StageForecast",
    "StageRecord",
    "StageRecords",
    "TeamForecast",
    "WhyUnknown",
    "WonDeal",
    "WonDeals",
    "observed_chance",
    "percentile",
    "pipeline_forecast",
    "sales_figures",
    "spread",
    "velocity",
    "whole_minor",
]
