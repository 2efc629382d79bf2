"""Personas, their leads, and a work that assigns them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from domain.identity import ROLE_PERMISSIONS, Actor, Role
from domain.ids import new_id
from domain.leads import Lead
from domain.personas import AssignLeads, Persona
from domain.stages import Stage
from tests.fakes import FakeWork

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
START = UUID(int=0)
HEADS = {"jobTitle": {"contains": "head"}}


def an_actor(role: Role = Role.MANAGER, *, key: bool = False) -> Actor:
    return Actor(
        tenant_id=new_id(),
        user_id=None if key else new_id(),
        permissions=ROLE_PERMISSIONS[role],
        role=role,
    )


MIA = an_actor()


def a_persona(name: str = "Helga", rank: int = 1, **more: Any) -> Persona:
    known: dict[str, Any] = {
        "job_title": "Head of IT",
        "goals": ("Sleep",),
        "challenges": (),
        "buying_questions": (),
        "criterion": HEADS,
    }
    return Persona(
        id=new_id(), name=name, rank=rank, number=1, created_at=NOON, **{**known, **more}
    )


def a_lead(**more: Any) -> Lead:
    return Lead(
        id=new_id(),
        stage=Stage.LEAD,
        stage_entered_at=NOON,
        created_at=NOON,
        updated_at=NOON,
        **more,
    )


class Assigning:
    """Answers the question as a table of leads would, and remembers it."""

    def __init__(self, last: UUID | None = None) -> None:
        self.asked: list[AssignLeads] = []
        self.last = last

    def __call__(self, question: AssignLeads) -> UUID | None:
        self.asked.append(question)
        return self.last


def a_work(
    *entities: Any, assigning: Callable[[AssignLeads], UUID | None] | None = None
) -> FakeWork:
    return FakeWork(NOON, *entities, answers={AssignLeads: assigning or Assigning()})
