"""Coming in, as a front end sees it: who is invited, what a link gives, and what is refused."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest

from api.context import Context
from api.engine import GraphQLRequest
from domain.audit import AuditEffect, AuditEntry
from domain.identity import Invitation, User
from domain.ids import public
from tests.admission import admission_of
from tests.api.identity.asking import SIGN_IN, let_in, refused, stored
from tests.passwords import PASSWORD
from tests.world import ENGINE

CREATE = """mutation($input: InvitationCreateInput!) { invitationCreate(input: $input) {
  invitation { id email name role state sentAt expiresAt acceptedAt revokedAt version
    invitedBy { name } user { name } teams { name } }
  userErrors { code path }
} }"""
RESEND = """mutation($input: InvitationResendInput!) { invitationResend(input: $input) {
  invitation { state sentAt expiresAt } userErrors { code path }
} }"""
REVOKE = """mutation($input: InvitationRevokeInput!) { invitationRevoke(input: $input) {
  invitation { state revokedAt } userErrors { code path }
} }"""
LIST = """query($filter: InvitationFilter) { invitations(filter: $filter) {
  totalCount nodes { email state user { name } }
} }"""
PREVIEW = """query($token: String!) { invitationPreview(token: $token) {
  tenantName inviterName email name role state expiresAt hasAccount
} }"""
ACCEPT = """mutation($input: InvitationAcceptInput!) { invitationAccept(input: $input) {
  session { accessToken user { name role } tenant { slug } }
  userErrors { code path }
} }"""
REQUEST = """mutation($email: EmailAddress!) { passwordResetRequest(input: {email: $email}) {
  requested userErrors { code path }
} }"""
RESET = """mutation($input: PasswordResetInput!) { passwordReset(input: $input) {
  reset userErrors { code path }
} }"""
SET_UP = """mutation($input: InstallationSetUpInput!) { installationSetUp(input: $input) {
  session { accessToken } userErrors { code path }
} }"""


@pytest.fixture
async def gate(company):
    """The company with the ways into it, and nothing in the queue."""
    for name, service in admission_of(company.services.accounts).items():
        setattr(company.services, name, service)
    await company.database.platform.execute("DELETE FROM mails")
    return company


async def anonymously(world, document, **variables: Any):
    """Execute a document as nobody, and return its data."""
    request = GraphQLRequest(query=document, variables=variables)
    response = await ENGINE().execute(request, Context(world.services, None, "test"))
    answer = orjson.loads(response.body)
    assert "errors" not in answer, answer
    return answer["data"]


def ivy(world, **more):
    return {
        "email": f"Ivy@{world.tenant.slug}.example",
        "role": "MEMBER",
        "teams": [public("Team", world.sales.id)],
        **more,
    }


async def mailed(world):
    """Return the token in the letter that waits."""
    queue = world.services.invitations.queue
    (taken,) = await queue.take(10)
    errand = taken.errand
    letter = errand if hasattr(errand, "text") else await _reset_letter(world, taken)
    await queue.done(taken)
    return re.search(r"#token=(\w+)", letter.text)[1]


async def _reset_letter(world, taken):
    return await world.services.password_resets.answer(taken, taken.errand)


async def test_an_invitation_is_created_listed_and_accepted(gate):
    created = await gate.data(CREATE, {"input": ivy(gate)})
    token = await mailed(gate)
    pending = await gate.data(LIST)
    shown = await anonymously(gate, PREVIEW, token=token)
    accepted = await anonymously(
        gate, ACCEPT, input={"token": token, "name": "Ivy", "password": PASSWORD}
    )

    email = f"ivy@{gate.tenant.slug}.example"
    invitation = created["invitationCreate"]["invitation"]
    assert created["invitationCreate"] == {
        "invitation": {
            "id": invitation["id"],
            "email": email,
            "name": None,
            "role": "MEMBER",
            "state": "PENDING",
            "sentAt": "2026-03-10T12:00:00Z",
            "expiresAt": "2026-03-17T12:00:00Z",
            "acceptedAt": None,
            "revokedAt": None,
            "version": 1,
            "invitedBy": {"name": "Olive"},
            "user": None,
            "teams": [{"name": "Sales"}],
        },
        "userErrors": [],
    }
    assert pending["invitations"] == {
        "totalCount": 1,
        "nodes": [{"email": email, "state": "PENDING", "user": None}],
    }
    assert shown["invitationPreview"] == {
        "tenantName": "Acme",
        "inviterName": "Olive",
        "email": email,
        "name": None,
        "role": "MEMBER",
        "state": "PENDING",
        "expiresAt": "2026-03-17T12:00:00Z",
        "hasAccount": False,
    }
    session = accepted["invitationAccept"]["session"]
    claims = gate.services.tokens.verify(session.pop("accessToken"), now=gate.now)
    assert accepted["invitationAccept"] == {
        "session": {
            "user": {"name": "Ivy", "role": "MEMBER"},
            "tenant": {"slug": gate.tenant.slug},
        },
        "userErrors": [],
    }
    assert [user.id for user in await stored(gate, User, email=email)] == [claims.user_id]
    after = await gate.data(LIST, {"filter": {"acceptedAt": {"isNull": False}}})
    assert after["invitations"]["nodes"] == [
        {"email": email, "state": "ACCEPTED", "user": {"name": "Ivy"}}
    ]


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"email": "OLIVE@{slug}.example"}, refused("ALREADY_EXISTS", "email")),
        ({"name": "n" * 201}, refused("INVALID", "name")),
        ({"teams": ["team_" + "0" * 32]}, refused("NOT_FOUND", "teams", "0")),
    ],
    ids=["somebody who is in", "a long name", "a team that is not"],
)
async def test_a_refused_invitation_writes_to_nobody(gate, change, errors):
    given = {
        k: v.replace("{slug}", gate.tenant.slug) if isinstance(v, str) else v
        for k, v in change.items()
    }

    answer = await gate.data(CREATE, {"input": ivy(gate, **given)})

    assert answer["invitationCreate"] == {"invitation": None, "userErrors": errors}
    assert await stored(gate, Invitation) == []
    assert await gate.services.invitations.queue.take(1) == []


async def test_an_admin_invites_no_owner(gate):
    admin = await let_in(gate, role="ADMIN")

    answer = await gate.data(CREATE, {"input": ivy(gate, role="OWNER")}, as_=admin)

    assert answer["invitationCreate"]["userErrors"] == refused("OWNERS_ONLY", "role")


async def test_a_manager_neither_invites_nor_sees_who_is_invited(gate):
    for document, variables in ((CREATE, {"input": ivy(gate)}), (LIST, {})):
        answer = await gate.ask(document, variables, as_=gate.rep)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]


async def test_an_invitation_is_sent_again_and_taken_back(gate):
    created = await gate.data(CREATE, {"input": ivy(gate)})
    this = {"input": {"invitation": created["invitationCreate"]["invitation"]["id"]}}
    first = await mailed(gate)

    too_soon = await gate.data(RESEND, this)
    gate.wait(hours=1)
    resent = await gate.data(RESEND, this)
    second = await mailed(gate)
    revoked = await gate.data(REVOKE, this)
    closed = await gate.data(RESEND, this)

    assert too_soon["invitationResend"]["userErrors"] == refused("SENT_JUST_NOW", "invitation")
    assert resent["invitationResend"] == {
        "invitation": {
            "state": "PENDING",
            "sentAt": "2026-03-10T13:00:00Z",
            "expiresAt": "2026-03-17T13:00:00Z",
        },
        "userErrors": [],
    }
    assert revoked["invitationRevoke"] == {
        "invitation": {"state": "REVOKED", "revokedAt": "2026-03-10T13:00:00Z"},
        "userErrors": [],
    }
    assert closed["invitationResend"]["userErrors"] == refused("INVITATION_CLOSED", "invitation")
    for token in (first, second):
        answer = await anonymously(
            gate, ACCEPT, input={"token": token, "name": "Ivy", "password": PASSWORD}
        )
        assert answer["invitationAccept"] == {
            "session": None,
            "userErrors": refused("INVITATION_NOT_VALID", "token"),
        }


async def test_a_link_that_ran_out_says_so(gate):
    await gate.data(CREATE, {"input": ivy(gate)})
    token = await mailed(gate)
    gate.wait(days=7)

    shown = await anonymously(gate, PREVIEW, token=token)
    answer = await anonymously(
        gate, ACCEPT, input={"token": token, "name": "Ivy", "password": PASSWORD}
    )

    assert shown["invitationPreview"]["state"] == "EXPIRED"
    assert answer["invitationAccept"]["userErrors"] == refused("INVITATION_EXPIRED", "token")


async def test_a_lost_password_is_chosen_anew(gate):
    bo = await let_in(gate)
    asked = await anonymously(gate, REQUEST, email=bo.email)
    stranger = await anonymously(gate, REQUEST, email=f"nobody@{gate.tenant.slug}.example")
    await gate.database.platform.execute(
        "DELETE FROM mails WHERE id = (SELECT max(id::text)::uuid FROM mails)"
    )
    token, new = await mailed(gate), "narcissi 4 nobody"

    weak = await anonymously(gate, RESET, input={"token": token, "newPassword": "password1234"})
    done = await anonymously(gate, RESET, input={"token": token, "newPassword": new})
    again = await anonymously(gate, RESET, input={"token": token, "newPassword": new})

    assert asked == stranger == {"passwordResetRequest": {"requested": True, "userErrors": []}}
    assert weak["passwordReset"] == {
        "reset": None,
        "userErrors": refused("WEAK_PASSWORD", "newPassword"),
    }
    assert done["passwordReset"] == {"reset": True, "userErrors": []}
    assert again["passwordReset"]["userErrors"] == refused("RESET_NOT_VALID", "token")
    signed_in = await anonymously(gate, SIGN_IN, email=bo.email, password=new, tenant=None)
    assert signed_in["signIn"]["userErrors"] == []
    told = await stored(gate, AuditEntry, subject_id=bo.id, effect=AuditEffect.NOTED)
    assert [entry.action for entry in told] == ["passwordReset", "signIn"]


async def test_an_installation_with_a_tenant_is_set_up(gate):
    wanted = {
        "token": "anything",
        "tenant": {"slug": "eve", "name": "Eve", "timeZone": "UTC", "currency": "EUR"},
        "owner": {"email": "eve@eve.example", "name": "Eve", "password": PASSWORD},
    }

    answer = await anonymously(gate, SET_UP, input=wanted)

    assert answer["installationSetUp"] == {
        "session": None,
        "userErrors": refused("ALREADY_SET_UP"),
    }
