"""The audit log: who changed what, when, from where, and how it was before and after."""

from __future__ import annotations

from datetime import datetime

import strawberry

from api.context import Info
from api.filtering import collection, enum, filter_input, order_input
from api.types import Json
from api.views import Node, related, shown, view
from domain import ids
from domain.audit import (
    AUDIT_FIELDS,
    AuditActorKind,
    AuditEffect,
    AuditEntry,
    AuditSubject,
    FieldChange,
)
from domain.identity import ApiKey, Permission, User
from domain.paging import Order

enum(
    AuditActorKind,
    "What kind of somebody did it.",
    USER="A user, signed in.",
    API_KEY="A machine, by its key.",
    OPERATOR="Whoever runs the installation, by its command line.",
    SYSTEM="Nobody: it happened by itself, by rule.",
)
enum(
    AuditEffect,
    "What became of the subject.",
    ADDED="It is new.",
    CHANGED="It is another than before.",
    REMOVED="It is gone.",
    NOTED="It is as before: somebody signed in, for one.",
)


@view(
    FieldChange,
    name="AuditChange",
    description="What a field of the subject held before and after.",
)
class AuditChangeView:
    field: str = shown("The field, as it is called elsewhere in this API where it is shown.")
    before: Json | None = shown("What it held before; null for nothing.")
    after: Json | None = shown("What it held after; null for nothing.")


@view(
    AuditSubject,
    name="AuditSubject",
    description="What a change was made to, which may be gone by now.",
)
class AuditSubjectView:
    kind: str = shown("What kind of thing it is, such as Lead.")

    @strawberry.field(description="Its id.")
    def id(subject: strawberry.Parent[AuditSubject]) -> strawberry.ID:
        return strawberry.ID(ids.public(subject.kind, subject.id))

    @strawberry.field(
        description="The thing as it is now; null if it is gone, or cannot be asked for."
    )
    async def node(subject: strawberry.Parent[AuditSubject], info: Info) -> Node | None:
        from api.node import load_node  # which needs the views

        return await load_node(info, subject.kind, subject.id)  # type: ignore[no-any-return]  # a node


@view(
    AuditEntry,
    description="One change, as it was written down with the change itself.  Entries are never "
    "changed or removed; each hash covers the entry and the hash before it.",
)
class AuditEntryView:
    number: int = shown("Its place in the log, from 1 and without gaps.")
    at: datetime = shown("When it was done.")
    action: str = shown("What was done: the name of the mutation, or of the command.")
    effect: AuditEffect = shown("What became of the subject.")
    actor_kind: AuditActorKind = shown("What kind of somebody did it.")
    actor_name: str = shown("What whoever did it was called then.")
    ip_address: str | None = shown("The address it was done from.")
    user_agent: str | None = shown("The program it was done with, as that calls itself.")
    request_id: str | None = shown("The request by which it was done.")
    subject: AuditSubjectView = shown("What it was done to.")
    changes: list[AuditChangeView] = shown("What is another than before.")
    user = related("api.identity.UserView", User, by="user_id", description="The user who did it.")
    api_key = related(
        "api.identity.ApiKeyView", ApiKey, by="api_key_id", description="The key that did it."
    )

    @strawberry.field(description="The SHA-256 of this entry and all before it, in hex digits.")
    def hash(entry: strawberry.Parent[AuditEntry]) -> str:
        return entry.hash.hex()


AuditEntryFilter = filter_input(AUDIT_FIELDS)
AuditEntryOrder = order_input("AuditEntry", {"NUMBER": "number"}, "How the audit log is ordered")


@strawberry.type
class Queries:
    audit_log = collection(
        AuditEntryView,
        AuditEntry,
        description="Who changed what, the newest first.",
        default=(Order("number", descending=True),),
        fields=AUDIT_FIELDS,
        filter=AuditEntryFilter,
        order=AuditEntryOrder,
        needs=Permission.VIEW_AUDIT_LOG,
    )("audit_log")
