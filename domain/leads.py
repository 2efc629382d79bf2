"""Leads, the companies they work for, and what was done about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from domain.company_names import normal_name
from domain.errors import DomainError, StaleWrite
from domain.filters import FieldType, FilterField, FilterFields
from domain.grades import Grade
from domain.stages import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A company that leads work for.

    `normal_name` always follows from the name.  Of companies without a domain there is one of each
    normal name; of those with one, one of each domain.
    """

    id: UUID
    name: str
    created_at: datetime
    domain: str | None = None
    normal_name: str = ""
    version: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "normal_name", normal_name(self.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """A person who may become a customer.  `created_at` is when they were first seen.

    `phone` is in the form of E.164.  Nobody may be contacted who wishes it so: `do_not_contact`,
    since when and why, are set and lifted together (see `domain.consent`).

    `score` is what somebody says; `fit`, `engagement` and `grade` are reckoned by the scoring model
    in force, and are None without one.  Engagement fades by itself, so what is stored of it may be
    a tenth too high; `domain.scoring` says what it is now.

    `derived` is how many of its versions only rules made: they gave it another campaign, persona or
    grade, and nobody said anything of it.
    """

    id: UUID
    stage: Stage
    stage_entered_at: datetime
    created_at: datetime
    updated_at: datetime
    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    job_title: str | None = None
    country: str | None = None
    company_id: UUID | None = None
    origin_source: str | None = None
    origin_medium: str | None = None
    origin_campaign: str | None = None
    persona_id: UUID | None = None
    campaign_id: UUID | None = None
    score: int = 0
    fit: int | None = None
    engagement: int | None = None
    grade: Grade | None = None
    owner_id: UUID | None = None
    do_not_contact: bool = False
    do_not_contact_at: datetime | None = None
    do_not_contact_reason: str | None = None
    derived: int = 0
    version: int = 1

    @property
    def edition(self) -> int:
        """How often it was changed, but for what followed by rule: that makes no edit stale."""
        return self.version - self.derived


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadExternalId:
    """The name another system gave a lead."""

    id: UUID
    lead_id: UUID
    source: str
    value: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadAlias:
    """A lead that was merged into another: its id and its address go on meaning a person we know.

    `id` is the id of the lead that is gone, `lead_id` the one that is meant now.
    """

    id: UUID
    lead_id: UUID
    merge_id: UUID
    email: str | None = None


@dataclass(frozen=True, slots=True)
class ExternalId:
    """How another system calls a lead: `hubspot` says `4711`."""

    source: str
    value: str


# What tells a lead: its id, the name another system gave it, or its e-mail address.
LeadKey: TypeAlias = UUID | ExternalId | str


class ActivityKind(StrEnum):
    """What was done."""

    CALL = "CALL"
    EMAIL = "EMAIL"
    MEETING = "MEETING"
    NOTE = "NOTE"


class Agency(StrEnum):
    """Whether a person did it.  Automatic replies never keep a promise of human touch."""

    HUMAN = "HUMAN"
    AUTOMATIC = "AUTOMATIC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """A call, e-mail, meeting or note about a lead.  `answered`: the buyer was reached.

    `team_ids` are the teams that whoever did it was in then: who leaves a team takes nothing along.
    """

    id: UUID
    lead_id: UUID
    kind: ActivityKind
    agency: Agency
    answered: bool
    user_id: UUID | None
    occurred_at: datetime
    recorded_at: datetime
    text: str | None = None
    team_ids: tuple[UUID, ...] = ()


# What leads can be filtered by, in lists and in every criterion.
LEAD_FIELDS = FilterFields(
    "lead",
    (
        FilterField(
            name="email",
            attribute="email",
            type=FieldType.TEXT,
            description="The e-mail address, in lower case.",
            label="e-mail address",
        ),
        FilterField(
            name="phone",
            attribute="phone",
            type=FieldType.TEXT,
            description="The telephone number in the form of E.164: +4930123456.",
            label="telephone number",
        ),
        FilterField(
            name="firstName",
            attribute="first_name",
            type=FieldType.TEXT,
            description="The first name.",
        ),
        FilterField(
            name="lastName",
            attribute="last_name",
            type=FieldType.TEXT,
            description="The last name.",
        ),
        FilterField(
            name="jobTitle",
            attribute="job_title",
            type=FieldType.TEXT,
            description="What the person does in the company.",
        ),
        FilterField(
            name="country",
            attribute="country",
            type=FieldType.TEXT,
            description="The country, as a two-letter code of ISO 3166-1.",
        ),
        FilterField(
            name="companyId",
            attribute="company_id",
            type=FieldType.ID,
            kind="Company",
            description="The company the person works for.",
            label="company",
        ),
        FilterField(
            name="originSource",
            attribute="origin_source",
            type=FieldType.TEXT,
            description="Where the person came from, such as organic search or a fair.",
        ),
        FilterField(
            name="originMedium",
            attribute="origin_medium",
            type=FieldType.TEXT,
            description="By what medium the person came, such as e-mail or an advertisement.",
        ),
        FilterField(
            name="originCampaign",
            attribute="origin_campaign",
            type=FieldType.TEXT,
            description="The campaign that brought the person.",
        ),
        FilterField(
            name="personaId",
            attribute="persona_id",
            type=FieldType.ID,
            kind="Persona",
            description="The buyer persona the lead belongs to.",
            label="persona",
        ),
        FilterField(
            name="campaignId",
            attribute="campaign_id",
            type=FieldType.ID,
            kind="Campaign",
            description="The campaign the lead belongs to.",
            label="campaign",
        ),
        FilterField(
            name="score",
            attribute="score",
            type=FieldType.NUMBER,
            description="How promising the lead is, from -1000 to 1000.",
        ),
        FilterField(
            name="fit",
            attribute="fit",
            type=FieldType.NUMBER,
            description="How well the lead fits, in points of the scoring model.",
        ),
        FilterField(
            name="engagement",
            attribute="engagement",
            type=FieldType.NUMBER,
            description="How much the lead does, in points; at most a tenth above what it is now.",
        ),
        FilterField(
            name="grade",
            attribute="grade",
            type=FieldType.CHOICE,
            choices=Grade,
            ordered=True,
            description="Fit A-C with engagement 1-3; grades rank from C3 to A1, by fit first.",
        ),
        FilterField(
            name="ownerId",
            attribute="owner_id",
            type=FieldType.ID,
            kind="User",
            description="The user who works on the lead.",
            label="owner",
        ),
        FilterField(
            name="doNotContact",
            attribute="do_not_contact",
            type=FieldType.FLAG,
            description="Whether the person must not be contacted.",
        ),
        FilterField(
            name="doNotContactAt",
            attribute="do_not_contact_at",
            type=FieldType.INSTANT,
            description="Since when the person must not be contacted.",
            label="time since which it must not be contacted",
        ),
        FilterField(
            name="doNotContactReason",
            attribute="do_not_contact_reason",
            type=FieldType.TEXT,
            description="Why the person must not be contacted.",
        ),
        FilterField(
            name="stage",
            attribute="stage",
            type=FieldType.CHOICE,
            choices=Stage,
            ordered=True,
            description="How far the person has come; stages rank from VISITOR to ADVOCATE.",
        ),
        FilterField(
            name="stageEnteredAt",
            attribute="stage_entered_at",
            type=FieldType.INSTANT,
            description="When the lead entered its stage.",
            label="time it entered its stage",
        ),
        FilterField(
            name="createdAt",
            attribute="created_at",
            type=FieldType.INSTANT,
            description="When the person was first seen.",
            label="time it was first seen",
        ),
        FilterField(
            name="updatedAt",
            attribute="updated_at",
            type=FieldType.INSTANT,
            description="When the lead was last changed.",
            label="time it was last changed",
        ),
    ),
)


class DuplicateLead(DomainError):
    """There is already a lead with this e-mail address or external id."""

    code = "DUPLICATE_LEAD"

    def __init__(self, existing: Lead, *, by: str, path: tuple[str, ...]) -> None:
        super().__init__(f"There is already a lead with this {by}.", path=path)
        self.existing = existing


class StaleLead(StaleWrite):
    """Somebody else changed the lead since it was read."""

    def __init__(self, current: Lead) -> None:
        super().__init__("lead")
        self.current = current
