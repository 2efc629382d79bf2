"""Buyer personas: whom both teams mean when they speak of a buyer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """A kind of buyer.  Leads that match its criterion belong to it; the lowest rank wins."""

    id: UUID
    name: str
    job_title: str
    goals: tuple[str, ...]
    challenges: tuple[str, ...]
    buying_questions: tuple[str, ...]
    criterion: Mapping[str, Any] | None
    rank: int
    number: int
    created_at: datetime
    photo_id: UUID | None = None
    archived_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaVersion:
    """A persona as it read from `changed_at` until the next version."""

    id: UUID
    persona_id: UUID
    number: int
    name: str
    job_title: str
    goals: tuple[str, ...]
    challenges: tuple[str, ...]
    buying_questions: tuple[str, ...]
    criterion: Mapping[str, Any] | None
    changed_by: UUID | None
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaAcknowledgement:
    """A user has read one version of a persona."""

    id: UUID
    persona_id: UUID
    user_id: UUID
    number: int
    acknowledged_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A persona's picture, re-encoded and without metadata."""

    id: UUID
    content_type: str
    width: int
    height: int
    content: bytes
    created_at: datetime
