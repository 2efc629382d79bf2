"""How agreements stand: the figures, their verdicts, and how each figure was made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import strawberry

from api.context import Info
from api.errors import query, subscription
from api.filtering import enum
from api.sla import CommitmentView, SlaView
from api.types import Currency
from api.views import related, shown, view
from domain import ids
from domain.errors import NotFound
from domain.identity import Permission, Team
from domain.sla.agreement import SlaStatus
from domain.sla.pacing import Pace
from domain.sla.standing import (
    CommitmentStanding,
    ExplainedInput,
    Explanation,
    SeriesDay,
    SideStanding,
    SlaStanding,
    Unit,
    sla_standing,
)
from domain.stages import Side

# As many as `domain.sla.terms` accepts, so that the cost of a query is not overrated.
MOST_COMMITMENTS = 20

enum(
    Pace,
    "How a promise is doing.",
    NOT_STARTED="Its period has not begun, or it is not signed.",
    AHEAD="More is done than could be expected by now.",
    ON_TRACK="As it goes, it will be kept.",
    AT_RISK="As it goes, it will be missed by a little, or its quality is too low.",
    BEHIND="As it goes, it will be missed by far.",
    MET="It is kept.",
    MISSED="Its period is over, and it was not kept.",
)
enum(
    Unit,
    "What a figure is counted in.",
    COUNT="Leads, or whatever is counted.",
    POINTS="Points.",
    MONEY="Money, in units of the currency.",
    SHARE="A share from 0 to 1.",
)


@view(SeriesDay, description="Where a line stands at the end of one day.")
class SeriesDayView:
    on: date = shown("The local day.")
    attained: Decimal | None = shown(
        "What was attained up to then; null on days to come and while nothing is decided."
    )
    expected: Decimal = shown("What was to be expected up to then.")


@view(ExplainedInput, name="ExplainedFigure", description="A number that went into a figure.")
class ExplainedInputView:
    name: str = shown("Its name in the formula.")
    value: str = shown("The number.")


@view(Explanation, description="How a figure was made, so that anybody can do the sum again.")
class ExplanationView:
    formula: str = shown("The formula in words.")
    inputs: list[ExplainedInputView] = shown("What went into it.")
    as_of: datetime = shown("The instant at which it was read.")


@view(
    CommitmentStanding,
    description="How one commitment stands.  Figures are in `unit`; for a commitment of a share,"
    " `attained` and `target` are the share met and the share owed.  What does not apply to its"
    " kind is null.",
)
class CommitmentStandingView:
    commitment: CommitmentView = shown("The promise.")
    status: Pace = shown("Whether it is ahead or behind.")
    unit: Unit = shown("What the figures are counted in.")
    currency: Currency | None = shown("The currency of money.")
    target: Decimal = shown(
        "What is owed while this version is in force: its part of the period's target, or the"
        " share, scaled by what it is linked to."
    )
    attained: Decimal | None = shown("What counts so far; null while no share is decided.")
    expected: Decimal | None = shown("What could be expected to date.")
    gap: Decimal | None = shown("Attained less expected; negative is behind.")
    attainment: Decimal | None = shown(
        "Attained by expected to date, not capped; null while nothing can be expected."
    )
    projected: Decimal | None = shown("What a delivery comes to by the end, as it goes.")
    needed_per_working_day: Decimal | None = shown(
        "What a delivery needs on each working day that is left; null when none is."
    )
    remaining_working_days: int | None = shown("Working days left, today with them.")
    probability: Decimal | None = shown("The chance of meeting the target, 0 to 1.")
    p10: Decimal = shown(
        "A delivery's total falls below this once in ten times; a true share is at least this nine"
        " times in ten."
    )
    p90: Decimal = shown("A delivery's total, or a true share, stays below this nine times in ten.")
    handed_off: int | None = shown("Hand-offs that count towards a delivery.")
    accepted: int | None = shown("Those that sales accepted.")
    rejected: int | None = shown("Those that sales rejected.")
    accepted_share: Decimal | None = shown(
        "Accepted by answered; null while nothing is answered yet."
    )
    quality_floor: Decimal | None = shown("The least share that sales is to accept.")
    quality_kept: bool | None = shown(
        "Whether the quality floor holds; a broken one turns anything good into AT_RISK, and into"
        " MISSED at the end.  Null without a floor or an answer."
    )
    opened: int | None = shown("Clocks started (of a coverage: hand-offs).")
    open: int | None = shown("Those that wait for something; late ones among the clocks.")
    due_soon: int | None = shown("Open clocks past their first warning and not yet due.")
    breached: int | None = shown("Those that were late, closed by now or still open.")
    met: int | None = shown("Those that were kept in time.")
    excused: int | None = shown("Clocks waived, cancelled or transferred, which count as neither.")
    met_share: Decimal | None = shown("Met by met and breached; null while nothing is decided.")
    target_share: Decimal | None = shown("The share owed.")
    series: list[SeriesDayView] = shown("The same, day by day.")
    explain: ExplanationView = shown("How the figures were made.")


@view(SideStanding, description="How one side stands.")
class SideStandingView:
    side: Side = shown("Which side.")
    status: Pace = shown("That of its worst commitment; MET only if all are.")
    team = related("api.identity.TeamView", Team, by="team_id", description="Its team.")


@view(SlaStanding, description="How an agreement stands at an instant.")
class SlaStandingView:
    sla: SlaView = shown("The agreement.")
    as_of: datetime = shown("The instant at which it was read.")
    status: SlaStatus = shown("Whether it is in force.")
    starts_on: date = shown("The first local day on which this version is in force.")
    ends_on: date = shown("The day after the last one.")
    working_days: int = shown("Working days among them.")
    working_days_elapsed: int = shown("Working days that have begun, today with them.")
    commitments: list[CommitmentStandingView] = shown(
        "How each promise stands, in order.", metadata={"most": MOST_COMMITMENTS}
    )
    sides: list[SideStandingView] = shown(
        "How each side stands, marketing first.", metadata={"most": len(Side)}
    )
    alignment_index: Decimal | None = shown(
        "The geometric mean of what all commitments and quality floors attained, each at most 1:"
        " one failing side cannot be hidden.  Null while nothing can be said."
    )


_Which = Annotated[strawberry.ID, strawberry.argument(description="Which agreement.")]


@strawberry.type
class Queries:
    @query(
        "How an agreement stands now, or null if there is none of that id.",
        shows=SlaStandingView | None,
    )
    async def sla_status(self, info: Info, sla: _Which) -> Any:
        try:
            return await _read(info, ids.expect("Sla", sla, path=("sla",)))
        except NotFound:
            return None


@strawberry.type
class Subscriptions:
    @subscription(
        "How an agreement stands, whenever that changes: when something happens, when a clock comes"
        " to be due or late, and as working time goes by.",
        needs=Permission.VIEW,
        shows=SlaStandingView,
    )
    async def sla_status(self, info: Info, sla: _Which) -> AsyncIterator[Any]:
        sla_id = ids.expect("Sla", sla, path=("sla",))
        with info.context.live.watch(info.context.actor.tenant_id) as watch:
            while True:
                standing = await _read(info, sla_id)
                yield standing
                await watch.news(within=until(standing.as_of, standing.next_at))


async def _read(info: Info, sla_id: UUID) -> SlaStanding:
    async with info.context.work() as work:
        return await sla_standing(work, info.context.actor, sla_id)


def until(now: datetime, then: datetime | None) -> timedelta | None:
    """Return how long to wait for an instant, None for ever if there is none."""
    return None if then is None else then - now
