"""The audit log: who changed what, when, from where, and how it was before and after."""

from domain.audit.chain import GENESIS, Head, digest_of, instant_text, next_hash
from domain.audit.entry import (
    AUDIT_FIELDS,
    RECORD_FIELDS,
    SYSTEM,
    AuditActorKind,
    AuditEffect,
    AuditEntry,
    AuditRecord,
    AuditSubject,
    Cause,
    FieldChange,
)
from domain.audit.policy import AUDITED, LEFT_OUT_EVERYWHERE, NOT_AUDITED, REFERENCES, Audited

__all__ = [
    "AUDITED",
    "AUDIT_FIELDS",
    "GENESIS",
    "LEFT_OUT_EVERYWHERE",
    "NOT_AUDITED",
    "RECORD_FIELDS",
    "REFERENCES",
    "SYSTEM",
    "AuditActorKind",
    "AuditEffect",
    "AuditEntry",
    "AuditRecord",
    "AuditSubject",
    "Audited",
    "Cause",
    "FieldChange",
    "Head",
    "digest_of",
    "instant_text",
    "next_hash",
]
