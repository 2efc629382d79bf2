"""Leads: who they are, what they did, and who they are besides."""

from __future__ import annotations

from tests.api.offices import Office
from tests.api.operations.front_end import OPERATIONS, FrontEnd, first


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


async def follow_visitors(front_end: FrontEnd) -> None:
    given = OPERATIONS["tracking-site-create"].variables["input"]
    made = await front_end.change("tracking-site-create", **given)
    (site,) = (await front_end.run("tracking-sites"))["nodes"]
    assert (site["id"], site["origins"]) == (made["id"], given["origins"])
    assert site["key"] in site["snippet"]
    token, ann = "0123456789abcdef", {"email": "ann@example.com"}
    viewed = {"kind": "PAGE_VIEW", "visitor": token, "url": "https://www.example.com/prices"}
    [row] = await front_end.change("touches-record", rows=[viewed])
    visitor = await front_end.change("visitor-identify", visitor=token, lead=ann)
    assert visitor["lead"]["email"] == "ann@example.com"
    story = await front_end.run("lead-story", lead=ann)
    assert row["touch"]["id"] in [one["id"] for one in story["timeline"]["nodes"]]


async def find_doubles(front_end: FrontEnd) -> None:
    rules = await front_end.change("duplicate-rules-set", proposeFrom="0.8", mergeFrom=None)
    assert await front_end.run("duplicate-rules") == rules
    same = {"lastName": "Dorn", "phone": "+4930901820"}
    for email in ("dora@dorn.example", "d.dorn@elsewhere.example"):
        await front_end.change("lead-create", email=email, firstName="Dora", **same)
    scan = await front_end.change("duplicate-scan-start")
    done = await first(front_end.follow("duplicate-scan-live", scan=scan["id"]), status="DONE")
    assert (done["compared"], done["progressShare"]) == (done["leads"], "1")
    (pair,) = (await front_end.run("duplicates", first=10))["nodes"]
    assert {pair["lead"]["lastName"], pair["other"]["lastName"]} == {"Dorn"}
    gone = await front_end.change("duplicate-candidate-dismiss", candidate=pair["id"])
    assert gone == {"id": pair["id"], "status": "DISMISSED"}
    assert (await front_end.run("duplicates", first=10))["nodes"] == []


async def merge_doubles(front_end: FrontEnd) -> None:
    winner, loser = {"email": "ann@example.com"}, {"email": "b@example.com"}
    merge = await front_end.change("lead-merge", winner=winner, losers=[loser])
    assert (merge["winner"]["email"], merge["winner"]["stage"]) == ("ann@example.com", "MQL")
    assert [each["email"] for each in merge["losers"]] == ["b@example.com"]
    found = await front_end.run("lead-detail", lead=loser)
    assert found["id"] == merge["winner"]["id"]
    undone = await front_end.change("lead-unmerge", merge=merge["id"])
    assert undone["undoneAt"] is not None
    (told,) = (await front_end.run("lead-merges", first=10))["nodes"]
    assert (told["id"], told["undoneAt"]) == (merge["id"], undone["undoneAt"])


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
