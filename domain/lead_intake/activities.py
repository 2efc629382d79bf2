"""What was done about a lead."""

from __future__ import annotations

from datetime import datetime

from domain.consent import Consent, check_may_be_logged
from domain.errors import Invalid
from domain.events import ActivityLogged
from domain.identity import Actor, Permission, TeamMember
from domain.ids import new_id
from domain.lead_details import past
from domain.lead_intake.keys import resolve_lead
from domain.leads import Activity, ActivityKind, Agency, LeadKey
from domain.ports import Work
from domain.sla import keeping
from domain.values import limited_text

LONGEST_NOTE = 10_000


async def log_activity(
    work: Work,
    actor: Actor,
    key: LeadKey,
    *,
    kind: ActivityKind,
    agency: Agency = Agency.HUMAN,
    answered: bool = False,
    occurred_at: datetime | None = None,
    text: str | None = None,
) -> Activity:
    """Keep what was done about a lead, and let it count towards what sales owes it.

    An automatic e-mail is nobody's, whoever's software reports it.

    Raises:
        DoNotContact: if we tried to reach somebody who must not be contacted.
        ConsentWithdrawn: if we called or wrote to somebody who does not wish that.
    """
    actor.require(Permission.EDIT_LEADS)
    text = _note(kind, text)
    if answered and kind is ActivityKind.NOTE:
        raise Invalid("A note reaches nobody, so nobody answers it.", path=("answered",))
    at = work.now if occurred_at is None else past(occurred_at, work.now, path=("occurredAt",))
    lead = await resolve_lead(work, key, lock=True)
    user_id = actor.user_id if agency is Agency.HUMAN else None
    teams = [] if user_id is None else await work.find(TeamMember, user_id=user_id)
    activity = Activity(
        id=new_id(),
        lead_id=lead.id,
        kind=kind,
        agency=agency,
        answered=answered,
        user_id=user_id,
        occurred_at=at,
        recorded_at=work.now,
        text=text,
        team_ids=tuple(member.team_id for member in teams),
    )
    check_may_be_logged(lead, await work.find(Consent, lead_id=lead.id), activity)
    await work.add(activity)
    work.record(ActivityLogged(at=at, lead_id=lead.id, activity_id=activity.id))
    await keeping.touched(work, actor, activity)
    return activity


def _note(kind: ActivityKind, text: str | None) -> str | None:
    kept = limited_text((text or "").strip(), name="The text", path=("text",), longest=LONGEST_NOTE)
    if kind is ActivityKind.NOTE and not kept:
        raise Invalid("A note needs its text.", path=("text",))
    return kept or None
