"""How an agreement is proposed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import strawberry
from strawberry import UNSET

from api.filtering import criterion_json
from api.leads import LeadFilter
from api.sla.enums import LadderPreset
from api.types import Currency, MoneyInput, TimeZone
from api.views import shown
from domain import ids
from domain.sla.agreement import CommitmentKind, LadderStep, Measure, Reassignment
from domain.sla.clock import EscalationAction
from domain.sla.terms import STANDARD_LADDER, Amount, CommitmentTerms, LeadValue
from domain.stages import Side
from domain.values import PeriodKind

Path = tuple[str | int, ...]


_LADDERS = {LadderPreset.STANDARD: STANDARD_LADDER}


@strawberry.input(description="For which days an agreement is made.")
class SlaPeriodInput:
    kind: PeriodKind = shown("How long it runs.")
    starts_on: date = shown("The first day.")
    ends_on: date | None = shown(
        "The day after the last one; a CUSTOM period needs it, and has at most 366 days.",
        default=UNSET,
    )


@strawberry.input(one_of=True, description="How much is to be delivered: exactly one of these.")
class DeliveryTargetInput:
    leads: strawberry.Maybe[int] = shown("So many leads.", default=None)
    points: strawberry.Maybe[int] = shown("So many points.", default=None)
    money: strawberry.Maybe[MoneyInput] = shown("So much money's worth of leads.", default=None)


@strawberry.input(one_of=True, description="What one lead is worth: exactly one of these.")
class WorthInput:
    points: strawberry.Maybe[int] = shown("So many points.", default=None)
    money: strawberry.Maybe[MoneyInput] = shown(
        "So much money, in the agreement's currency.", default=None
    )


@strawberry.input(description="What a type of lead is worth.")
class LeadValueInput:
    criterion: LeadFilter = shown("Which leads; {} is all that no value before it matched.")
    worth: WorthInput = shown("What one of them is worth.")


@strawberry.input(one_of=True, description="How much each weekday brings: exactly one of these.")
class WeekdayWeightsInput:
    given: strawberry.Maybe[list[Decimal]] = shown(
        "Seven numbers, Monday's first; 1 is an average day.", default=None
    )
    learned: strawberry.Maybe[bool] = shown(
        "Whether to learn them from the 90 days before.", default=None
    )


@strawberry.input(description="Marketing's promise to deliver.  Several, each for its segment.")
class DeliveryInput:
    name: str = shown("What to call it; no two of an agreement alike.")
    target: DeliveryTargetInput = shown("How much is to be delivered in the period.")
    quality_floor: Decimal | None = shown(
        "The least share that sales accepts, above 0 and at most 1.", default=UNSET
    )
    segment: LeadFilter | None = shown("Which leads count; left out, all.", default=UNSET)
    persona: strawberry.ID | None = shown("Whose leads count; left out, anybody's.", default=UNSET)
    values: list[LeadValueInput] = shown(
        "What leads are worth, where points or money count.  The first that matches counts, and a"
        " lead that none matches does not.",
        default_factory=list,
    )
    claw_back_days: int = shown(
        "Within how many days a rejection takes a lead off the delivery; 0 is never.", default=0
    )
    weekday_weights: WeekdayWeightsInput | None = shown(
        "How much each weekday is expected to bring; left out, all working days alike.",
        default=UNSET,
    )

    def terms(self, path: Path) -> CommitmentTerms:
        """Return what is asked for."""
        measure, target = _target(self.target, (*path, "target"))
        weights = self.weekday_weights or None
        given = weights.given if weights else None
        learned = weights.learned if weights else None
        return CommitmentTerms(
            kind=CommitmentKind.DELIVERY,
            name=self.name,
            measure=measure,
            target=target,
            quality_floor=_or_none(self.quality_floor),
            segment=criterion_json(self.segment) if self.segment else None,
            persona_id=ids.expect("Persona", self.persona, path=(*path, "persona"))
            if self.persona
            else None,
            values=tuple(
                LeadValue(
                    criterion=criterion_json(value.criterion),
                    worth=_worth(value.worth, (*path, "values", n, "worth")),
                )
                for n, value in enumerate(self.values)
            ),
            claw_back_days=self.claw_back_days,
            weekday_weights=tuple(given.value) if given else None,
            learn_weekdays=bool(learned and learned.value),
        )


@strawberry.input(description="A step of an escalation ladder.")
class EscalationStepInput:
    after: timedelta = shown("After how much time on the clock.")
    action: EscalationAction = shown("What is done.")


@strawberry.input(one_of=True, description="What is done about delay: exactly one of these.")
class EscalationInput:
    ladder: strawberry.Maybe[LadderPreset] = shown("A ladder known by name.", default=None)
    steps: strawberry.Maybe[list[EscalationStepInput]] = shown(
        "Steps of your own, each later than the one before.", default=None
    )

    def ladder_steps(self) -> tuple[LadderStep, ...]:
        """Return the steps."""
        if self.ladder is not None:
            return _LADDERS[self.ladder.value]
        steps = self.steps.value if self.steps is not None else ()
        return tuple(LadderStep(after_minutes=_minutes(s.after), action=s.action) for s in steps)


@strawberry.input
class TimedInput:
    """What all promises about each hand-off have in common."""

    name: str = shown("What to call it; no two of an agreement alike.")
    within: timedelta = shown("Within which time of the hand-off; at most 366 days.")
    target_share: Decimal = shown(
        "Which share of the hand-offs, above 0 and at most 1.", default=Decimal(1)
    )
    working_time: bool = shown("Whether only the calendar's open time counts.", default=True)
    warn_before: list[timedelta] | None = shown(
        "How long before it is due to warn; left out, when a quarter of the time is left.",
        default=UNSET,
    )
    escalation: EscalationInput | None = shown(
        "What is done when nobody keeps it; left out, nothing.", default=UNSET
    )
    on_reassignment: Reassignment = shown(
        "What a new owner means for a running clock.", default=Reassignment.CONTINUE
    )

    def timed_terms(self, kind: CommitmentKind, *, attempts: int = 1) -> CommitmentTerms:
        """Return what is asked for."""
        warnings = None if not isinstance(self.warn_before, list) else self.warn_before
        return CommitmentTerms(
            kind=kind,
            name=self.name,
            target_share=self.target_share,
            within_minutes=_minutes(self.within),
            working_time=self.working_time,
            attempts=attempts,
            warn_minutes=None if warnings is None else tuple(map(_minutes, warnings)),
            escalation=self.escalation.ladder_steps() if self.escalation else (),
            on_reassignment=self.on_reassignment,
        )


@strawberry.input(description="Sales' promise of a person's first touch.")
class ResponseInput(TimedInput):
    pass


@strawberry.input(description="Sales' promise to try several times, unless answered earlier.")
class AttemptsInput(TimedInput):
    attempts: int = shown("How many touches.")


@strawberry.input(description="Sales' promise to accept, reject or recycle.")
class DispositionInput(TimedInput):
    pass


@strawberry.input(description="Sales' promise to tell what became of it: beyond `accepted`.")
class FeedbackInput(TimedInput):
    pass


@strawberry.input(description="Sales' promise to work so large a share as all its timed ones say.")
class CoverageInput:
    name: str = shown("What to call it; no two of an agreement alike.")
    target_share: Decimal = shown("Which share of the hand-offs, above 0 and at most 1.")
    linked_to: str | None = shown(
        "The name of a delivery of this agreement: the share owed is then this share times what"
        " was attained of it, at most once.",
        default=UNSET,
    )


@strawberry.input(one_of=True, description="One promise: exactly one of these.")
class CommitmentInput:
    delivery: strawberry.Maybe[DeliveryInput] = shown("Marketing delivers.", default=None)
    response: strawberry.Maybe[ResponseInput] = shown("Sales touches in time.", default=None)
    attempts: strawberry.Maybe[AttemptsInput] = shown("Sales tries so often.", default=None)
    disposition: strawberry.Maybe[DispositionInput] = shown("Sales answers.", default=None)
    feedback: strawberry.Maybe[FeedbackInput] = shown(
        "Sales tells what became of it.", default=None
    )
    coverage: strawberry.Maybe[CoverageInput] = shown("Sales covers a share.", default=None)

    def terms(self, path: Path) -> CommitmentTerms:
        """Return what is asked for."""
        if self.delivery is not None:
            return self.delivery.value.terms((*path, "delivery"))
        if self.response is not None:
            return self.response.value.timed_terms(CommitmentKind.RESPONSE)
        if self.attempts is not None:
            asked = self.attempts.value
            return asked.timed_terms(CommitmentKind.ATTEMPTS, attempts=asked.attempts)
        if self.disposition is not None:
            return self.disposition.value.timed_terms(CommitmentKind.DISPOSITION)
        if self.feedback is not None:
            return self.feedback.value.timed_terms(CommitmentKind.FEEDBACK)
        if self.coverage is None:
            raise ValueError("GraphQL lets exactly one key of a @oneOf input through")
        coverage = self.coverage.value
        return CommitmentTerms(
            kind=CommitmentKind.COVERAGE,
            name=coverage.name,
            target_share=coverage.target_share,
            linked_to=coverage.linked_to or None,
        )


@strawberry.input(description="An agreement as one side proposes it.")
class SlaProposeInput:
    name: str = shown("What to call it.")
    period: SlaPeriodInput = shown("For which days; days of the past are accepted.")
    marketing_team: strawberry.ID = shown("The team that promises to deliver.")
    sales_team: strawberry.ID = shown("The team that promises to work what is delivered.")
    commitments: list[CommitmentInput] = shown("What is promised: at least one of each side.")
    time_zone: TimeZone | None = shown(
        "Whose days are counted; the tenant's, if left out.", default=UNSET
    )
    calendar: strawberry.ID | None = shown(
        "The calendar working time goes by; the sales team's, if left out.", default=UNSET
    )
    currency: Currency | None = shown(
        "In which currency money is counted; the tenant's, if left out.", default=UNSET
    )
    effective_at: datetime | None = shown(
        "From when on it counts; its period's first instant, if left out.", default=UNSET
    )
    ahead_band: Decimal = shown(
        "How much more than expected is AHEAD, as a share.", default=Decimal("0.05")
    )
    at_risk_band: Decimal = shown(
        "Below which share of the target a projection is BEHIND.", default=Decimal("0.90")
    )
    side: Side | None = shown(
        "For which side you sign; needed if you are in teams of both.", default=UNSET
    )


@strawberry.input(
    description="The next version of an agreement.  It takes effect at the instant named or, if"
    " that has passed, on the second signature."
)
class SlaSupersedeInput:
    sla: strawberry.ID = shown("The newest signed version.")
    commitments: list[CommitmentInput] = shown("What is promised from then on, all of it.")
    effective_at: datetime | None = shown(
        "From when on it counts, within the period; left out, as soon as both have signed.",
        default=UNSET,
    )
    name: str | None = shown("What to call it; as before, if left out.", default=UNSET)
    ahead_band: Decimal | None = shown("As before, if left out.", default=UNSET)
    at_risk_band: Decimal | None = shown("As before, if left out.", default=UNSET)
    side: Side | None = shown(
        "For which side you sign; needed if you are in teams of both.", default=UNSET
    )


@strawberry.input(description="Which proposal you sign.")
class SlaCountersignInput:
    sla: strawberry.ID = shown("The proposal.")


@strawberry.input(description="Which proposal you take back.")
class SlaWithdrawInput:
    sla: strawberry.ID = shown("The proposal.")


def terms_of(given: Sequence[CommitmentInput]) -> tuple[CommitmentTerms, ...]:
    """Return the terms that inputs ask for."""
    return tuple(each.terms(("commitments", n)) for n, each in enumerate(given))


def _target(given: DeliveryTargetInput, path: Path) -> tuple[Measure, Amount]:
    if given.leads is not None:
        return Measure.COUNT, given.leads.value
    if given.points is not None:
        return Measure.POINTS, given.points.value
    if given.money is None:
        raise ValueError("GraphQL lets exactly one key of a @oneOf input through")
    return Measure.MONEY, given.money.value.money((*path, "money"))


def _worth(given: WorthInput, path: Path) -> Amount:
    if given.points is not None:
        return given.points.value
    if given.money is None:
        raise ValueError("GraphQL lets exactly one key of a @oneOf input through")
    return given.money.value.money((*path, "money"))


def _minutes(length: timedelta) -> int:
    return length // timedelta(minutes=1)


def _or_none(value: Any) -> Any:
    return None if value is UNSET else value
