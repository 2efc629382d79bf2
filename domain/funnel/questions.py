"""What the funnel asks of the outside world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from domain.filters import Filter
from domain.paging import Narrowing
from domain.ports import Question
from domain.stages import Stage

# What the leads of a group have in common; nothing where they have no value.
GroupKey: TypeAlias = UUID | str | None


class FunnelDimension(StrEnum):
    """By what leads are told apart.  The team is the one a lead was handed off to last."""

    ORIGIN_SOURCE = "ORIGIN_SOURCE"
    ORIGIN_MEDIUM = "ORIGIN_MEDIUM"
    CAMPAIGN = "CAMPAIGN"
    PERSONA = "PERSONA"
    OWNER = "OWNER"
    TEAM = "TEAM"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Leads that a filter describes, under a name.  A lead may be in several, or in none."""

    name: str
    filter: Filter


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """Which leads a report is about, by when they were first seen, and how they are told apart.

    `until` is the first instant after.  Segments take the place of a dimension.
    """

    since: datetime | None = None
    until: datetime | None = None
    filter: Filter | None = None
    dimension: FunnelDimension | None = None
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """The largest groups by their number of leads, and how many groups there are in all."""

    keys: tuple[GroupKey, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LargestGroups(Question[Groups]):
    """The groups of a dimension that have most leads, at most so many."""

    meant: Meant
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clockwork:
    """Working time laid out for look-up, in microseconds since 1970.

    `worked` is the open time before each opening, `lengths` how long each lasts.
    """

    opens: tuple[int, ...]
    lengths: tuple[int, ...]
    worked: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How long so many leads took, in whole seconds: half at most `p50`, nine in ten `p90`."""

    leads: int
    p50: timedelta
    p90: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyCount:
    """How far the leads of one group and cohort came, by the stages asked for.

    `group` is a place among the keys asked for, one beyond them for all others; `waiting`, `times`
    and `working_times` have one place for each stage but the last.
    """

    group: int
    cohort: int
    leads: int
    open: int
    reached: tuple[int, ...]
    waiting: tuple[int, ...]
    times: tuple[Spread | None, ...]
    working_times: tuple[Spread | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyCounts(Question[Sequence[JourneyCount]]):
    """How far leads came, by group and cohort; groups and cohorts without a lead are left out.

    `cohorts` are the instants at which each begins, in order; there is at least one.
    """

    meant: Meant
    stages: tuple[Stage, ...]
    keys: tuple[GroupKey, ...] = ()
    cohorts: tuple[datetime, ...] = ()
    clockwork: Clockwork | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelLeads(Narrowing):
    """The leads of one group that came at least so far: those behind a number of a report.

    `group` is a place among the keys, one beyond them for all others; without a `stage`, all.
    """

    meant: Meant
    stage: Stage | None = None
    keys: tuple[GroupKey, ...] = ()
    group: int = 0
