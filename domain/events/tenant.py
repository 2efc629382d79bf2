"""What happened to the tenant, its people, keys and jobs."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domain.events.happened import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantChanged(Event):
    tenant_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamChanged(Event):
    team_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanged(Event):
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted(Event):
    session_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded(Event):
    session_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationChanged(Event):
    invitation_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyCreated(Event):
    api_key_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRotated(Event):
    api_key_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRevoked(Event):
    api_key_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardCreated(Event):
    board_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRevoked(Event):
    board_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProgressed(Event):
    job_id: UUID
