"""The board on the wall, as data: the page in `api/web` is drawn from it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import strawberry

from api.context import Info
from api.errors import query, subscription
from api.exchange import MissingRateView
from api.filtering import enum
from api.sla_status import MOST_COMMITMENTS, SeriesDayView, until
from api.types import Currency, MoneyView, TimeZone
from api.views import shown, view
from domain import ids
from domain.board import (
    MOST_BREACHES,
    MOST_COUNTDOWNS,
    MOST_GOALS,
    BoardBreach,
    BoardCountdown,
    BoardPicture,
    BoardReturn,
    BoardSide,
    BoardSla,
    CountdownState,
    board_picture,
)
from domain.goals.progress import GoalProgress
from domain.identity import Permission
from domain.sla.agreement import CommitmentKind
from domain.sla.pacing import Pace
from domain.sla.standing import CommitmentStanding, Unit
from domain.stages import Side

enum(
    CountdownState,
    "Where an open promise stands.",
    RUNNING="There is time.",
    WARNING="It is due soon.",
    BREACHED="It is past due.",
    PAUSED="Its clock is stopped.",
)


def _id(kind: str, description: str) -> Any:
    """Declare the public id of something that a board shows a part of."""

    def id(row: strawberry.Parent[Any]) -> strawberry.ID:
        return strawberry.ID(ids.public(kind, row.id))

    return strawberry.field(resolver=id, description=description)


@view(BoardSla, description="The agreement on a board.")
class BoardSlaView:
    name: str = shown("What it is called.")
    starts_on: date = shown("Its first day.")
    last_on: date = shown("Its last day.")
    number: int = shown("Which version of the agreement it is.")
    time_zone: TimeZone = shown("Whose days are counted.")
    working_days: int = shown("Working days in all.")
    working_days_elapsed: int = shown("Working days that have begun, today with them.")


@strawberry.type(
    name="BoardCommitment",
    description="A promise on a board: see CommitmentStanding.  What does not apply is null.",
)
class BoardCommitmentView:
    status: Pace = shown("Whether it is ahead or behind.")
    unit: Unit = shown("What the figures are counted in.")
    currency: Currency | None = shown("The currency of money.")
    target: Decimal = shown("What is owed.")
    attained: Decimal | None = shown("What counts so far.")
    expected: Decimal | None = shown("What could be expected to date.")
    gap: Decimal | None = shown("Attained less expected.")
    projected: Decimal | None = shown("What it comes to by the end, as it goes.")
    probability: Decimal | None = shown("The chance of meeting the target.")
    met_share: Decimal | None = shown("The share kept in time.")
    target_share: Decimal | None = shown("The share owed.")
    open: int | None = shown("What waits for something.")
    due_soon: int | None = shown("What is due soon.")
    breached: int | None = shown("What was late.")
    accepted_share: Decimal | None = shown("The share that sales accepted.")
    quality_floor: Decimal | None = shown("The least share that sales is to accept.")
    series: list[SeriesDayView] = shown("The same, day by day.")

    @strawberry.field(description="Its id.")
    def id(standing: strawberry.Parent[CommitmentStanding]) -> strawberry.ID:
        return strawberry.ID(ids.public("Commitment", standing.commitment.id))

    @strawberry.field(description="What is promised.")
    def kind(standing: strawberry.Parent[CommitmentStanding]) -> CommitmentKind:
        return standing.commitment.kind

    @strawberry.field(description="What people call it.")
    def label(standing: strawberry.Parent[CommitmentStanding]) -> str:
        return standing.commitment.name

    @strawberry.field(description="What it needs on each working day that is left.")
    def needed_per_working_day(standing: strawberry.Parent[CommitmentStanding]) -> Decimal | None:
        return standing.needed_per_working_day

    @classmethod
    def is_type_of(cls, value: object, info: object) -> bool:
        return isinstance(value, CommitmentStanding)


@view(BoardSide, description="One side on a board.")
class BoardSideView:
    side: Side = shown("Which side.")
    team_name: str = shown("Its team.")
    status: Pace = shown("That of its worst promise.")
    commitments: list[BoardCommitmentView] = shown(
        "What it promised, in order.", metadata={"most": MOST_COMMITMENTS}
    )


@view(BoardCountdown, description="An open promise.  Its label names no person.")
class BoardCountdownView:
    id = _id("SlaClock", "The clock's id.")
    label: str = shown("Where the lead came from.")
    team_name: str = shown("Who owes it.")
    commitment_label: str = shown("What is owed.")
    due_at: datetime = shown("By when; a paused clock shows when it would be due.")
    state: CountdownState = shown("Where it stands.")


@view(BoardBreach, description="A promise that was broken.  Its label names no person.")
class BoardBreachView:
    id = _id("SlaClock", "The clock's id.")
    label: str = shown("Where the lead came from.")
    commitment_label: str = shown("What was owed.")
    at: datetime = shown("When it was due.")
    ended_at: datetime | None = shown("When it was done after all; null while it is not.")


@strawberry.type(name="BoardGoal", description="A goal on a board: see GoalProgress.")
class BoardGoalView:
    unit: Unit = shown("What the figures are counted in.")
    target: Decimal = shown("What is to be reached.")
    attained: Decimal | None = shown("What is reached so far.")
    expected: Decimal = shown("What could be expected to date.")
    status: Pace = shown("Whether it is ahead or behind.")

    @strawberry.field(description="Its id.")
    def id(progress: strawberry.Parent[GoalProgress]) -> strawberry.ID:
        return strawberry.ID(ids.public("Goal", progress.goal.id))

    @strawberry.field(description="What people call it.")
    def name(progress: strawberry.Parent[GoalProgress]) -> str:
        return progress.goal.name

    @classmethod
    def is_type_of(cls, value: object, info: object) -> bool:
        return isinstance(value, GoalProgress)


@view(BoardReturn, description="What marketing's leads bought this month.")
class BoardReturnView:
    starts_on: date = shown("The first day of the month, in the tenant's time zone.")
    won: int = shown("How many deals were won with leads that marketing handed off.")
    amount: MoneyView = shown("What they are worth, in the tenant's currency.")
    unrated: int = shown("How many of them are left out of the amount, for want of a rate.")
    missing: MissingRateView | None = shown(
        "The rate to set first, of those that are missing; null if none is."
    )


@view(
    BoardPicture,
    name="Board",
    description="One agreement at a glance, for everybody's eyes: it holds no personal data.",
)
class BoardPictureView:
    as_of: datetime = shown("The instant at which it was read.")
    tenant_name: str = shown("The company.")
    sla: BoardSlaView | None = shown("The agreement in force; null if there is none.")
    sides: list[BoardSideView] = shown(
        "Both sides, marketing first; empty without an agreement.", metadata={"most": len(Side)}
    )
    countdowns: list[BoardCountdownView] = shown(
        "The most urgent open promises, at most 12, by when they are due.",
        metadata={"most": MOST_COUNTDOWNS},
    )
    breaches: list[BoardBreachView] = shown(
        "The breaches of the last seven days, at most 8, newest first.",
        metadata={"most": MOST_BREACHES},
    )
    goals: list[BoardGoalView] = shown(
        "The goals of these days, at most 6.", metadata={"most": MOST_GOALS}
    )
    returned: BoardReturnView | None = shown(
        "The revenue coming back this month; null before the first opportunity."
    )


@strawberry.type
class Queries:
    @query("What hangs on the wall now.", needs=Permission.VIEW_BOARD, shows=BoardPictureView)
    async def board(self, info: Info) -> Any:
        return await _read(info)


@strawberry.type
class Subscriptions:
    @subscription(
        "What hangs on the wall, whenever that changes and at least once a minute.",
        needs=Permission.VIEW_BOARD,
        shows=BoardPictureView,
    )
    async def board(self, info: Info) -> AsyncIterator[Any]:
        with info.context.live.watch(info.context.actor.tenant_id) as watch:
            while True:
                picture = await _read(info)
                yield picture
                await watch.news(within=until(picture.as_of, picture.next_at))


async def _read(info: Info) -> BoardPicture:
    async with info.context.work() as work:
        return await board_picture(work, info.context.actor)


# What the page in `api/web` is drawn from: `api.web.payload.Board` has the same names.
BOARD_DOCUMENT = """
subscription Board {
  board {
    asOf
    tenantName
    sla { name startsOn lastOn number timeZone workingDays workingDaysElapsed }
    sides {
      side
      teamName
      status
      commitments {
        id kind label unit currency status
        target attained expected gap projected neededPerWorkingDay probability
        metShare targetShare open dueSoon breached acceptedShare qualityFloor
        series { on attained expected }
      }
    }
    countdowns { id label teamName commitmentLabel dueAt state }
    breaches { id label commitmentLabel at endedAt }
    goals { id name unit target attained expected status }
    returned { startsOn won amount { amount currency } unrated missing { currency to on } }
  }
}
"""
