"""Leads that may be one person are looked for, shown with reasons, and turned down."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import strawberry

from api.context import Info
from api.errors import mutation, query, subscription
from api.filtering import collection, enum, filter_input, order_input
from api.leads import LeadView
from api.views import related, shown, view
from domain import duplicates, ids
from domain.duplicates import (
    CANDIDATE_FIELDS,
    CandidateStatus,
    DuplicateCandidate,
    DuplicateRules,
    Evidence,
    Trait,
    dismiss_candidate,
)
from domain.duplicates.comparing import read_rules
from domain.duplicates.scanning import DuplicateScan, cancel_scan, set_rules, start_scan
from domain.identity import Permission, User
from domain.leads import Lead
from domain.paging import Order
from domain.uploads import JobStatus

enum(
    CandidateStatus,
    "What became of a pair of leads that may be one person.",
    PROPOSED="It waits for somebody to merge it, or to turn it down.",
    DISMISSED="Somebody said that they are two people.",
)
enum(
    Trait,
    "By what two leads are compared.",
    EMAIL="The mailbox that the e-mail addresses lead to.",
    PHONE="The telephone numbers.",
    NAME="The first and last names, in whichever order.",
    COMPANY="The companies they work for, by domain or by name.",
)


@view(Evidence, name="DuplicateEvidence", description="How far two leads agree in one thing.")
class EvidenceView:
    trait: Trait = shown("By what they were compared.")
    bits: Decimal = shown(
        "What that is worth: each bit doubles the odds that they are one person, each bit below 0"
        " halves them."
    )

    @strawberry.field(description="How far they agree, from 0 to 1.")
    def agreement_share(evidence: strawberry.Parent[Any]) -> Decimal:
        agreement: Decimal = evidence.agreement
        return agreement

    @strawberry.field(description="The same in words.")
    def sentence(evidence: strawberry.Parent[Any]) -> str:
        return duplicates.sentence(evidence)


@view(DuplicateCandidate, description="Two leads that may be one person.")
class DuplicateCandidateView:
    status: CandidateStatus = shown("Whether somebody has turned it down.")
    score: Decimal = shown("How sure it is that they are one person, from 0 to 1.")
    evidence: list[EvidenceView] = shown("Why: in what they agree, and in what they do not.")
    found_at: datetime = shown("When the pair was found, as it is.")
    dismissed_at: datetime | None = shown("When it was turned down.")
    lead = related(LeadView, Lead, by="lead_id", description="The younger of the two.")
    other = related(LeadView, Lead, by="other_id", description="The elder of the two.")
    dismissed_by = related(
        "api.identity.UserView", User, by="dismissed_by", description="Who turned it down."
    )


@view(DuplicateRules, description="From which score on leads are merged, and proposed.")
class DuplicateRulesView:
    merge_from: Decimal | None = shown(
        "From which score on leads are merged by themselves; null where only people merge."
    )
    propose_from: Decimal = shown("From which score on two leads are proposed to people.")


@view(DuplicateScan, description="The comparing of all leads with each other.")
class DuplicateScanView:
    status: JobStatus = shown("How far it has come.")
    progress_share: Decimal = shown("How much has been done, from 0 to 1.")
    leads: int = shown("How many leads there were when it was asked for.")
    compared: int = shown("How many leads have been read, to be compared with all others.")
    found: int = shown("How many pairs were found that were not known.")
    error: str | None = shown("Why it failed, if it did.")
    created_at: datetime = shown("When it was asked for.")
    started_at: datetime | None = shown("When it began.")
    ended_at: datetime | None = shown("When it ended.")
    created_by = related(
        "api.identity.UserView", User, by="created_by", description="Who asked for it."
    )


_Which = Annotated[strawberry.ID, strawberry.argument(description="The scan.")]
DuplicateCandidateFilter = filter_input(CANDIDATE_FIELDS)
DuplicateCandidateOrder = order_input(
    "DuplicateCandidate", {"SCORE": "score", "FOUND_AT": "found_at"}, "How pairs are ordered"
)


@strawberry.type
class Queries:
    duplicate_candidates = collection(
        DuplicateCandidateView,
        DuplicateCandidate,
        description="Pairs of leads that may be one person, the surest first.",
        default=(Order("score", descending=True),),
        fields=CANDIDATE_FIELDS,
        filter=DuplicateCandidateFilter,
        order=DuplicateCandidateOrder,
    )("duplicate_candidates")
    duplicate_scans = collection(
        DuplicateScanView,
        DuplicateScan,
        description="Scans of all leads, the newest first.",
        default=(Order("created_at", descending=True),),
    )("duplicate_scans")

    @query("From which score on leads are merged, and proposed.", shows=DuplicateRulesView)
    async def duplicate_rules(self, info: Info) -> Any:
        async with info.context.work() as work:
            return await read_rules(work, info.context.actor)


@strawberry.input(description="Which pair is of two people.")
class DuplicateCandidateDismissInput:
    candidate: strawberry.ID = shown("The pair; it must be proposed.")


@strawberry.input(description="From which score on leads are merged, and proposed.")
class DuplicateRulesSetInput:
    merge_from: Decimal | None = shown(
        "From which score on leads are merged by themselves; null: only by people."
    )
    propose_from: Decimal = shown("From which score on two leads are proposed, above 0 up to 1.")


@strawberry.input(description="Which scan is to stop.")
class DuplicateScanCancelInput:
    scan: strawberry.ID = shown("The scan; it must not have ended.")


@strawberry.type
class Mutations:
    @mutation(
        DuplicateCandidateView,
        "Say that two leads are two people.  They are proposed again only if they have changed and"
        " become more alike.",
        needs=Permission.MERGE_LEADS,
    )
    async def duplicate_candidate_dismiss(
        self, info: Info, input: DuplicateCandidateDismissInput
    ) -> DuplicateCandidate:
        candidate_id = ids.expect("DuplicateCandidate", input.candidate, path=("candidate",))
        async with info.context.writing() as work:
            return await dismiss_candidate(work, info.context.actor, candidate_id)

    @mutation(
        DuplicateRulesView,
        "Say from which score on leads are merged or proposed.  It holds for what is compared from"
        " then on; a scan compares all.",
        needs=Permission.MERGE_LEADS,
    )
    async def duplicate_rules_set(
        self, info: Info, input: DuplicateRulesSetInput
    ) -> DuplicateRules:
        async with info.context.writing() as work:
            return await set_rules(
                work,
                info.context.actor,
                merge_from=input.merge_from,
                propose_from=input.propose_from,
            )

    @mutation(
        DuplicateScanView,
        "Compare all leads with each other, in the background, and from now on each that comes or"
        " changes.  While that is under way, this answers with it.",
        needs=Permission.MERGE_LEADS,
    )
    async def duplicate_scan_start(self, info: Info) -> DuplicateScan:
        async with info.context.writing() as work:
            return await start_scan(work, info.context.actor)

    @mutation(
        DuplicateScanView,
        "Stop a scan.  What it has found stays.",
        needs=Permission.MERGE_LEADS,
    )
    async def duplicate_scan_cancel(
        self, info: Info, input: DuplicateScanCancelInput
    ) -> DuplicateScan:
        async with info.context.writing() as work:
            return await cancel_scan(work, info.context.actor, _id(input.scan))


@strawberry.type
class Subscriptions:
    @subscription(
        "How far a scan has come, until it has ended.",
        needs=Permission.VIEW,
        shows=DuplicateScanView,
    )
    async def duplicate_scan_progress(self, info: Info, scan: _Which) -> AsyncIterator[Any]:
        scan_id, actor = _id(scan), info.context.actor
        with info.context.live.watch(actor.tenant_id) as watch:
            while True:
                async with info.context.work() as work:
                    now = await work.get(DuplicateScan, scan_id)
                yield now
                if now.status.is_over:
                    return
                await watch.news()


def _id(text: str) -> UUID:
    return ids.expect("DuplicateScan", text, path=("scan",))
