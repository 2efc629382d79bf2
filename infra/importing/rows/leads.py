"""One row of a file of leads."""

from __future__ import annotations

from collections.abc import Sequence

from domain.imports import (
    ImportedLead,
    ImportedStep,
    LeadField,
    LeadMapping,
    RowFault,
    StepMapping,
    in_order,
)
from infra.importing.rows.values import Fault, Values

LONGEST_REASON = 2000


def lead_of(values: Values, mapping: LeadMapping, line: int) -> ImportedLead:
    """Return the lead of a row; it counts only if the values have no fault."""

    def text(name: LeadField) -> str | None:
        return values.text(mapping.fields.get(name))

    lead = ImportedLead(
        line=line,
        external_id=values.name(
            mapping.fields.get(LeadField.EXTERNAL_ID), mapping.external_id_source
        ),
        email=values.email(mapping.fields.get(LeadField.EMAIL)),
        phone=text(LeadField.PHONE),
        first_name=text(LeadField.FIRST_NAME),
        last_name=text(LeadField.LAST_NAME),
        job_title=text(LeadField.JOB_TITLE),
        country=text(LeadField.COUNTRY),
        company_name=text(LeadField.COMPANY_NAME),
        company_domain=text(LeadField.COMPANY_DOMAIN),
        origin_source=text(LeadField.ORIGIN_SOURCE),
        origin_medium=text(LeadField.ORIGIN_MEDIUM),
        origin_campaign=text(LeadField.ORIGIN_CAMPAIGN),
        score=values.number(mapping.fields.get(LeadField.SCORE)),
        seen_at=values.instant(mapping.fields.get(LeadField.SEEN_AT)),
        steps=_steps(values, mapping.steps),
        row=tuple(values.row),
    )
    if lead.external_id is None and lead.email is None and not values.faults:
        message = "The row has neither an external id nor an e-mail address."
        values.faults.append(Fault(None, RowFault.NO_IDENTITY, message))
    return lead


def _steps(values: Values, steps: Sequence[StepMapping]) -> tuple[ImportedStep, ...]:
    return in_order(step for each in steps if (step := _step(values, each)))


def _step(values: Values, step: StepMapping) -> ImportedStep | None:
    """Return what happened, or nothing if the row does not say when."""
    at = values.instant(step.at)
    if at is None:
        return None
    return ImportedStep(
        kind=step.kind,
        at=at,
        stage=step.stage,
        reason=values.text(step.reason, longest=LONGEST_REASON),
        from_team=values.text(step.from_team),
        to_team=values.text(step.to_team),
    )
