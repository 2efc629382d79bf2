"""The rows behind each number, once: a figure aggregates them, its evidence pages them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from domain.attribution.performance import PerformanceMeasure
from infra.queries.performance.earned import credited, influenced
from infra.queries.performance.met import LEAD_MEASURES, came, touched
from infra.queries.performance.source import Facts, Source
from infra.queries.performance.spent import spent

_FACTS: Mapping[PerformanceMeasure, Callable[[Source], Facts]] = {
    PerformanceMeasure.COST: spent,
    PerformanceMeasure.TOUCHES: touched,
    **{measure: partial(came, measure=measure) for measure in LEAD_MEASURES},
    PerformanceMeasure.PIPELINE: partial(credited, measure=PerformanceMeasure.PIPELINE),
    PerformanceMeasure.WON: partial(credited, measure=PerformanceMeasure.WON),
    PerformanceMeasure.INFLUENCED: influenced,
}


def facts(source: Source, measure: PerformanceMeasure) -> Facts:
    """Return a statement for the rows behind a measure, with the columns of `fact`."""
    return _FACTS[measure](source)
