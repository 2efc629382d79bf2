"""Coming to an agreement: one side proposes and signs, the other countersigns.

Two people sign, one for each side: who belongs to both signs for one of them only.  A signed
agreement is never edited.  A change is the next version of its series, signed by both sides like
the first; it takes effect at the instant it names or, if that has passed by then, on the second
signature, so that nothing is judged twice.
"""

from domain.sla.signing.countersigning import UnjudgedHandoffs, countersign, withdraw
from domain.sla.signing.proposing import HandedOffByDay, Proposal, propose, supersede
from domain.sla.signing.rules import (
    AlreadySigned,
    BadEffectiveDate,
    CalendarNeeded,
    HasJudged,
    NotAProposal,
    NotSupersedable,
    SideNeeded,
    SignedAgreements,
    SignedByProposer,
    SlaOverlaps,
    WrongSide,
    sides_of,
)

__all__ = [
    "AlreadySigned",
    "BadEffectiveDate",
    "CalendarNeeded",
    "HandedOffByDay",
    "HasJudged",
    "NotAProposal",
    "NotSupersedable",
    "Proposal",
    "SideNeeded",
    "SignedAgreements",
    "SignedByProposer",
    "SlaOverlaps",
    "UnjudgedHandoffs",
    "WrongSide",
    "countersign",
    "propose",
    "sides_of",
    "supersede",
    "withdraw",
]
