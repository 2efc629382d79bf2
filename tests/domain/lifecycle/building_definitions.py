"""Definitions of stages, who signs them, and the leads they are about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.identity import ROLE_PERMISSIONS, Actor, Role, Team, TeamMember, Tenant
from domain.ids import new_id
from domain.leads import Lead
from domain.lifecycle import StageDefinition
from domain.stages import Side, Stage
from tests.fakes import FakeWork

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TENANT = new_id()


def an_actor(role: Role = Role.MANAGER, *, key: bool = False) -> Actor:
    return Actor(
        tenant_id=TENANT,
        user_id=None if key else new_id(),
        permissions=ROLE_PERMISSIONS[role],
        role=role,
    )


MIA, SAM = an_actor(), an_actor()
MARKETING = Team(id=new_id(), name="Marketing", side=Side.MARKETING, created_at=NOON)
SALES = Team(id=new_id(), name="Sales", side=Side.SALES, created_at=NOON)


def place(team: Team, actor: Actor) -> TeamMember:
    assert actor.user_id is not None
    return TeamMember(id=new_id(), team_id=team.id, user_id=actor.user_id, created_at=NOON)


def a_work(*entities: Any, now: datetime = NOON) -> FakeWork:
    """Return a work where Mia is in marketing and Sam in sales."""
    teams = (MARKETING, SALES, place(MARKETING, MIA), place(SALES, SAM))
    work = FakeWork(now, *teams, *entities)
    tenant = Tenant(
        id=work.tenant_id,
        slug="acme",
        name="Acme",
        time_zone="Europe/Berlin",
        currency="EUR",
        created_at=NOON,
    )
    work._stored[Tenant, tenant.id] = tenant
    return work


def a_definition(
    stage: Stage = Stage.MQL,
    criterion: dict[str, Any] | None = None,
    *,
    number: int = 1,
    since: datetime = NOON - DAY,
    signed: bool = True,
    **more: Any,
) -> StageDefinition:
    assert MIA.user_id is not None
    return StageDefinition(
        id=new_id(),
        stage=stage,
        number=number,
        words="Asked for a demo.",
        owner_side=Side.MARKETING,
        criterion={"score": {"gte": 50}} if criterion is None else criterion,
        effective_at=since,
        proposed_by=MIA.user_id,
        proposed_at=since,
        marketing_signed_by=MIA.user_id,
        marketing_signed_at=since,
        sales_signed_by=SAM.user_id if signed else None,
        sales_signed_at=since if signed else None,
        **more,
    )


def a_lead(stage: Stage = Stage.LEAD, *, since: datetime = NOON - DAY, **more: Any) -> Lead:
    return Lead(
        id=new_id(),
        stage=stage,
        stage_entered_at=since,
        created_at=since,
        updated_at=since,
        **more,
    )
