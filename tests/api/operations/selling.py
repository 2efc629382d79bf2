"""Deals, revenue, and what campaigns are worth."""

from __future__ import annotations

from typing import Any

from tests.api.offices import Office
from tests.api.operations.front_end import OPERATIONS, FrontEnd


async def sell(office: Office, front_end: FrontEnd) -> None:
    """The lead that was accepted buys; another deal with it is lost, and goes on."""
    rate = OPERATIONS["exchange-rate-set"].variables["input"]
    assert (await front_end.change("exchange-rate-set", **rate))["toCurrency"] == "EUR"
    (known,) = (await front_end.run("exchange-rates", first=20))["nodes"]
    assert (known["currency"], known["toCurrency"]) == (rate["currency"], "EUR")
    lead = {"email": office.leads[0]}
    deal = {"externalId": {"source": "crm", "value": "D-1"}}
    told = OPERATIONS["opportunity-create"].variables["input"]
    opened = await front_end.change("opportunity-create", **{**told, "lead": lead})
    assert (opened["status"], opened["stage"]["name"]) == ("OPEN", "Qualification")
    usd = {"amount": "1000", "currency": "USD"}
    changed = await front_end.change("opportunity-update", opportunity=deal, amount=usd)
    assert changed["amount"] == {"amount": "1000.00", "currency": "USD"}
    stages = (await front_end.run("pipeline-stages"))["nodes"]
    proposal = {"id": stages[2]["id"]}
    moved = await front_end.change("opportunity-advance", opportunity=deal, stage=proposal)
    assert moved["stage"]["name"] == "Proposal"
    lost = await front_end.change("opportunity-lose", opportunity=deal, reason="Too dear.")
    assert lost["lostReason"] == "Too dear."
    assert (await front_end.change("opportunity-reopen", opportunity=deal))["status"] == "OPEN"
    period = {"period": {"kind": "QUARTER", "startsOn": "2027-04-01"}}
    expected = await front_end.run("pipeline-forecast", input=period)
    assert expected["total"]["weightedAgreed"] == {"amount": "460.00"}  # 1000 * 0.92 * 0.5
    live = await anext(front_end.follow("pipeline-forecast-live", input=period))
    assert live["total"]["openCount"] == 1
    page = await front_end.run("opportunities-page", filter={"status": {"eq": "OPEN"}})
    assert [one["id"] for one in page["nodes"]] == [opened["id"]]
    await win(front_end, lead, deal)


async def win(front_end: FrontEnd, lead: Any, deal: Any) -> None:
    won = await front_end.change("opportunity-win", opportunity=deal)
    customer = won["lead"]["customer"]
    assert (won["lead"]["stage"], customer["status"]) == ("CUSTOMER", "ACTIVE")
    detail = await front_end.run("opportunity-detail", ref=deal)
    assert [step["status"] for step in detail["steps"]["nodes"]][-1] == "WON"
    row = {**deal, "lead": lead, "name": "Again"}
    (again,) = await front_end.change("opportunities-upsert", rows=[row])
    assert again["outcome"] == "UPDATED"
    more = {"amount": "3000", "currency": "EUR"}
    revenue = await front_end.change(
        "revenue-record", customer={"id": customer["id"]}, kind="EXPANSION", amount=more
    )
    assert revenue["customer"] == customer
    twice = await front_end.change(
        "revenue-record", customer={"id": customer["id"]}, kind="EXPANSION", amount=more
    )
    whose = await front_end.change("revenue-delete", revenueEvent=twice["id"])
    assert whose == {"id": won["lead"]["id"], "stage": "CUSTOMER", "customer": customer}
    standing = await front_end.change(
        "customer-status-set", customer={"id": customer["id"]}, status="AT_RISK"
    )
    assert standing["status"] == "AT_RISK"
    (bought,) = (await front_end.run("customers"))["nodes"]
    assert [one["kind"] for one in bought["revenue"]["nodes"]] == ["EXPANSION", "NEW"]
    assert bought["value"]["current"] == {"amount": "3920.00", "currency": "EUR"}
    far = {"kind": "MONTH", "startsOn": "2149-01-01"}
    revenue = await front_end.run("revenue-figures", period=far)
    assert (revenue["opening"]["amount"], revenue["grossRetentionRate"]) == ("3920.00", "1.0000")
    figures = await front_end.run("sales-figures")
    assert (figures["wonCount"], figures["winRate"]) == (1, "1.0000")
    assert figures["averageDeal"] == {"amount": "920.00", "currency": "EUR"}


async def weigh_campaigns(front_end: FrontEnd) -> None:
    told = OPERATIONS["campaign-create"].variables["input"]
    made = await front_end.change("campaign-create", **told)
    rows = OPERATIONS["campaign-costs-upsert"].variables["input"]["rows"]
    assert [
        row["outcome"] for row in await front_end.change("campaign-costs-upsert", rows=rows)
    ] == ["CREATED"]
    (campaign,) = (await front_end.run("campaigns-page"))["nodes"]
    assert campaign["id"] == made["id"]
    assert [cost["amount"]["amount"] for cost in campaign["costs"]["nodes"]] == ["12.50"]
    assert len(await front_end.run("attribution-models")) == 9
    scope = OPERATIONS["campaign-performance"].variables["input"]
    found = await front_end.run("campaign-performance", input=scope)
    (row,) = (row for row in found["rows"]["nodes"] if row["campaign"])
    assert (row["campaign"]["id"], row["cost"]["amount"]) == (made["id"], "12.50")
    number = {"dimension": "CAMPAIGN", "key": row["key"], "measure": "COST"}
    explained = await front_end.run("performance-explain", input=scope, number=number)
    assert [one["amount"]["amount"] for one in explained["rows"]["nodes"]] == ["12.50"]
    sources = await front_end.run(
        "source-performance", **OPERATIONS["source-performance"].variables
    )
    assert sources["model"]["name"] == "First touch"
    await weigh_what_was_read(front_end, scope)


async def weigh_what_was_read(front_end: FrontEnd, scope: Any) -> None:
    told = OPERATIONS["content-asset-create"].variables["input"]
    asset = await front_end.change("content-asset-create", **told)
    assert asset["title"] == told["title"]
    for read in ("content-performance", "persona-performance"):
        figures = await front_end.run(read, input=scope)
        assert (figures["currency"], figures["model"]["name"]) == ("EUR", "W-shaped")
    told = OPERATIONS["attribution-model-create"].variables["input"]
    model = await front_end.change("attribution-model-create", **told)
    assert model["name"] == told["name"]
    names = [each["name"] for each in await front_end.run("attribution-models")]
    assert names[-1] == told["name"]
