"""Hand-offs: what is promised, what is heard of them, and whom to call next."""

from __future__ import annotations

from domain.ids import new_id, public
from tests.api.offices import Office
from tests.api.operations.front_end import OPERATIONS, FrontEnd, first, first_list, team


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


async def hear_back(office: Office, front_end: FrontEnd) -> None:
    answered = office.leads[:3]
    news = await front_end.run("feedback-digest", since="2020-01-01T00:00:00Z")
    assert {(each["lead"]["email"], each["outcome"]["kind"]) for each in news["news"]} >= {
        (email, kind)
        for email, kind in zip(answered, ("ACCEPTED", "REJECTED", "RECYCLED"), strict=True)
    }
    silent = await front_end.run("handoffs-without-feedback", olderThan="P2D", first=20)
    assert not {each["lead"]["email"] for each in silent["nodes"]} & set(answered)
    quiet = await front_end.change("mention-letters-set", wanted=False)
    assert quiet["mentionLetters"] is False
    digest = await front_end.change("digest-subscription-start", frequency="WEEKLY")
    assert digest["frequency"] == "WEEKLY"
    assert await front_end.change("digest-subscription-end") == {"frequency": "WEEKLY"}

    about, asks = {"lead": {"email": office.leads[0]}}, {"side": "SALES", "within": "PT8H"}
    me = (await front_end.run("viewer"))["user"]["id"]
    thread = await front_end.change(
        "thread-start", about=about, text="Well?", asks=asks, mentions=[{"id": me}]
    )
    assert thread["awaiting"] == "SALES"
    waiting = await first(front_end.follow("waiting-for-you-live"))
    assert waiting["mentionCount"] == 1
    (mention,) = (await front_end.run("mentions", unread=True))["nodes"]
    assert (mention["message"]["text"], mention["thread"]["id"]) == ("Well?", thread["id"])
    assert (await front_end.change("mention-read", mention=mention["id"]))["readAt"]
    replied = await front_end.change("thread-reply", thread=thread["id"], text="She is ill.")
    assert replied["id"] == thread["id"]
    live = await first(front_end.follow("thread-live", id=thread["id"]))
    assert [each["text"] for each in live["messages"]["nodes"]] == ["Well?", "She is ill."]
    assert (await front_end.run("threads-overdue", awaiting="SALES"))["nodes"] == []
    rating = await front_end.change("rating-give", of=about, stars=4)
    assert rating["stars"] == 4
    (rated,) = (await front_end.run("ratings", first=10))["nodes"]
    assert (rated["id"], rated["handoff"]["lead"]["email"]) == (rating["id"], office.leads[0])
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
    untrained = await front_end.run("prediction-model-train", input={})
    assert [each["code"] for each in untrained["userErrors"]] == ["NOT_ENOUGH_OUTCOMES"]
    nobody = public("PredictionModel", new_id())
    unknown = await front_end.run("prediction-model-use", input={"model": nobody})
    assert [each["code"] for each in unknown["userErrors"]] == ["NOT_FOUND"]
    assert (await front_end.run("value-recalibrations"))["nodes"] == []
    none = public("ValueRecalibration", new_id())
    untaken = await front_end.run(
        "sla-take-values", input={"sla": office.sla, "recalibration": none}
    )
    assert [each["code"] for each in untaken["userErrors"]] == ["NOT_FOUND"]
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
    cadence = await front_end.run("call-cadence", **OPERATIONS["call-cadence"].variables)
    assert [step["attempts"] for step in cadence["steps"]] == [1, 2, 3, 4, 5, 6]
    assert cadence["best"] == 3
    made = await front_end.change(
        "goal-create",
        **{**OPERATIONS["goal-create"].variables["input"], "team": await team(front_end)},
    )
    assert (made["startsOn"], made["endsOn"]) == ("2027-05-01", "2027-06-01")
    read = await front_end.change("persona-acknowledge", persona=office.persona, number=1)
    assert read["persona"]["outstanding"] == {"count": 0}
