"""An opportunity, its history, and what may become of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from domain.errors import DomainError, Invalid
from domain.filters import FieldType, FilterField, FilterFields
from domain.handoff import Handoff, HandoffStatus
from domain.leads import ExternalId
from domain.opportunities.pipeline import PipelineStage
from domain.values import Money, require_text, told_instant

LONGEST_REASON = 2000


class OpportunityStatus(StrEnum):
    """Whether an opportunity is still open, and how it ended."""

    OPEN = "OPEN"
    WON = "WON"
    LOST = "LOST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opportunity:
    """A deal with a lead.  Closed ones keep the stage they were in.

    `external_source` and `external_value` are another system's name for it, both or neither.
    """

    id: UUID
    name: str
    lead_id: UUID
    stage_id: UUID
    opened_at: datetime
    stage_entered_at: datetime
    recorded_at: datetime
    updated_at: datetime
    company_id: UUID | None = None
    handoff_id: UUID | None = None
    owner_id: UUID | None = None
    amount_minor: int | None = None
    currency: str | None = None
    expected_close_on: date | None = None
    status: OpportunityStatus = OpportunityStatus.OPEN
    closed_at: datetime | None = None
    lost_reason: str | None = None
    external_source: str | None = None
    external_value: str | None = None
    version: int = 1

    @property
    def amount(self) -> Money | None:
        if self.amount_minor is None or self.currency is None:
            return None
        return Money(self.amount_minor, self.currency)

    @property
    def external_id(self) -> ExternalId | None:
        if self.external_source is None or self.external_value is None:
            return None
        return ExternalId(self.external_source, self.external_value)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpportunityStep:
    """That an opportunity entered a stage, or was closed or reopened, when, and why."""

    id: UUID
    opportunity_id: UUID
    stage_id: UUID
    status: OpportunityStatus
    at: datetime
    recorded_at: datetime
    by: UUID | None = None
    reason: str | None = None


def _field(
    name: str, attribute: str, type: FieldType, description: str, kind: str | None = None
) -> FilterField:
    return FilterField(
        name=name, attribute=attribute, type=type, description=description, kind=kind
    )


OPPORTUNITY_FIELDS = FilterFields(
    "opportunity",
    (
        FilterField(
            name="status",
            attribute="status",
            type=FieldType.CHOICE,
            choices=OpportunityStatus,
            description="Whether it is open, won or lost.",
        ),
        _field("name", "name", FieldType.TEXT, "What people call it."),
        _field("stageId", "stage_id", FieldType.ID, "The stage it is in.", "PipelineStage"),
        _field("leadId", "lead_id", FieldType.ID, "Whose it is.", "Lead"),
        _field("companyId", "company_id", FieldType.ID, "The company that buys.", "Company"),
        _field("handoffId", "handoff_id", FieldType.ID, "The hand-off behind it.", "Handoff"),
        _field("ownerId", "owner_id", FieldType.ID, "Who works on it.", "User"),
        _field("currency", "currency", FieldType.TEXT, "The currency of its amount."),
        _field(
            "amountMinor",
            "amount_minor",
            FieldType.NUMBER,
            "Its amount in minor units of its own currency, such as cents.",
        ),
        _field("expectedCloseOn", "expected_close_on", FieldType.DAY, "When it should close."),
        _field("openedAt", "opened_at", FieldType.INSTANT, "When it was opened."),
        _field("stageEnteredAt", "stage_entered_at", FieldType.INSTANT, "Since when it is there."),
        _field("closedAt", "closed_at", FieldType.INSTANT, "When it was won or lost."),
        _field("updatedAt", "updated_at", FieldType.INSTANT, "When it was last changed."),
        _field("externalSource", "external_source", FieldType.TEXT, "Which system named it."),
        _field("externalValue", "external_value", FieldType.TEXT, "What that system calls it."),
    ),
)


class DuplicateOpportunity(DomainError):
    """Another opportunity has this external name."""

    code = "DUPLICATE_OPPORTUNITY"

    def __init__(self, name: ExternalId) -> None:
        super().__init__(
            f"There is already an opportunity that {name.source} calls {name.value!r}.",
            path=("externalId",),
        )


class ClosesBeforeItOpens(Invalid):
    """A deal that would end before it began."""

    code = "CLOSES_BEFORE_IT_OPENS"


class StepTooEarly(DomainError):
    """A step that would lie before the opportunity's last one."""

    code = "STEP_TOO_EARLY"

    def __init__(self, since: datetime) -> None:
        super().__init__(
            f"Its last step was at {told_instant(since)}; the next cannot lie before.", path=("at",)
        )


class AlreadyClosed(DomainError):
    """The opportunity is won or lost already."""

    code = "ALREADY_CLOSED"

    def __init__(self, opportunity: Opportunity) -> None:
        super().__init__(
            f"The opportunity is {opportunity.status} and no longer moves.", path=("opportunity",)
        )


class StillOpen(DomainError):
    """There is nothing to reopen."""

    code = "STILL_OPEN"

    def __init__(self) -> None:
        super().__init__("The opportunity is open.", path=("opportunity",))


class AlreadyInStage(DomainError):
    """The opportunity is there already."""

    code = "ALREADY_IN_STAGE"

    def __init__(self) -> None:
        super().__init__("The opportunity is in this stage already.", path=("stage",))


