"""One entry of the audit log, and where what it tells of came from."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.filters import ANYTHING, FieldType, FilterField, FilterFields
from domain.identity import Actor

# A header is whatever the client likes, and the log keeps it for good.
LONGEST_USER_AGENT = 300


class AuditActorKind(StrEnum):
    """What kind of somebody did it."""

    USER = "USER"
    API_KEY = "API_KEY"
    OPERATOR = "OPERATOR"
    SYSTEM = "SYSTEM"


class AuditEffect(StrEnum):
    """What was done to the subject.  NOTED: nothing was changed, somebody signed in for one."""

    ADDED = "ADDED"
    CHANGED = "CHANGED"
    REMOVED = "REMOVED"
    NOTED = "NOTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Who causes what a transaction writes, by which action, and from where."""

    action: str = "system"
    actor_kind: AuditActorKind = AuditActorKind.SYSTEM
    actor_id: UUID | None = None
    actor_name: str = "system"
    session_id: UUID | None = None
    request_id: str | None = None
    ip_address: str | None = None
    user_agent: str | None = None

    @classmethod
    def over(cls, *, request_id: str, ip_address: str | None, user_agent: str | None) -> Cause:
        """Return where a request comes from, before it is known whose it is."""
        shown = "".join(c for c in user_agent or "" if c.isprintable())[:LONGEST_USER_AGENT]
        return cls(request_id=request_id, ip_address=ip_address, user_agent=shown or None)

    def by(self, actor: Actor) -> Cause:
        """Return the same place with an actor as the one who acts."""
        kind, id = AuditActorKind.SYSTEM, None
        if actor.user_id is not None:
            kind, id = AuditActorKind.USER, actor.user_id
        elif actor.api_key_id is not None:
            kind, id = AuditActorKind.API_KEY, actor.api_key_id
        return replace(
            self,
            actor_kind=kind,
            actor_id=id,
            actor_name=actor.name,
            session_id=actor.session_id,
        )

    def doing(self, action: str) -> Cause:
        """Return the same with another action."""
        return replace(self, action=action)


# Who writes where nobody is named.
SYSTEM = Cause()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """What is told of one change, before it has a place in the log.

    `differences` is JSON, kept as the text that was hashed: a list of `{field, before, after}`.
    """

    id: UUID
    at: datetime
    action: str
    actor_kind: AuditActorKind
    actor_id: UUID | None
    actor_name: str
    session_id: UUID | None
    request_id: str | None
    ip_address: str | None
    user_agent: str | None
    effect: AuditEffect
    subject_kind: str
    subject_id: UUID
    differences: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """What a field held before and after, as JSON; None where there was nothing."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSubject:
    """What a change was made to, which may be gone by now."""

    kind: str
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry(AuditRecord):
    """A record in its place: numbers have no gaps, and each hash covers the one before it."""

    number: int
    previous_hash: bytes
    hash: bytes

    @property
    def changes(self) -> tuple[FieldChange, ...]:
        return tuple(FieldChange(**each) for each in json.loads(self.differences))

    @property
    def subject(self) -> AuditSubject:
        return AuditSubject(kind=self.subject_kind, id=self.subject_id)

    @property
    def user_id(self) -> UUID | None:
        return self.actor_id if self.actor_kind is AuditActorKind.USER else None

    @property
    def api_key_id(self) -> UUID | None:
        return self.actor_id if self.actor_kind is AuditActorKind.API_KEY else None


RECORD_FIELDS = tuple(field.name for field in fields(AuditRecord))


def _text(name: str, attribute: str, description: str) -> FilterField:
    return FilterField(name=name, attribute=attribute, type=FieldType.TEXT, description=description)


AUDIT_FIELDS = FilterFields(
    "auditEntry",
    (
        FilterField(
            name="at",
            attribute="at",
            type=FieldType.INSTANT,
            description="When it was done.",
        ),
        _text("action", "action", "What was done: the name of the mutation, or of the command."),
        FilterField(
            name="effect",
            attribute="effect",
            type=FieldType.CHOICE,
            choices=AuditEffect,
            description="What became of the subject.",
        ),
        FilterField(
            name="actorKind",
            attribute="actor_kind",
            type=FieldType.CHOICE,
            choices=AuditActorKind,
            description="What kind of somebody did it.",
        ),
        FilterField(
            name="actorId",
            attribute="actor_id",
            type=FieldType.ID,
            kind=ANYTHING,
            description="The user or API key that did it.",
        ),
        _text("subjectKind", "subject_kind", "What kind of thing it was done to, such as Lead."),
        FilterField(
            name="subjectId",
            attribute="subject_id",
            type=FieldType.ID,
            kind=ANYTHING,
            description="What it was done to.",
        ),
        _text("ipAddress", "ip_address", "The address it was done from."),
        _text("requestId", "request_id", "The request by which it was done."),
    ),
)
