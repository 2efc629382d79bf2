"""Every hand-off comes to exactly one thing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain, combinations, product
from uuid import UUID

import pytest

from domain.handoff import Handoff, HandoffStatus
from domain.ids import new_id
from domain.opportunities import Opportunity, OpportunityStatus
from domain.outcomes import FollowUp, HandoffOutcome, Outcome, outcome_of, summed
from domain.values import Money

AT = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
HANDOFF = Handoff(
    id=UUID(int=1),
    lead_id=UUID(int=2),
    from_team_id=UUID(int=3),
    to_team_id=UUID(int=4),
    score=0,
    handed_off_at=AT,
    recorded_at=AT,
)
# What sales answered: its status, and whether it gave the lead back after having taken it.
ANSWERS = {
    "open": HANDOFF,
    "accepted": replace(HANDOFF, status=HandoffStatus.ACCEPTED, decided_at=AT + HOUR),
    "rejected": replace(
        HANDOFF,
        status=HandoffStatus.REJECTED,
        decided_at=AT + HOUR,
        decision_reason="A student.",
    ),
    "recycled": replace(
        HANDOFF,
        status=HandoffStatus.RECYCLED,
        decided_at=AT + HOUR,
        decision_reason="Next year.",
    ),
    "returned": replace(
        HANDOFF,
        status=HandoffStatus.ACCEPTED,
        decided_at=AT + HOUR,
        returned_at=AT + 9 * HOUR,
        return_reason="No budget.",
    ),
}
TOUCHES = {
    "untouched": FollowUp(),
    "attempted": FollowUp(attempts=2, first_touch_at=AT + 2 * HOUR),
    "met": FollowUp(attempts=3, first_touch_at=AT + 2 * HOUR, meeting_at=AT + 4 * HOUR),
}
DEALS = [
    frozenset(chosen)
    for chosen in chain.from_iterable(combinations(OpportunityStatus, n) for n in range(4))
]


def a_deal(status: OpportunityStatus, minor: int | None = 100_00, **more: object) -> Opportunity:
    closed_at = None if status is OpportunityStatus.OPEN else AT + 20 * HOUR
    values: dict[str, object] = {
        "id": new_id(),
        "name": "Deal",
        "lead_id": HANDOFF.lead_id,
        "stage_id": UUID(int=5),
        "opened_at": AT + 5 * HOUR,
        "stage_entered_at": AT,
        "recorded_at": AT,
        "updated_at": AT,
        "handoff_id": HANDOFF.id,
        "amount_minor": minor,
        "currency": None if minor is None else "EUR",
        "status": status,
        "closed_at": closed_at,
        "lost_reason": "Too dear." if status is OpportunityStatus.LOST else None,
    }
    return Opportunity(**{**values, **more})  # type: ignore[arg-type]  # the fields, by name


def expected(answer: str, touches: str, deals: frozenset[OpportunityStatus]) -> Outcome:
    """Say what a marketer would say, in another way than the rule does."""
    ranked = [
        (OpportunityStatus.WON in deals, Outcome.WON),
        (OpportunityStatus.OPEN in deals, Outcome.OPPORTUNITY),
        (OpportunityStatus.LOST in deals, Outcome.LOST),
        (answer == "rejected", Outcome.REJECTED),
        (answer in {"recycled", "returned"}, Outcome.RECYCLED),
        (touches == "met", Outcome.MEETING),
        (touches == "attempted", Outcome.ATTEMPTED),
        (answer in {"accepted", "returned"}, Outcome.ACCEPTED),
    ]
    return next((outcome for holds, outcome in ranked if holds), Outcome.NONE)


@pytest.mark.parametrize(("answer", "touches"), [*product(ANSWERS, TOUCHES)])
def test_whatever_happens_there_is_exactly_one_outcome(answer: str, touches: str) -> None:
    for deals in DEALS:
        follow_up = replace(TOUCHES[touches], opportunities=tuple(map(a_deal, sorted(deals))))

        outcome = outcome_of(ANSWERS[answer], follow_up)

        assert outcome.kind is expected(answer, touches, deals), deals
        assert (outcome.at is None) is (outcome.kind is Outcome.NONE)
        assert bool(outcome.reason) is (
            outcome.kind in {Outcome.REJECTED, Outcome.RECYCLED, Outcome.LOST}
        )
        assert outcome.attempts == TOUCHES[touches].attempts


def test_an_outcome_tells_what_there_is_to_tell() -> None:
    lost, won = a_deal(OpportunityStatus.LOST), a_deal(OpportunityStatus.WON, 250_00)

    told = [
        outcome_of(ANSWERS["accepted"], TOUCHES["met"]),
        outcome_of(ANSWERS["returned"], TOUCHES["attempted"]),
        outcome_of(ANSWERS["accepted"], replace(TOUCHES["met"], opportunities=(lost, won))),
    ]

    attempted = {"attempts": 2, "first_touch_at": AT + 2 * HOUR, "meeting_at": None}
    met = {"attempts": 3, "first_touch_at": AT + 2 * HOUR, "meeting_at": AT + 4 * HOUR}
    assert told == [
        HandoffOutcome(kind=Outcome.MEETING, at=AT + 4 * HOUR, reason=None, **met),
        HandoffOutcome(kind=Outcome.RECYCLED, at=AT + 9 * HOUR, reason="No budget.", **attempted),
        HandoffOutcome(
            kind=Outcome.WON,
            at=AT + 20 * HOUR,
            reason=None,
            opportunity_id=won.id,
            amounts=(Money(250_00, "EUR"),),
            **met,
        ),
    ]


def test_amounts_of_several_currencies_are_never_added_up() -> None:
    amounts = (Money(1, "USD"), Money(2, "EUR"), None, Money(3, "USD"))

    assert summed(amounts) == (Money(2, "EUR"), Money(4, "USD"))
    assert summed(()) == ()