class LostReasonNeeded(Invalid):
    """What nobody says why it was lost teaches nobody anything."""

    code = "LOST_REASON_NEEDED"


class ReopenReasonNeeded(Invalid):
    """What was told everybody to be won is not taken back without a word."""

    code = "REOPEN_REASON_NEEDED"


def moved(opportunity: Opportunity, stage: PipelineStage, *, at: datetime) -> Opportunity:
    """Return an open opportunity in another stage, ahead or behind."""
    _check_open(opportunity)
    if stage.id == opportunity.stage_id:
        raise AlreadyInStage
    _check_order(opportunity, at)
    return replace(opportunity, stage_id=stage.id, stage_entered_at=at)


def won(opportunity: Opportunity, *, at: datetime) -> Opportunity:
    """Return an opportunity that ended well."""
    _check_open(opportunity)
    _check_order(opportunity, at)
    return replace(opportunity, status=OpportunityStatus.WON, closed_at=at)


def lost(opportunity: Opportunity, *, reason: str, at: datetime) -> Opportunity:
    """Return an opportunity that came to nothing, and why."""
    _check_open(opportunity)
    if not reason.strip():
        raise LostReasonNeeded("Say why it was lost.", path=("reason",))
    reason = _reason(reason)
    _check_order(opportunity, at)
    return replace(opportunity, status=OpportunityStatus.LOST, closed_at=at, lost_reason=reason)


def why_reopened(opportunity: Opportunity, reason: str | None) -> str | None:
    """Return why an opportunity is reopened; a won one is not without a reason."""
    if reason is not None and reason.strip():
        return _reason(reason)
    if opportunity.status is OpportunityStatus.WON:
        raise ReopenReasonNeeded("Say why it is not won after all.", path=("reason",))
    return None


def reopened(opportunity: Opportunity, *, at: datetime) -> Opportunity:
    """Return a closed opportunity that goes on after all, in the stage it was in."""
    if opportunity.closed_at is None:
        raise StillOpen
    if at < opportunity.closed_at:
        raise StepTooEarly(opportunity.closed_at)
    return replace(
        opportunity,
        status=OpportunityStatus.OPEN,
        closed_at=None,
        lost_reason=None,
        stage_entered_at=at,
    )


def closing(steps: Iterable[OpportunityStep]) -> OpportunityStep | None:
    """Return the step by which an opportunity was closed last, if it was."""
    closed = (step for step in steps if step.status is not OpportunityStatus.OPEN)
    return max(closed, key=lambda step: (step.recorded_at, step.id), default=None)


def undone(opportunity: Opportunity, steps: Iterable[OpportunityStep]) -> Opportunity:
    """Return an opportunity as if it had not been closed, in its stage since it was last open."""
    entered = (step.at for step in steps if step.status is OpportunityStatus.OPEN)
    return replace(
        opportunity,
        status=OpportunityStatus.OPEN,
        closed_at=None,
        lost_reason=None,
        stage_entered_at=max(entered, default=opportunity.opened_at),
    )


def heard_late(
    opportunity: Opportunity, steps: Sequence[OpportunityStep], *, ended_at: datetime
) -> list[OpportunityStep]:
    """Return the steps that were heard of only after a deal had ended, in their order.

    Another system tells where a deal is when it is asked, and afterwards that it had ended before.
    A step that a person took was taken when it was: then there are none.  Nor is the one by which
    a deal is closed as it stands.
    """
    ended = None if opportunity.closed_at is None else closing(steps)
    late = sorted(
        (step for step in steps if step.at > ended_at and step is not ended),
        key=lambda step: (step.at, step.recorded_at, step.id),
    )
    return late if all(step.by is None for step in late) else []


def ended_so(
    opportunity: Opportunity, *, status: OpportunityStatus, at: datetime, reason: str
) -> bool:
    """Say whether an opportunity ended like this, then and (if it was lost) for this reason."""
    why = reason if status is OpportunityStatus.LOST else None
    ending = (opportunity.status, opportunity.closed_at, opportunity.lost_reason)
    return ending == (status, at, why)


def handoff_behind(handoffs: Iterable[Handoff], *, at: datetime) -> Handoff | None:
    """Return the hand-off that a deal opened at an instant came of.

    The last that sales had accepted by then; where all were accepted later, the first of them: a
    deal may be dated earlier than the answer that was given for it.
    """
    accepted = [
        (handoff.decided_at, handoff.id, handoff)
        for handoff in handoffs
        if handoff.status is HandoffStatus.ACCEPTED and handoff.decided_at is not None
    ]
    before = [each for each in accepted if each[0] <= at]
    chosen = max(before, default=None) or min(accepted, default=None)
    return None if chosen is None else chosen[2]


def _reason(reason: str) -> str:
    return require_text(reason, name="The reason", path=("reason",), longest=LONGEST_REASON)


def _check_open(opportunity: Opportunity) -> None:
    if opportunity.status is not OpportunityStatus.OPEN:
        raise AlreadyClosed(opportunity)


def _check_order(opportunity: Opportunity, at: datetime) -> None:
    if at < opportunity.opened_at:
        raise ClosesBeforeItOpens(
            f"It was opened at {told_instant(opportunity.opened_at)}.", path=("at",)
        )
    if at < opportunity.stage_entered_at:
        raise StepTooEarly(opportunity.stage_entered_at)
