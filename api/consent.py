"""What people wish: whether they may be contacted, how, and whether their steps are followed."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry import UNSET

from api.context import Info
from api.errors import mutation
from api.filtering import enum
from api.leads import LeadRef, LeadView
from api.leads.inputs import or_none
from api.views import related, shown, view
from domain import consenting
from domain.consent import Consent, ConsentPurpose, ConsentStatus, LegalBasis
from domain.identity import Permission, User
from domain.leads import Lead

enum(
    ConsentPurpose,
    "What a person may consent to.",
    EMAIL="To be written to by e-mail.",
    PHONE="To be called.",
    TRACKING="To have their visits kept as theirs.",
)
enum(
    ConsentStatus,
    "What became of it.",
    GRANTED="The person agreed.",
    WITHDRAWN="The person does not agree, or no longer.",
)
enum(
    LegalBasis,
    "What makes it lawful (GDPR, article 6).",
    CONSENT="The person's consent.",
    CONTRACT="A contract with the person, or steps towards one.",
    LEGITIMATE_INTEREST="Our legitimate interest.",
    LEGAL_OBLIGATION="The law demands it.",
)


@view(Consent, description="What a person said about one purpose.  It is never changed.")
class ConsentView:
    purpose: ConsentPurpose = shown("What it is about.")
    status: ConsentStatus = shown("What the person said.")
    basis: LegalBasis = shown("What makes it lawful.")
    source: str = shown("Where it was said, such as a form.")
    occurred_at: datetime = shown("When it was said.")
    recorded_at: datetime = shown("When we learnt of it.")
    wording: str | None = shown("What the person was asked.")
    lead = related("api.leads.LeadView", Lead, by="lead_id", description="The lead.")
    recorded_by = related(
        "api.identity.UserView",
        User,
        by="recorded_by",
        description="Who told us; null if it was an integration.",
    )


@strawberry.input(description="What a person said about one purpose.")
class ConsentRecordInput:
    lead: LeadRef = shown("The lead.")
    purpose: ConsentPurpose = shown("What it is about.")
    status: ConsentStatus = shown("What the person said.")
    basis: LegalBasis = shown("What makes it lawful.", default=LegalBasis.CONSENT)
    source: str = shown("Where it was said, such as `newsletter form`.")
    occurred_at: datetime | None = shown("When it was said; now, if left out.", default=UNSET)
    wording: str | None = shown("What the person was asked.", default=UNSET)


@strawberry.input(description="Who must not be contacted any more, and why.")
class LeadDoNotContactSetInput:
    lead: LeadRef = shown("The lead.")
    reason: str = shown("Why.")
    occurred_at: datetime | None = shown("Since when; now, if left out.", default=UNSET)


@strawberry.input(description="Who may be contacted again.")
class LeadDoNotContactLiftInput:
    lead: LeadRef = shown("The lead.")


@strawberry.type
class Mutations:
    @mutation(
        ConsentView, "Keep what a person said about one purpose.", needs=Permission.EDIT_LEADS
    )
    async def consent_record(self, info: Info, input: ConsentRecordInput) -> Consent:
        async with info.context.writing() as work:
            return await consenting.record_consent(
                work,
                info.context.actor,
                input.lead.key(),
                purpose=input.purpose,
                status=input.status,
                basis=input.basis,
                source=input.source,
                occurred_at=or_none(input.occurred_at),
                wording=or_none(input.wording),
            )

    @mutation(
        LeadView,
        "Let nobody contact a person any more; what sales owes the lead ends with the reason.",
        needs=Permission.EDIT_LEADS,
    )
    async def lead_do_not_contact_set(self, info: Info, input: LeadDoNotContactSetInput) -> Lead:
        async with info.context.writing() as work:
            return await consenting.set_do_not_contact(
                work,
                info.context.actor,
                input.lead.key(),
                reason=input.reason,
                at=or_none(input.occurred_at),
            )

    @mutation(
        LeadView,
        "Let a person be contacted again; what ended meanwhile does not begin anew.",
        needs=Permission.EDIT_LEADS,
    )
    async def lead_do_not_contact_lift(self, info: Info, input: LeadDoNotContactLiftInput) -> Lead:
        async with info.context.writing() as work:
            return await consenting.lift_do_not_contact(work, info.context.actor, input.lead.key())
