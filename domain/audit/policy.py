"""What is audited and what is not, and why: a table, so that no new kind is passed over.

Audited is what people, keys and operators decide.  What follows from that by rule, and happens
thousands of times a day, is told by the event log; it would only bury the rest here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.attribution import AttributionCredit, AttributionModel
from domain.briefs import HandoffBrief
from domain.campaigns import Campaign, CampaignAsset, CampaignCost
from domain.consent import Consent
from domain.content import ContentAsset
from domain.customers import Customer, CustomerStep, RevenueEvent
from domain.digests import DigestSubscription
from domain.duplicates import DuplicateCandidate, DuplicateRules, LeadPrint
from domain.duplicates.scanning import DuplicateScan
from domain.exchange import ExchangeRate
from domain.feed import LoggedEvent
from domain.goals.targets import Goal, MetricTally
from domain.handoff import Handoff, HandoffCredit
from domain.identity import ApiKey, Board, Invitation, Session, Team, TeamMember, Tenant, User
from domain.leads import Activity, Company, Lead, LeadAlias, LeadExternalId
from domain.leaks import LeakLimit
from domain.lifecycle import StageDefinition, StageEntry
from domain.merging import LeadMerge, MergeRecord
from domain.next_steps import NextStep
from domain.opportunities import Opportunity, OpportunityStep, PipelineStage
from domain.personas import Persona, PersonaAcknowledgement, PersonaVersion, Photo
from domain.prediction import PredictionModel, PredictionSchedule
from domain.provenance import LeadProvenance
from domain.ratings import Rating
from domain.scoring import LeadGrading, ScoringModel
from domain.sla.agreement import Commitment, Sla
from domain.sla.calendars import Calendar, CalendarVersion
from domain.sla.clock import ClockFact, FactKind
from domain.sla.clocks import SlaClock, SlaTally
from domain.sla.recalibration import ValueRecalibration
from domain.threads import Mention, Thread, ThreadMessage
from domain.touch_retention import TouchRetentionRun
from domain.touches import Touch, Visitor
from domain.tracking import TrackingSite
from domain.uploads import ImportJob, ImportRowError, Upload, UploadChunk


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """How the changes of one kind are audited.

    `left_out` are fields that are never in the log: secrets, and what changes by itself.
    `by_people` leaves out what the system does by itself.  `part_of` names the kind and the field
    of what a thing only describes: it is then told as a change of that.  With `decided`, a change
    counts only if what this gives of the thing is another than before.  `whole` tells all of what
    the thing is then, and not only what was changed last.
    """

    left_out: frozenset[str] = frozenset()
    by_people: bool = False
    part_of: tuple[type, str] | None = None
    decided: Callable[[Any], object] | None = None
    whole: bool = False


def _but(*fields: str) -> Audited:
    return Audited(left_out=frozenset(fields))


def _decisions(clock: SlaClock) -> tuple[ClockFact, ...]:
    """Return what somebody decided about a clock, and not what came of the lead."""
    by_hand = (FactKind.PAUSED, FactKind.RESUMED, FactKind.WAIVED)
    return tuple(fact for fact in clock.facts if fact.kind in by_hand)


# The subject has its id, and how often it was changed can be counted here.
LEFT_OUT_EVERYWHERE = frozenset({"id", "version"})

AUDITED: Mapping[type, Audited] = {
    Tenant: _but("placement"),
    User: _but("account_id"),
    Team: Audited(),
    # Whose turn it was last follows from the hand-offs.
    TeamMember: _but("last_routed_at"),
    Invitation: _but("digest"),
    ApiKey: _but("digest", "previous_digest"),
    Board: _but("digest"),
    Calendar: Audited(),
    CalendarVersion: Audited(),
    StageDefinition: Audited(),
    # How far leads have been scored anew is nobody's decision.
    ScoringModel: _but("scoring_after", "scored"),
    # What came of the training follows from what became of the leads.
    PredictionModel: _but("trained", "comparison", "digest"),
    # How far leads have been assigned anew is nobody's decision.
    Persona: _but("assigning_after"),
    PersonaAcknowledgement: Audited(),
    # What `supersedes_id` says too.
    Sla: _but("series_id"),
    Commitment: Audited(),
    Goal: Audited(),
    # How a company's name is compared follows from the name.
    Company: Audited(by_people=True, left_out=frozenset({"normal_name"})),
    # Which persona and campaign a lead belongs to follows from those, its points from the scoring
    # model, and when it entered its stage or was changed is when the entry says.
    Lead: Audited(
        by_people=True,
        left_out=frozenset(
            {
                *("persona_id", "campaign_id", "fit", "engagement", "grade"),
                *("stage_entered_at", "updated_at", "derived"),
            }
        ),
    ),
    LeadExternalId: Audited(by_people=True, part_of=(Lead, "lead_id")),
    # Merges by rule too: nobody else would know what became of a lead.
    LeadMerge: Audited(),
    # Found by rule; that somebody turned a pair down is a decision.
    DuplicateCandidate: Audited(
        by_people=True,
        decided=lambda candidate: candidate.status,
        left_out=frozenset({"evidence", "fingerprint", "certain"}),
    ),
    DuplicateRules: _but("checked_to"),
    DuplicateScan: _but(
        *("leads", "compared", "found", "step", "done", "after", "place"),
        *("started_at", "claimed_until", "claim"),
    ),
    Activity: Audited(by_people=True),
    Consent: Audited(),
    Handoff: Audited(by_people=True),
    # Since when an answer is owed, and until when, is what the messages say.
    Thread: Audited(left_out=frozenset({"last_message_at", "awaiting", "ask_id", "due_at"})),
    ThreadMessage: Audited(left_out=frozenset({"answered_by_id"})),
    Rating: Audited(),
    NextStep: Audited(by_people=True),
    LeakLimit: Audited(),
    # When the last one was sent and the next one will be is the worker's affair.
    DigestSubscription: Audited(
        by_people=True, part_of=(User, "user_id"), left_out=frozenset({"since", "next_at"})
    ),
    SlaClock: Audited(
        by_people=True,
        decided=_decisions,
        left_out=frozenset({"transitions", "escalated", "warn_at", "next_at"}),
    ),
    # How far it has looked for its touches is nobody's decision.
    ContentAsset: _but("matching_after", "matching_started_at"),
    TrackingSite: Audited(),
    # One entry for each run, when it has ended, that says all of what went.
    TouchRetentionRun: Audited(
        decided=lambda run: run.ended_at or (),
        whole=True,
        left_out=frozenset({"reached_at", "visitors_after"}),
    ),
    # How far it has looked for what belongs to it is nobody's decision.
    Campaign: _but("adopting_after"),
    AttributionModel: _but("computing_after", "computed_count", "opportunity_count"),
    CampaignCost: Audited(),
    CampaignAsset: Audited(part_of=(Campaign, "campaign_id")),
    PipelineStage: Audited(),
    ExchangeRate: Audited(),
    Opportunity: Audited(by_people=True, left_out=frozenset({"stage_entered_at", "updated_at"})),
    Customer: Audited(by_people=True, left_out=frozenset({"status_entered_at"})),
    RevenueEvent: Audited(by_people=True),
    # That it was asked for, cancelled, or ended; its progress is its own.
    ImportJob: _but(
        *("done_bytes", "last_line", "rows", "created", "updated", "unchanged", "failed"),
        *("started_at", "claimed_until", "claim"),
    ),
}

NOT_AUDITED: Mapping[type, str] = {
    Session: "that one was begun or ended is noted, and refreshing is nobody's decision",
    PersonaVersion: "a copy of the persona, whose changes are audited",
    Photo: "its persona's change is audited, and a picture cannot be shown before and after",
    LeadProvenance: "follows from what was said of the lead, whose changes are audited",
    LeadAlias: "follows from the merge, which is audited",
    MergeRecord: "what the merge, which is audited, keeps in order to be undone",
    LeadPrint: "a copy of what the lead says, folded for comparing",
    StageEntry: "the history of a lead's stages, which change with the lead",
    Mention: "part of what the message says, which is audited",
    HandoffBrief: "a copy of what was known when a lead was handed off, which is audited",
    PredictionSchedule: "follows from the calendar and the tenant's time zone",
    LeadGrading: "follows from the scoring model, the lead and what it touched",
    ValueRecalibration: "follows from what became of the leads, and changes nothing by itself",
    AttributionCredit: "follows from touches, opportunities and models, and recounted by a test",
    HandoffCredit: "follows from the hand-off and the agreement",
    SlaTally: "counted from hand-offs and clocks, and recounted by a test",
    MetricTally: "counted from what happened",
    LoggedEvent: "a log itself, and what it tells follows from what is audited",
    Upload: "a file on its way; what is made of it is audited",
    UploadChunk: "a piece of a file",
    ImportRowError: "the report of an import",
    Visitor: "who it is follows from what was touched, and touches are a log themselves",
    Touch: "a log itself, of what buyers did and nobody here decided",
    OpportunityStep: "the history of an opportunity, whose changes are audited",
    CustomerStep: "the history of a customer, whose changes are audited",
}

# What a field that holds an id points at.
REFERENCES: Mapping[str, str] = {
    "asset_id": "ContentAsset",
    "calendar_id": "Calendar",
    "calendar_version_id": "CalendarVersion",
    "campaign_id": "Campaign",
    "activated_by": "User",
    "used_by": "User",
    "changed_by": "User",
    "commitment_id": "Commitment",
    "company_id": "Company",
    "created_by": "User",
    "current_id": "CalendarVersion",
    "customer_id": "Customer",
    "author_id": "User",
    "decided_by": "User",
    "done_by": "User",
    "definition_id": "StageDefinition",
    "from_team_id": "Team",
    "handed_off_by": "User",
    "handoff_id": "Handoff",
    "invited_by": "User",
    "lead_id": "Lead",
    "linked_to": "Commitment",
    "dismissed_by": "User",
    "merged_by": "User",
    "other_id": "Lead",
    "undone_by": "User",
    "winner_id": "Lead",
    "marketing_signed_by": "User",
    "marketing_team_id": "Team",
    "opportunity_id": "Opportunity",
    "owner_id": "User",
    "parent_id": "SlaClock",
    "persona_id": "Persona",
    "photo_id": "Photo",
    "proposed_by": "User",
    "recorded_by": "User",
    "returned_by": "User",
    "requested_by": "User",
    "sales_signed_by": "User",
    "sales_team_id": "Team",
    "sla_id": "Sla",
    "set_by": "User",
    "stage_id": "PipelineStage",
    "started_by": "User",
    "supersedes_id": "Sla",
    "team_id": "Team",
    "thread_id": "Thread",
    "to_team_id": "Team",
    "upload_id": "Upload",
    "user_id": "User",
}
