"""The rows of an import, batch by batch, each with how far the job has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain.drafts import Draft
from domain.errors import DomainError
from domain.fact_import import column_of_fact, take_facts, value_not_found
from domain.identity import Actor, Permission
from domain.ids import new_id
from domain.import_jobs import LEASE, kept, still_held
from domain.import_results import ImportedRow, refusal_text
from domain.imports import (
    FactMapping,
    Imported,
    ImportedFact,
    ImportedLead,
    LeadMapping,
    RowError,
    RowMapping,
)
from domain.lead_import import column_of, import_draft, import_rows
from domain.lead_intake import UpsertOutcome
from domain.ports import Work
from domain.uploads import ImportJob, ImportRowError

# How many leads' worth of entities a dry run keeps in mind.
MOST_IN_MIND = 100_000


@dataclass(frozen=True, slots=True)
class BatchOfRows:
    """Rows of a file in order, what could be read and what could not, and how far it was read."""

    outcomes: Sequence[Imported | RowError]
    done_bytes: int


async def import_batch(
    work: Work,
    actor: Actor,
    claimed: ImportJob,
    mapping: RowMapping,
    batch: BatchOfRows,
    *,
    mind: Draft | None = None,
) -> ImportJob:
    """Take the rows of a batch, and write down how far the job has come with them.

    A dry run of leads does the same in `mind` only, which it keeps from batch to batch; that of
    anything else is rehearsed first (`rehearse_batch`).

    Raises:
        ClaimLost: if the caller no longer holds the job.
    """
    actor.require(Permission.IMPORT_LEADS)
    job = await still_held(work, claimed)
    if isinstance(mapping, FactMapping):
        results = await take_facts(work, actor, mapping.kind, _facts(batch))
    else:
        results = await _take_leads(work, actor, batch, mind)
    return await _progressed(work, job, mapping, batch, results)


async def rehearse_batch(
    work: Work, actor: Actor, mapping: FactMapping, batch: BatchOfRows
) -> Sequence[ImportedRow]:
    """Take the rows of a batch in a transaction that the caller throws away."""
    actor.require(Permission.IMPORT_LEADS)
    return await take_facts(work, actor, mapping.kind, _facts(batch))


async def note_rehearsal(
    work: Work,
    actor: Actor,
    claimed: ImportJob,
    mapping: FactMapping,
    batch: BatchOfRows,
    results: Sequence[ImportedRow],
) -> ImportJob:
    """Write down how far a dry run has come, with what became of the rows when rehearsed."""
    actor.require(Permission.IMPORT_LEADS)
    job = await still_held(work, claimed)
    return await _progressed(work, job, mapping, batch, results)


def is_full(mind: Draft) -> bool:
    """Say whether a dry run has to forget, lest its memory grow with the file."""
    return mind.size > MOST_IN_MIND


def _facts(batch: BatchOfRows) -> list[ImportedFact]:
    return [each for each in batch.outcomes if isinstance(each, ImportedFact)]


async def _take_leads(
    work: Work, actor: Actor, batch: BatchOfRows, mind: Draft | None
) -> Sequence[ImportedRow]:
    draft = import_draft(work) if mind is None else mind
    draft.over(work)
    rows = [each for each in batch.outcomes if isinstance(each, ImportedLead)]
    results = await import_rows(draft, actor, rows)
    if mind is None:
        await draft.flush()
    return results


async def _progressed(
    work: Work,
    job: ImportJob,
    mapping: RowMapping,
    batch: BatchOfRows,
    results: Sequence[ImportedRow],
) -> ImportJob:
    unreadable = [each for each in batch.outcomes if isinstance(each, RowError)]
    refused = [_left_out(result, mapping) for result in results if result.refusals]
    outcomes = [result.outcome for result in results]
    job = replace(
        job,
        rows=job.rows + len(batch.outcomes),
        created=job.created + outcomes.count(UpsertOutcome.CREATED),
        updated=job.updated + outcomes.count(UpsertOutcome.UPDATED),
        unchanged=job.unchanged + outcomes.count(UpsertOutcome.UNCHANGED),
        failed=job.failed + len(refused) + len(unreadable),
        last_line=max((each.line for each in batch.outcomes), default=job.last_line),
        done_bytes=max(job.done_bytes, batch.done_bytes),
        claimed_until=work.now + LEASE,
    )
    errors = sorted([*refused, *unreadable], key=lambda error: error.line)
    await work.add_all([_stored(job, error) for error in errors])
    return await kept(work, job)


def _left_out(result: ImportedRow, mapping: RowMapping) -> RowError:
    first_refusal = result.refusals[0]
    return RowError(
        line=result.row.line,
        column=_column(first_refusal, result.row, mapping),
        code=first_refusal.code,
        message=_message(result, mapping),
        row=result.row.row,
    )


def _message(result: ImportedRow, mapping: RowMapping) -> str:
    """Return why a row was left out, with the name that nothing has, if it is one."""
    text, row = refusal_text(result.refusals), result.row
    if isinstance(mapping, FactMapping) and isinstance(row, ImportedFact):
        name = value_not_found(result.refusals[0], row, mapping)
        if name is not None and len(result.refusals) == 1:
            return f"{text.removesuffix('.')}: {name[:80]!r}."
    return text


def _column(refusal: DomainError, row: Imported, mapping: RowMapping) -> str | None:
    if isinstance(mapping, FactMapping) and isinstance(row, ImportedFact):
        return column_of_fact(refusal, row, mapping)
    return column_of(refusal, mapping) if isinstance(mapping, LeadMapping) else None


def _stored(job: ImportJob, error: RowError) -> ImportRowError:
    return ImportRowError(
        id=new_id(),
        job_id=job.id,
        line=error.line,
        column=error.column,
        code=str(error.code),
        message=error.message,
        row=row_text(error.row),
    )


def row_text(row: Sequence[str]) -> str | None:
    """Return a row as a line of CSV, without its end."""
    if not row:
        return None
    return ",".join(
        '"' + field.replace('"', '""') + '"' if any(c in field for c in ',"\r\n') else field
        for field in row
    )
