from __future__ import annotations

from tests.world import World

CADENCE = """query($rates: [Decimal!]!, $cost: MoneyInput!) { callCadence(
  value: {amount: "1000", currency: "EUR"}, leadCost: {amount: "50", currency: "EUR"},
  callCost: $cost, winRates: $rates) { best steps { attempts winRate returnRatio } } }"""


async def test_the_number_of_attempts_that_pays_best_is_told(world: World) -> None:
    variables = {"rates": ["0.1", "0.08", "0.05"], "cost": {"amount": "10", "currency": "EUR"}}
    data = await world.data(CADENCE, variables)
    assert data["callCadence"]["best"] == 3
    assert data["callCadence"]["steps"][1] == {
        "attempts": 2,
        "winRate": "0.172000",
        "returnRatio": "2.492754",
    }


async def test_amounts_of_two_currencies_are_refused(world: World) -> None:
    variables = {"rates": ["0.1"], "cost": {"amount": "10", "currency": "USD"}}
    answer = await world.ask(CADENCE, variables)
    assert answer["data"] is None
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert answer["errors"][0]["message"] == "The amounts are in different currencies."
