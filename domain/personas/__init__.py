"""Buyer personas: whom both teams mean when they speak of a buyer."""

from domain.personas.assigning import AssignLeads, assign_leads, persona_for
from domain.personas.cards import (
    PERSONA_FIELDS,
    NotCurrent,
    Persona,
    PersonaAcknowledgement,
    PersonaArchived,
    PersonaDetails,
    PersonaVersion,
    Photo,
    TooManyComparisons,
    TooManyPersonas,
)
from domain.personas.editing import (
    LeadsByStage,
    OutstandingReaders,
    StageCount,
    WhoHasYetToRead,
    acknowledge_persona,
    archive_persona,
    create_persona,
    update_persona,
)

__all__ = [
    "PERSONA_FIELDS",
    "AssignLeads",
    "LeadsByStage",
    "NotCurrent",
    "OutstandingReaders",
    "Persona",
    "PersonaAcknowledgement",
    "PersonaArchived",
    "PersonaDetails",
    "PersonaVersion",
    "Photo",
    "StageCount",
    "TooManyComparisons",
    "TooManyPersonas",
    "WhoHasYetToRead",
    "acknowledge_persona",
    "archive_persona",
    "assign_leads",
    "create_persona",
    "persona_for",
    "update_persona",
]
