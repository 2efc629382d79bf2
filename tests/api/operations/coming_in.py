"""Coming in: sessions, invitations, and what they leave behind."""

from __future__ import annotations

from tests.api.offices import Office
from tests.api.operations.front_end import FrontEnd, mailed, team
from tests.api.sites import Site


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
