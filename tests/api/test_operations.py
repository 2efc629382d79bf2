"""The documented operations, each one run as a front end would, over HTTP and streams."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import httpx
import pytest
from graphql import OperationDefinitionNode, parse, validate
from graphql.execution import get_variable_values

from api.operations import FOLDER, GROUPS, DocumentedOperation, documented_operations
from api.schema import schema
from infra.database import Database
from infra.mail.sending import mailbox_of
from infra.passwords import Passwords
from tests.api.offices import Office, open_office
from tests.api.scene import QUICK
from tests.api.sites import Site, a_site
from tests.conftest import DatabaseUrls

OPERATIONS = {operation.name: operation for operation in documented_operations()}
SCHEMA = schema()._schema


def definition_of(operation: DocumentedOperation) -> OperationDefinitionNode:
    (found,) = (
        node
        for node in parse(operation.document).definitions
        if isinstance(node, OperationDefinitionNode)
    )
    return found


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_a_documented_operation_says_what_it_does(operation: DocumentedOperation) -> None:
    definition = definition_of(operation)
    assert operation.group in GROUPS
    assert operation.title
    assert definition.name is not None
    assert definition.operation.value == operation.kind
    # The file is called like the operation.
    assert "".join(word.capitalize() for word in operation.name.split("-")) == definition.name.value


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_a_documented_operation_and_its_example_fit_the_schema(
    operation: DocumentedOperation,
) -> None:
    assert validate(SCHEMA, parse(operation.document)) == []
    definitions = definition_of(operation).variable_definitions or ()
    assert set(operation.variables) <= {each.variable.name.value for each in definitions}
    outcome = get_variable_values(SCHEMA, definitions, operation.variables)
    assert not isinstance(outcome, list), outcome


def test_every_file_is_an_operation_and_no_name_is_taken_twice() -> None:
    assert {path.stem for path in FOLDER.iterdir() if path.suffix == ".graphql"} == set(OPERATIONS)
    names = [
        node.name.value
        for operation in OPERATIONS.values()
        for node in parse(operation.document).definitions
        if getattr(node, "name", None)
    ]
    assert len(names) == len(set(names))


# Run against the whole application


@pytest.fixture(scope="module")
async def site(
    database_urls: DatabaseUrls, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    mails = tmp_path_factory.mktemp("mails").as_uri()
    async with a_site(database_urls, MAIL_URL=mails) as site:
        yield site


@pytest.fixture(scope="module")
async def office(database_urls: DatabaseUrls) -> AsyncIterator[Office]:
    database = await Database.connect(database_urls.app, database_urls.platform, size=2)
    passwords = Passwords(QUICK)
    yield await open_office(database, passwords)
    passwords.close()
    await database.close()


class FrontEnd:
    """Runs documented operations by name, and remembers which."""

    def __init__(self, url: str) -> None:
        self.client = httpx.AsyncClient(base_url=url, timeout=20)
        self.ran: set[str] = set()
        self.refresh_token = ""

    async def run(self, name: str, /, **variables: Any) -> Any:
        """Return the data of an operation, or what its root field answers if it has only one."""
        self.ran.add(name)
        body = {"query": OPERATIONS[name].document, "variables": variables}
        answer = (await self.client.post("/graphql", json=body)).json()
        assert "errors" not in answer, answer
        (data,) = answer["data"].values()
        return data

    async def change(self, name: str, /, **input: Any) -> Any:
        """Return what a mutation made, which must not be refused."""
        payload = await self.run(name, input=input)
        assert payload.pop("userErrors") == []
        (made,) = payload.values()
        return made

    async def sign_in(self, email: str, password: str) -> Any:
        """Sign in and return the session."""
        return self.go_on(await self.change("sign-in", email=email, password=password))

    def go_on(self, session: Any) -> Any:
        """Go on with the tokens of a session, and return it."""
        self.client.headers["authorization"] = f"Bearer {session['accessToken']}"
        self.refresh_token = session["refreshToken"]
        return session

    async def follow(self, name: str, /, **variables: Any) -> AsyncGenerator[Any, None]:
        """Yield what a subscription tells."""
        self.ran.add(name)
        body = {"query": OPERATIONS[name].document, "variables": variables}
        headers = {"accept": "text/event-stream"}
        async with self.client.stream("POST", "/graphql", json=body, headers=headers) as response:
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    answer = json.loads(line[6:])
                    assert "errors" not in answer, answer
                    (data,) = answer["data"].values()
                    yield data


@pytest.fixture(scope="module")
async def front_end(site: Site) -> AsyncIterator[FrontEnd]:
    front_end = FrontEnd(site.url)
    yield front_end
    await front_end.client.aclose()


async def first(events: AsyncGenerator[Any, None], **wanted: Any) -> Any:
    """Return the first event with these values."""
    async with asyncio.timeout(20), aclosing(events):
        async for event in events:
            if wanted.items() <= event.items():
                return event
    raise AssertionError("the stream ended")


async def test_every_documented_operation_runs(
    site: Site, office: Office, front_end: FrontEnd
) -> None:
    """One story, because each step needs the one before; the last says that none was left out."""
    await sign_in(office, front_end)
    await stay_signed_in(front_end)
    await read(office, front_end)
    await work_on_leads(front_end)
    await know_people(front_end)
    await merge_doubles(front_end)
    await hand_off(office, front_end)
    await hear_back(office, front_end)
    await prioritise(office, front_end)
    await watch(office, front_end)
    await sell(office, front_end)
    await weigh_campaigns(front_end)
    await import_leads(front_end)
    await invite(site, office, front_end)
    await look_back(front_end)
    await change_password(site, office, front_end)
    assert front_end.ran == set(OPERATIONS)


async def sign_in(office: Office, front_end: FrontEnd) -> None:
    session = await front_end.sign_in(office.email, office.password)
    assert session["tenant"]["name"] == "Acme"
    viewer = await front_end.run("viewer")
    assert (viewer["name"], viewer["role"]) == ("Olive", "OWNER")
    assert {team["side"] for team in viewer["teams"]} == {"MARKETING", "SALES"}


async def stay_signed_in(front_end: FrontEnd) -> None:
    spent = front_end.refresh_token
    front_end.go_on(await front_end.change("session-refresh", refreshToken=spent))
    assert front_end.refresh_token != spent
    (session,) = (await front_end.run("sessions", first=25))["sessions"]["nodes"]
    assert session["current"]


async def read(office: Office, front_end: FrontEnd) -> None:
    page = await front_end.run("leads-page", first=20, filter={"stage": {"gte": "MQL"}})
    after = page["pageInfo"]["endCursor"]
    rest = await front_end.run("leads-page", first=20, after=after)
    emails = [lead["email"] for lead in page["nodes"] + rest["nodes"]]
    assert emails == list(office.leads)
    assert page["totalCount"] == len(office.leads)
    ids = [page["nodes"][0]["id"], office.sla]
    assert [node["id"] for node in await front_end.run("nodes", ids=ids)] == ids
    assert [sla["id"] for sla in (await front_end.run("slas"))["nodes"]] == [office.sla]
    assert [goal["id"] for goal in (await front_end.run("goals"))["nodes"]] == [office.goal]
    (persona,) = (await front_end.run("personas"))["nodes"]
    assert persona["outstanding"] == {"count": 1}
    teams = (await front_end.run("teams"))["nodes"]
    assert {team["name"] for team in teams} == {"Marketing", "Sales"}
    stages = (await front_end.run("shared-language"))["stages"]
    assert [stage["inForce"] for stage in stages] == [None] * len(stages)
    assert (await front_end.run("board"))["tenantName"] == "Acme"
    funnel = await front_end.run("reverse-funnel", **OPERATIONS["reverse-funnel"].variables)
    assert funnel["customers"]["planned"]["whole"] == "50"
    assert [step["planned"]["whole"] for step in funnel["steps"]] == ["500", "200"]


async def work_on_leads(front_end: FrontEnd) -> None:
    lead = await front_end.change(
        "lead-create", email="ann@example.com", firstName="Ann", originSource="website"
    )
    ann = {"id": lead["id"]}
    changed = await front_end.change("lead-update", lead=ann, score=60, version=lead["version"])
    assert (changed["score"], changed["version"]) == (60, lead["version"] + 1)
    rows = await front_end.change(
        "leads-upsert", rows=[{"email": "ann@example.com", "score": 61}, {"email": "b@example.com"}]
    )
    assert [row["outcome"] for row in rows] == ["UPDATED", "CREATED"]
    activity = await front_end.change("activity-log", lead=ann, kind="CALL", answered=True)
    assert (activity["kind"], activity["lead"]["id"]) == ("CALL", lead["id"])
    advanced = await front_end.change("lead-advance", lead=ann, to="MQL")
    assert advanced["stage"] == "MQL"
    detail = await front_end.run("lead-detail", lead={"email": "ann@example.com"})
    assert [entry["stage"] for entry in detail["history"]["nodes"]] == ["VISITOR", "MQL"]
    assert [one["id"] for one in detail["activities"]["nodes"]] == [activity["id"]]
    touched = {"kind": "DOWNLOAD", "lead": {"email": "ann@example.com"}}
    [row] = await front_end.change("touches-record", rows=[touched])
    assert (row["outcome"], row["touch"]["channel"]) == ("CREATED", "DIRECT")
    story = await front_end.run("lead-story", lead={"email": "ann@example.com"})
    assert len(story["timeline"]["nodes"]) == 4
    assert row["touch"]["id"] in [one["id"] for one in story["timeline"]["nodes"]]


async def know_people(front_end: FrontEnd) -> None:
    settings = await front_end.change("lead-settings-update", phoneCountry="DE")
    assert settings["phoneCountry"] == "DE"
    kept = await front_end.change("touch-retention-update", anonymousDays=180)
    assert (kept["anonymousTouchDays"], kept["knownTouchDays"]) == (180, 1095)
    made = await front_end.change("company-create", name="Acme GmbH", domain="https://www.acme.de")
    renamed = await front_end.change(
        "company-update", company={"domain": "acme.de"}, name="Acme AG", version=made["version"]
    )
    page = await front_end.run("companies-page", filter={"domain": {"eq": "acme.de"}})
    assert page["nodes"] == [{"id": made["id"], "name": "Acme AG", "domain": "acme.de"}]
    assert renamed["version"] == 2
    bob = {"email": "b@example.com"}
    consent = await front_end.change(
        "consent-record", lead=bob, purpose="PHONE", status="WITHDRAWN", source="phone call"
    )
    told = await front_end.run("lead-provenance", lead=bob)
    assert [(each["fact"], each["source"]) for each in told["provenance"]] == [("EMAIL", "user")]
    assert [each["id"] for each in told["consents"]["nodes"]] == [consent["id"]]
    forbidden = await front_end.change("lead-do-not-contact-set", lead=bob, reason="Asked us.")
    assert (forbidden["doNotContact"], forbidden["doNotContactReason"]) == (True, "Asked us.")
    allowed = await front_end.change("lead-do-not-contact-lift", lead=bob)
    assert allowed["doNotContact"] is False


async def merge_doubles(front_end: FrontEnd) -> None:
    winner, loser = {"email": "ann@example.com"}, {"email": "b@example.com"}
    merge = await front_end.change("lead-merge", winner=winner, losers=[loser])
    assert (merge["winner"]["email"], merge["winner"]["stage"]) == ("ann@example.com", "MQL")
    assert [each["email"] for each in merge["losers"]] == ["b@example.com"]
    found = await front_end.run("lead-detail", lead=loser)
    assert found["id"] == merge["winner"]["id"]
    undone = await front_end.change("lead-unmerge", merge=merge["id"])
    assert undone["undoneAt"] is not None
    assert (await front_end.run("duplicates", first=10))["nodes"] == []


async def hand_off(office: Office, front_end: FrontEnd) -> None:
    cursor = await front_end.run("feed-cursor")
    taken, refused, returned = ({"email": email} for email in office.leads[:3])
    for lead in (taken, refused, returned):
        handoff = await front_end.change("lead-hand-off", lead=lead)
        assert handoff["status"] == "OPEN"
    waiting = await front_end.run("handoff-inbox")
    assert {one["lead"]["email"] for one in waiting} == set(office.leads[:3])
    clocks = (await front_end.run("clocks-due", first=50))["nodes"]
    clock = clocks[-1]["id"]
    paused = await front_end.change("clock-pause", clock=clock, reason="On holiday.")
    assert (paused["state"], paused["reason"]) == ("PAUSED", "On holiday.")
    assert (await front_end.change("clock-resume", clock=clock))["state"] == "RUNNING"

    accepted = await front_end.change("lead-accept", lead=taken)
    assert (accepted["status"], accepted["lead"]["stage"]) == ("ACCEPTED", "SAL")
    rejected = await front_end.change("lead-reject", lead=refused, reason="A student.")
    assert (rejected["status"], rejected["decisionReason"]) == ("REJECTED", "A student.")
    await front_end.change("lead-accept", lead=returned)
    recycled = await front_end.change("lead-recycle", lead=returned, reason="Next year.")
    assert recycled["stage"] == "LEAD"
    report = await front_end.run("funnel-report", **OPERATIONS["funnel-report"].variables)
    assert sum(group["leads"] for group in report["groups"]) >= len(office.leads)
    behind = await front_end.run("funnel-leads", input={}, stage="SAL")
    accepted_ever = {lead["email"] for lead in behind["groups"][0]["explain"]["nodes"]}
    assert accepted_ever == {office.leads[0], office.leads[2]}
    met = await first(front_end.follow("clock-transitions", after=cursor), state="MET")
    assert met["lead"]["email"] == office.leads[0]


async def sell(office: Office, front_end: FrontEnd) -> None:
    """The lead that was accepted buys; another deal with it is lost, and goes on."""
    rate = OPERATIONS["exchange-rate-set"].variables["input"]
    assert (await front_end.change("exchange-rate-set", **rate))["toCurrency"] == "EUR"
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
        "customer-status-set", customer=customer["id"], status="AT_RISK"
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


async def hear_back(office: Office, front_end: FrontEnd) -> None:
    answered = office.leads[:3]
    news = await front_end.run("feedback-digest", since="2020-01-01T00:00:00Z")
    assert {(each["lead"]["email"], each["outcome"]["kind"]) for each in news["news"]} >= {
        (email, kind)
        for email, kind in zip(answered, ("ACCEPTED", "REJECTED", "RECYCLED"), strict=True)
    }
    silent = await front_end.run("handoffs-without-feedback", olderThan="P2D", first=20)
    assert not {each["lead"]["email"] for each in silent["nodes"]} & set(answered)
    digest = await front_end.change("digest-subscription-start", frequency="WEEKLY")
    assert digest["frequency"] == "WEEKLY"
    assert await front_end.change("digest-subscription-end") == {"frequency": "WEEKLY"}

    about, asks = {"lead": {"email": office.leads[0]}}, {"side": "SALES", "within": "PT8H"}
    me = (await front_end.run("viewer"))["user"]["id"]
    thread = await front_end.change(
        "thread-start", about=about, text="Well?", asks=asks, mentions=[{"id": me}]
    )
    assert thread["awaiting"] == "SALES"
    (mention,) = (await front_end.run("mentions", unread=True))["nodes"]
    assert (mention["message"]["text"], mention["thread"]["id"]) == ("Well?", thread["id"])
    assert (await front_end.change("mention-read", mention=mention["id"]))["readAt"]
    replied = await front_end.change("thread-reply", thread=thread["id"], text="She is ill.")
    assert replied["id"] == thread["id"]
    live = await first(front_end.follow("thread-live", thread=thread["id"]))
    assert [each["text"] for each in live["messages"]["nodes"]] == ["Well?", "She is ill."]
    assert (await front_end.run("threads-overdue", awaiting="SALES"))["nodes"] == []
    rating = await front_end.change("rating-give", of=about, stars=4)
    assert rating["stars"] == 4
    efforts = await front_end.run("fruitful-efforts", by="ORIGIN", orderBy="HANDED_OFF")
    assert sum(each["handedOff"] for each in efforts) >= len(answered)
    await mind_the_leaks(office, front_end)


async def mind_the_leaks(office: Office, front_end: FrontEnd) -> None:
    limits = await front_end.run("leak-limits")
    assert "SAL" in {each["stage"] for each in limits}
    limit = await front_end.change("leak-limits-set", stage="SAL", withoutNextStep="PT1M")
    assert limit["withoutNextStep"] == "PT1M"
    leaks = await front_end.run("leaks", first=20)
    assert leaks["totalCount"] == len(leaks["nodes"])
    report = await first(front_end.follow("leak-report-live"))
    assert report["count"] == leaks["totalCount"]
    step = await front_end.change(
        "next-step-set",
        lead={"email": office.leads[0]},
        text="Send flowers.",
        dueAt="2099-01-01T00:00:00Z",
    )
    assert (await front_end.change("next-step-done", nextStep=step["id"]))["doneAt"]


async def prioritise(office: Office, front_end: FrontEnd) -> None:
    preset = await front_end.run("scoring-preset")
    assert preset["fit"][0]["name"] == "Role"
    given = OPERATIONS["scoring-model-propose"].variables["input"]
    model = await front_end.change("scoring-model-propose", **given)
    preview = await front_end.run("scoring-preview", model=model["id"])
    assert preview["changed"] == preview["sampled"] > 0
    active = await front_end.change("scoring-model-activate", model=model["id"])
    assert (active["status"], active["scored"]) == ("ACTIVE", preview["sampled"])
    (shown,) = (await front_end.run("scoring-models"))["nodes"]
    assert shown["id"] == model["id"]
    taken = {"email": office.leads[0]}
    graded = await front_end.run("lead-grading", lead=taken)
    assert (graded["grading"]["grade"], graded["prediction"]) == ("C3", None)
    # The worker may have looked already whether there is enough to learn from.
    learnt = (await front_end.run("prediction-models"))["nodes"]
    assert {each["status"] for each in learnt} <= {"QUEUED", "REFUSED"}
    assert (await front_end.run("prediction-training"))["inUse"] is None
    assert (await front_end.run("value-recalibrations"))["nodes"] == []
    brief = await front_end.run("call-brief", lead=taken)
    assert (brief["who"]["email"], brief["grade"]) == (office.leads[0], "C3")
    queue = await front_end.run("work-queue", first=10)
    assert [entry["lead"]["email"] for entry in queue["entries"]] == [office.leads[0]]
    live = await first(front_end.follow("work-queue-live"))
    assert live["total"] == 1


async def watch(office: Office, front_end: FrontEnd) -> None:
    status = await front_end.run("sla-status", sla=office.sla)
    assert [side["side"] for side in status["sides"]] == ["MARKETING", "SALES"]
    assert all(each["explain"]["formula"] for each in status["commitments"])
    live = await first(front_end.follow("sla-status-live", sla=office.sla))
    assert live["sla"] == {"id": office.sla}
    board = await first(front_end.follow("board-live"))
    assert [side["side"] for side in board["sides"]] == ["MARKETING", "SALES"]
    loop = await first(
        front_end.follow("closed-loop-live", window="LAST_90_DAYS", model="W_SHAPED")
    )
    assert loop["stages"][0]["reached"] >= len(office.leads)
    assert await first_list(front_end.follow("handoff-inbox-live")) == []
    progress = await first(front_end.follow("goal-progress-live", goal=office.goal))
    assert progress["goal"] == {"id": office.goal}
    made = await front_end.change(
        "goal-create",
        **{**OPERATIONS["goal-create"].variables["input"], "team": await team(front_end)},
    )
    assert (made["startsOn"], made["endsOn"]) == ("2027-05-01", "2027-06-01")
    read = await front_end.change("persona-acknowledge", persona=office.persona, number=1)
    assert read["persona"]["outstanding"] == {"count": 0}


async def first_list(events: AsyncGenerator[Any, None]) -> Any:
    async with asyncio.timeout(20), aclosing(events):
        return await anext(events)


async def team(front_end: FrontEnd) -> str:
    id: str = (await front_end.run("viewer"))["teams"][0]["id"]
    return id


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


async def import_leads(front_end: FrontEnd) -> None:
    content = b"email\ncarl@example.com\nnot an address\n"
    ticket = await front_end.change("import-upload", fileName="leads.csv", size=len(content))
    sent = await front_end.client.request(ticket["method"], ticket["uploadUrl"], content=content)
    assert sent.status_code in (200, 201, 204)
    job = await front_end.change(
        "import-start", upload=ticket["upload"]["id"], mapping='[lead]\nemail = "email"\n'
    )
    assert job["status"] == "QUEUED"
    done = await first(front_end.follow("import-progress-live", importJob=job["id"]), status="DONE")
    assert (done["created"], done["failed"]) == (1, 1)
    report = await front_end.run("import-errors", importJob=job["id"])
    assert [(row["line"], row["column"]) for row in report["errors"]["nodes"]] == [(3, "email")]


async def invite(site: Site, office: Office, front_end: FrontEnd) -> None:
    invited, team_id = f"ivy@{office.email.partition('@')[2]}", await team(front_end)
    invitation = await front_end.change(
        "invitation-create", email=invited, name="Ivy", role="MEMBER", teams=[team_id]
    )
    assert (invitation["email"], invitation["state"]) == (invited, "PENDING")
    token = await mailed(site, invited, "invitation")
    preview = await front_end.run("invitation-preview", token=token)
    assert (preview["tenantName"], preview["hasAccount"]) == ("Acme", False)
    password = "narcissi 4 nobody"
    come_in = await front_end.change("invitation-accept", token=token, password=password)
    assert come_in["user"]["name"] == "Ivy"
    (shown,) = (await front_end.run("invitations", first=25))["nodes"]
    assert (shown["state"], shown["user"]["id"]) == ("ACCEPTED", come_in["user"]["id"])


async def look_back(front_end: FrontEnd) -> None:
    wanted = {"subjectKind": {"eq": "Invitation"}}
    log = (await front_end.run("audit-log", first=25, filter=wanted))["nodes"]
    assert [(entry["action"], entry["effect"]) for entry in log] == [
        ("invitationAccept", "CHANGED"),
        ("invitationCreate", "ADDED"),
    ]


async def change_password(site: Site, office: Office, front_end: FrontEnd) -> None:
    first = (await front_end.run("sessions", first=25))["sessions"]["nodes"][0]["id"]
    await front_end.sign_in(office.email, office.password)
    ended = await front_end.change("session-end", session=first)
    assert (ended["id"], ended["endedAt"] is None) == (first, False)
    changed, reset = "crocuses 4 one", "hyacinths 4 two"
    await front_end.change("password-change", currentPassword=office.password, newPassword=changed)
    assert await front_end.change("password-reset-request", email=office.email) is True
    token = await mailed(site, office.email, "password-reset")
    assert await front_end.change("password-reset", token=token, newPassword=reset) is True
    # It has ended the session, whose token is refused as soon as that is heard of.
    del front_end.client.headers["authorization"]
    await front_end.sign_in(office.email, reset)
    over = await front_end.run("sign-out")
    assert (over["session"]["endedAt"] is None, over["userErrors"]) == (False, [])


async def mailed(site: Site, address: str, place: str) -> str:
    """Return the token of the link to a place that was mailed to an address, once it was."""
    mailbox = mailbox_of(site.settings)
    assert mailbox is not None
    link = re.compile(rf"/{place}#token=(\S+)")
    async with asyncio.timeout(20):
        while True:
            for message in await mailbox.messages():
                found = link.search(message.text)
                if message.to == address and found:
                    return found[1]
            await asyncio.sleep(0.02)
