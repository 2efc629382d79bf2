"""How often to call: a calculator for the attempts commitment."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import strawberry

from api.context import Info
from api.errors import query
from api.types import MoneyInput
from api.views import shown, view
from domain.sla.cadence import MOST_ATTEMPTS, CadenceStep, CallCadence, call_cadence


@view(CadenceStep, description="What a commitment to so many attempts gives.")
class CadenceStepView:
    attempts: int = shown("How many attempts at most.")
    win_rate: Decimal = shown("The chance of winning within them.")
    expected_attempts: Decimal = shown("How many it takes: none is made after a win.")
    return_ratio: Decimal = shown("What comes in for what is spent on the lead and the attempts.")


@view(CallCadence, description="How many attempts pay best.")
class CallCadenceView:
    best: int = shown("The number with the best return; of several, the least.")
    steps: list[CadenceStepView] = shown(
        "What each number of attempts gives.", metadata={"most": MOST_ATTEMPTS}
    )


@strawberry.type
class Queries:
    @query("How many attempts to promise for a lead: a calculator.", shows=CallCadenceView)
    async def call_cadence(  # GraphQL gives arguments by name
        self,
        info: Info,
        value: Annotated[MoneyInput, strawberry.argument(description="What a win is worth.")],
        lead_cost: Annotated[MoneyInput, strawberry.argument(description="What the lead cost.")],
        call_cost: Annotated[
            MoneyInput, strawberry.argument(description="What an attempt costs, above 0.")
        ],
        win_rates: Annotated[
            list[Decimal],
            strawberry.argument(
                description="The chance that each attempt wins if none before it did, 0 to 1; the"
                " first one's first, at most 20."
            ),
        ],
    ) -> CallCadence:
        return call_cadence(
            value=value.money(("value",)),
            lead_cost=lead_cost.money(("leadCost",)),
            call_cost=call_cost.money(("callCost",)),
            win_rates=win_rates,
        )
