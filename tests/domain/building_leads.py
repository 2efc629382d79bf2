"""Leads and what surrounds them, made for tests of use cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from domain.identity import ROLE_PERMISSIONS, Actor, Role, Tenant, User
from domain.ids import new_id
from domain.leads import (
    Lead,
    LeadExternalId,
)
from domain.lifecycle import StageDefinition
from domain.personas import Persona
from domain.stages import Side, Stage
from tests.fakes import FakeWork

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SEEN = datetime(2018, 2, 26, 23, 30, tzinfo=UTC)
USER = new_id()
MEMBER = Actor(tenant_id=new_id(), user_id=USER, permissions=ROLE_PERMISSIONS[Role.MEMBER])
MANAGER = replace(MEMBER, permissions=ROLE_PERMISSIONS[Role.MANAGER])
ANALYST = replace(MEMBER, permissions=ROLE_PERMISSIONS[Role.ANALYST])


async def a_work(*entities: Any) -> FakeWork:
    work = FakeWork(NOON, *entities)
    await work.add(
        Tenant(
            id=work.tenant_id,
            slug="acme",
            name="Acme",
            time_zone="Europe/Berlin",
            currency="EUR",
            created_at=NOON,
        )
    )
    return work


def a_lead(**values):
    return Lead(
        id=new_id(),
        stage=Stage.VISITOR,
        stage_entered_at=NOON,
        created_at=NOON,
        updated_at=NOON,
        **values,
    )


def named(lead: Lead, source: str, value: str) -> LeadExternalId:
    return LeadExternalId(id=new_id(), lead_id=lead.id, source=source, value=value, created_at=NOON)


def a_user(**values):
    values = {"id": new_id(), "role": Role.MEMBER, "email": "u@x.example", **values}
    return User(account_id=new_id(), name="U", created_at=NOON, **values)


def a_definition(stage: Stage, criterion: dict[str, Any], since: datetime) -> StageDefinition:
    return StageDefinition(
        id=new_id(),
        stage=stage,
        number=1,
        words="As agreed.",
        owner_side=Side.MARKETING,
        criterion=criterion,
        effective_at=since,
        proposed_by=USER,
        proposed_at=since,
        marketing_signed_by=USER,
        marketing_signed_at=since,
        sales_signed_by=USER,
        sales_signed_at=since,
    )


def a_persona(rank: int, criterion: dict[str, Any]) -> Persona:
    return Persona(
        id=new_id(),
        name=f"Persona {rank}",
        job_title="CTO",
        goals=(),
        challenges=(),
        buying_questions=(),
        criterion=criterion,
        rank=rank,
        number=1,
        created_at=NOON,
    )


def stored(work: FakeWork, kind: type) -> list[Any]:
    return [entity for (found, _), entity in work._stored.items() if found is kind]
