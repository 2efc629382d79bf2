"""What a prediction may go by: what is known of a lead when it is handed off, and nothing else."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.grades import Grade
from domain.prediction.bayes import UNKNOWN, Facts


class PredictionField(StrEnum):
    """What is known of a lead before sales has it.

    Nothing that is written afterwards is here: stage, owner, activities, opportunities.  The facts
    are copied at the hand-off, so that what is learnt about a lead later teaches nothing either.
    """

    ORIGIN_SOURCE = "ORIGIN_SOURCE"
    ORIGIN_MEDIUM = "ORIGIN_MEDIUM"
    ORIGIN_CAMPAIGN = "ORIGIN_CAMPAIGN"
    COUNTRY = "COUNTRY"
    PERSONA = "PERSONA"
    JOB_LEVEL = "JOB_LEVEL"
    COMPANY = "COMPANY"
    FIT = "FIT"
    ENGAGEMENT = "ENGAGEMENT"


class JobLevel(StrEnum):
    """What a job title says about what somebody decides."""

    CHIEF = "CHIEF"
    DIRECTOR = "DIRECTOR"
    MANAGER = "MANAGER"
    OTHER = "OTHER"


_LEVELS = (
    (JobLevel.CHIEF, ("chief", "owner", "founder", "president", "partner", "ceo", "cto", "cfo")),
    (JobLevel.DIRECTOR, ("director", "vp", "vice", "head")),
    (JobLevel.MANAGER, ("manager", "lead", "supervisor")),
)


def job_level(title: str | None) -> JobLevel | None:
    """Return the level a job title names: by whole words, the highest first."""
    if not title or not title.strip():
        return None
    words = set("".join(c if c.isalnum() else " " for c in title.lower()).split())
    if "vice" in words:
        words.discard("president")
    found = (level for level, names in _LEVELS if not words.isdisjoint(names))
    return next(found, JobLevel.OTHER)


class KnownOfLead(Protocol):
    """What the facts about a lead follow from."""

    @property
    def id(self) -> UUID: ...
    @property
    def origin_source(self) -> str | None: ...
    @property
    def origin_medium(self) -> str | None: ...
    @property
    def origin_campaign(self) -> str | None: ...
    @property
    def country(self) -> str | None: ...
    @property
    def persona_id(self) -> UUID | None: ...
    @property
    def job_title(self) -> str | None: ...
    @property
    def company_id(self) -> UUID | None: ...
    @property
    def grade(self) -> Grade | None: ...


def facts_of(lead: KnownOfLead) -> Facts:
    """Return what is known of a lead now, by the name of the field; what is unknown is left out."""
    level = job_level(lead.job_title)
    said: dict[PredictionField, str | None] = {
        PredictionField.ORIGIN_SOURCE: lead.origin_source,
        PredictionField.ORIGIN_MEDIUM: lead.origin_medium,
        PredictionField.ORIGIN_CAMPAIGN: lead.origin_campaign,
        PredictionField.COUNTRY: lead.country,
        PredictionField.PERSONA: None if lead.persona_id is None else str(lead.persona_id),
        PredictionField.JOB_LEVEL: None if level is None else level.value,
        PredictionField.COMPANY: None if lead.company_id is None else "KNOWN",
        PredictionField.FIT: None if lead.grade is None else lead.grade.fit,
        PredictionField.ENGAGEMENT: None if lead.grade is None else lead.grade.engagement,
    }
    return {field.value: value for field, value in said.items() if value and value != UNKNOWN}
