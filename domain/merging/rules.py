"""What becomes of everything that belongs to a lead when the lead is merged: a table.

A test holds it against the database's catalogue, so that no kind is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from domain.briefs import HandoffBrief
from domain.consent import Consent
from domain.customers import Customer, CustomerStep, RevenueEvent
from domain.duplicates.found import DuplicateCandidate
from domain.duplicates.prints import LeadPrint
from domain.handoff import Handoff
from domain.leads import Activity, LeadAlias, LeadExternalId
from domain.lifecycle import StageEntry
from domain.next_steps import NextStep
from domain.opportunities import Opportunity
from domain.provenance import LeadProvenance
from domain.scoring import LeadGrading
from domain.sla.clocks import SlaClock
from domain.threads import Thread
from domain.touches import Touch, Visitor


@dataclass(frozen=True, slots=True)
class Moves:
    """The rows become the winner's."""


@dataclass(frozen=True, slots=True)
class OneEach:
    """A lead has one row at most for each value of `of` (or one at all).

    Where the winner has one already the loser's is taken away, and what points at it by a column
    of a kind points at the winner's from then on.
    """

    of: tuple[str, ...] = ()
    pointers: tuple[tuple[type, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Goes:
    """The rows say nothing that is not said elsewhere, or nothing that is true of the winner."""

    columns: tuple[str, ...] = ("lead_id",)


@dataclass(frozen=True, slots=True)
class OneStory:
    """The stages of all leads become one history: see `domain.merging.history`."""


Rule: TypeAlias = Moves | OneEach | Goes | OneStory

RULES: Mapping[type, Rule] = {
    StageEntry: OneStory(),
    Activity: Moves(),
    Consent: Moves(),
    LeadExternalId: Moves(),
    LeadAlias: Moves(),
    Handoff: Moves(),
    SlaClock: Moves(),
    Visitor: Moves(),
    Touch: Moves(),
    Opportunity: Moves(),
    HandoffBrief: Moves(),
    NextStep: Moves(),
    Thread: Moves(),
    Customer: OneEach(pointers=((RevenueEvent, "customer_id"), (CustomerStep, "customer_id"))),
    # It is reckoned anew from all touches.
    LeadGrading: Goes(),
    # Both are found anew: the merge is heard of by whoever looks for duplicates.
    LeadPrint: Goes(),
    DuplicateCandidate: Goes(columns=("lead_id", "other_id")),
    # It has the lead's own id; what it says of the winner's facts is kept with the winner.
    LeadProvenance: Goes(columns=("id",)),
}

KINDS: Mapping[str, type] = {
    kind.__name__: kind
    for kind in (
        *RULES,
        *(
            kind
            for rule in RULES.values()
            if isinstance(rule, OneEach)
            for kind, _ in rule.pointers
        ),
    )
}
