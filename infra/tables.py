"""The tables, one for each kind of entity, derived from its dataclass: columns are fields.

Keys, checks, indexes and row-level security live in `migrations/`; a test compares the migrated
catalogue with what stands here.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from domain.attribution import AttributionCredit, AttributionModel
from domain.audit import AuditEntry
from domain.briefs import HandoffBrief
from domain.campaigns import Campaign, CampaignAsset, CampaignCost
from domain.consent import Consent
from domain.content import ContentAsset
from domain.customers import Customer, CustomerStep, RevenueEvent
from domain.digests import DigestSubscription
from domain.duplicates import DuplicateCandidate, DuplicateRules, LeadPrint
from domain.duplicates.scanning import DuplicateScan
from domain.exchange import ExchangeRate
from domain.feed import LoggedEvent
from domain.goals.targets import Goal, MetricTally
from domain.handoff import Handoff, HandoffCredit
from domain.identity import ApiKey, Board, Invitation, Session, Team, TeamMember, Tenant, User
from domain.leads import Activity, Company, Lead, LeadAlias, LeadExternalId
from domain.leaks import LeakLimit
from domain.lifecycle import StageDefinition, StageEntry
from domain.merging import LeadMerge, MergeRecord
from domain.next_steps import NextStep
from domain.opportunities import Opportunity, OpportunityStep, PipelineStage
from domain.personas import Persona, PersonaAcknowledgement, PersonaVersion, Photo
from domain.prediction import PredictionModel, PredictionSchedule
from domain.provenance import LeadProvenance
from domain.ratings import Rating
from domain.scoring import LeadGrading, ScoringModel
from domain.sla.agreement import Commitment, Sla
from domain.sla.calendars import Calendar, CalendarVersion
from domain.sla.clocks import SlaClock, SlaTally
from domain.sla.recalibration import ValueRecalibration
from domain.threads import Mention, Thread, ThreadMessage
from domain.touch_retention import TouchRetentionRun
from domain.touches import Touch, Visitor
from domain.tracking import TrackingSite
from domain.uploads import ImportJob, ImportRowError, Upload, UploadChunk

metadata = sa.MetaData()

_PLAIN: Mapping[type, sa.types.TypeEngine[Any]] = {
    UUID: sa.Uuid(),
    str: sa.Text(),
    bool: sa.Boolean(),
    int: sa.BigInteger(),
    Decimal: sa.Numeric(),
    datetime: sa.DateTime(timezone=True),
    date: sa.Date(),
    bytes: sa.LargeBinary(),
}


def plain_type(hint: Any) -> tuple[Any, bool]:
    """Return a field's type without `| None`, and whether it may be None."""
    if get_origin(hint) in (Union, types.UnionType):
        rest = [part for part in get_args(hint) if part is not type(None)]
        if len(rest) != 1:
            raise TypeError(f"a column has one type: {hint}")
        return rest[0], True
    return hint, False


def column_type(hint: Any) -> sa.types.TypeEngine[Any]:
    """Return the column type of a field: its own, text for an enum, jsonb for what has parts."""
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return sa.Text()
    return _PLAIN.get(hint, JSONB())


def _table(name: str, entity: type) -> sa.Table:
    hints = get_type_hints(entity)
    columns = []
    for field in fields(entity):
        hint, nullable = plain_type(hints[field.name])
        columns.append(sa.Column(field.name, column_type(hint), nullable=nullable))
    return sa.Table(name, metadata, sa.Column("tenant_id", sa.Uuid, nullable=False), *columns)


TABLES: Mapping[type, sa.Table] = {
    entity: _table(name, entity)
    for name, entity in {
        "tenants": Tenant,
        "users": User,
        "teams": Team,
        "team_members": TeamMember,
        "invitations": Invitation,
        "api_keys": ApiKey,
        "boards": Board,
        "sessions": Session,
        "calendars": Calendar,
        "calendar_versions": CalendarVersion,
        "stage_definitions": StageDefinition,
        "personas": Persona,
        "persona_versions": PersonaVersion,
        "persona_acknowledgements": PersonaAcknowledgement,
        "photos": Photo,
        "companies": Company,
        "leads": Lead,
        "lead_external_ids": LeadExternalId,
        "lead_provenance": LeadProvenance,
        "consents": Consent,
        "lead_merges": LeadMerge,
        "merge_records": MergeRecord,
        "lead_aliases": LeadAlias,
        "lead_prints": LeadPrint,
        "duplicate_candidates": DuplicateCandidate,
        "duplicate_rules": DuplicateRules,
        "duplicate_scans": DuplicateScan,
        "activities": Activity,
        "stage_entries": StageEntry,
        "slas": Sla,
        "commitments": Commitment,
        "handoffs": Handoff,
        "handoff_credits": HandoffCredit,
        "threads": Thread,
        "thread_messages": ThreadMessage,
        "mentions": Mention,
        "ratings": Rating,
        "next_steps": NextStep,
        "leak_limits": LeakLimit,
        "digest_subscriptions": DigestSubscription,
        "handoff_briefs": HandoffBrief,
        "scoring_models": ScoringModel,
        "lead_gradings": LeadGrading,
        "prediction_models": PredictionModel,
        "prediction_schedules": PredictionSchedule,
        "value_recalibrations": ValueRecalibration,
        "sla_clocks": SlaClock,
        "sla_tallies": SlaTally,
        "goals": Goal,
        "metric_tallies": MetricTally,
        "event_log": LoggedEvent,
        "audit_log": AuditEntry,
        "uploads": Upload,
        "upload_chunks": UploadChunk,
        "import_jobs": ImportJob,
        "import_row_errors": ImportRowError,
        "content_assets": ContentAsset,
        "campaigns": Campaign,
        "campaign_costs": CampaignCost,
        "campaign_assets": CampaignAsset,
        "attribution_models": AttributionModel,
        "attribution_credits": AttributionCredit,
        "visitors": Visitor,
        "touches": Touch,
        "tracking_sites": TrackingSite,
        "touch_retention_runs": TouchRetentionRun,
        "pipeline_stages": PipelineStage,
        "opportunities": Opportunity,
        "opportunity_steps": OpportunityStep,
        "customers": Customer,
        "customer_steps": CustomerStep,
        "revenue_events": RevenueEvent,
        "exchange_rates": ExchangeRate,
    }.items()
}

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("tenant_id", sa.Uuid, nullable=False),
    sa.Column("batch", sa.Uuid, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("by", sa.Uuid),
    sa.Column("payload", JSONB, nullable=False),
    sa.Column("traceparent", sa.Text),
)
feeds = sa.Table(
    "feeds",
    metadata,
    sa.Column("tenant_id", sa.Uuid, nullable=False),
    sa.Column("last_number", sa.BigInteger, nullable=False),
)
# Answers to requests under a key; see `infra.idempotency`.
idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("tenant_id", sa.Uuid, nullable=False),
    sa.Column("client_id", sa.Uuid, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("answer", sa.LargeBinary, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
)
audit_heads = sa.Table(
    "audit_heads",
    metadata,
    sa.Column("tenant_id", sa.Uuid, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)

# Tables of the installation, which belong to no tenant and are closed to the application role.
INSTALLATION = frozenset(
    {
        "accounts",
        "cost_buckets",
        "directory",
        "document_clients",
        "first_runs",
        "mails",
        "memberships",
        "password_resets",
        "sign_in_failures",
        "trusted_documents",
    }
)
accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
)
memberships = sa.Table(
    "memberships",
    metadata,
    sa.Column("account_id", sa.Uuid, nullable=False),
    sa.Column("tenant_id", sa.Uuid, nullable=False),
    sa.Column("user_id", sa.Uuid, nullable=False),
)
directory = sa.Table(
    "directory",
    metadata,
    sa.Column("slug", sa.Text, nullable=False),
    sa.Column("tenant_id", sa.Uuid, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("placement", sa.Text, nullable=False),
    sa.Column("cost_quota", sa.BigInteger),
)
cost_buckets = sa.Table(
    "cost_buckets",
    metadata,
    sa.Column("tenant_id", sa.Uuid, nullable=False),
    sa.Column("holder_id", sa.Uuid, nullable=False),
    sa.Column("level", sa.BigInteger, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("leases", JSONB, nullable=False),
)
document_clients = sa.Table(
    "document_clients",
    metadata,
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("revision", sa.Uuid, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
)
trusted_documents = sa.Table(
    "trusted_documents",
    metadata,
    sa.Column("client", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("alias", sa.Text),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("used_on", sa.Date),
)
sign_in_failures = sa.Table(
    "sign_in_failures",
    metadata,
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("forgiven_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("trusted_until", sa.DateTime(timezone=True)),
    sa.Column("kept_until", sa.DateTime(timezone=True), nullable=False),
)
mails = sa.Table(
    "mails",
    metadata,
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("about", sa.Text),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("tries", sa.BigInteger, nullable=False),
)
password_resets = sa.Table(
    "password_resets",
    metadata,
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("account_id", sa.Uuid, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("used_at", sa.DateTime(timezone=True)),
)
first_runs = sa.Table(
    "first_runs",
    metadata,
    sa.Column("only", sa.Boolean, nullable=False),
    sa.Column("nonce", sa.Uuid, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
)
