"""What an argument means and takes, where its type does not say enough."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.feed import cursor_at
from tests.passwords import PASSWORD

# What a field that takes an id means, where it is not called like the kind itself.
KINDS = {
    "actor": "User",
    "about": "Lead",
    "asset": "ContentAsset",
    "boardLink": "Board",
    "message": "ThreadMessage",
    "mentions": "User",
    "mentionTeams": "Team",
    "of": "Lead",
    "startedBy": "User",
    "candidate": "DuplicateCandidate",
    "clock": "SlaClock",
    "assets": "ContentAsset",
    "company": "Company",
    "cost": "CampaignCost",
    "attributionModelArchive.model": "AttributionModel",
    "campaignPerformance.model": "AttributionModel",
    "sourcePerformance.model": "AttributionModel",
    "contentPerformance.model": "AttributionModel",
    "personaPerformance.model": "AttributionModel",
    "performanceExplain.model": "AttributionModel",
    "definition": "StageDefinition",
    "fromTeam": "Team",
    "importJob": "ImportJob",
    "invitedBy": "User",
    "losers": "Lead",
    "marketingTeam": "Team",
    "opportunity.ref": "Opportunity",
    "model": "ScoringModel",
    "predictionModelUse.model": "PredictionModel",
    "owner": "User",
    "recalibration": "ValueRecalibration",
    "ref": "Lead",
    "campaign.ref": "Campaign",
    "merge": "LeadMerge",
    "other": "Lead",
    "scan": "DuplicateScan",
    "salesTeam": "Team",
    "site": "TrackingSite",
    "stage": "PipelineStage",
    "stages": "PipelineStage",
    "subject": "User",
    "teams": "Team",
    "toTeam": "Team",
    "winner": "Lead",
}


# What takes the id of anything.
ANYTHING = {"actor", "subject"}


# Which of several things of a kind is meant, by the field or by the root field.
MEANT = {
    "auditLog": "owner",
    "fromTeam": "marketing",
    "marketingTeam": "marketing",
    "clockResume": "paused clock",
    "clocks": "handed lead",
    "goals": "marketing",
    "handoffs": "handed lead",
    "leadAccept": "handed lead",
    "leadDoNotContactLift": "forbidden lead",
    "leadHandOff": "qualified lead",
    "leadReassign": "handed lead",
    "leadRecycle": "accepted lead",
    "ratingGive": "handed lead",
    "ratings": "owner",
    "threads.lead": "handed lead",
    "threads.startedBy": "owner",
    "leadReject": "handed lead",
    "customers": "buying lead",
    "opportunities": "buying lead",
    "opportunities.handoff": "accepted handoff",
    "opportunities.stage": "first stage",
    "revenueEvents": "won opportunity",
    "opportunityCreate": "buying lead",
    "opportunityReopen": "lost opportunity",
    "revenueDelete": "mistaken revenue",
    "duplicateCandidates.lead": "younger lead",
    "duplicateCandidates.other": "elder lead",
    "leadMerges.winner": "merged lead",
    "losers": "qualified lead",
    "slaCountersign": "proposal",
    "slaWithdraw": "proposal",
    "stageDefinitionSign": "proposed definition",
    "stageDefinitionWithdraw": "proposed definition",
    "teamMemberAdd.user": "analyst",
}


# What stands in a field of an input, or in an input of a type, whatever else.
VALUES: Mapping[str, Any] = {
    "CompanyCreateInput.domain": "https://www.acme.example/",
    "CompanyRef.domain": "initech.example",
    "CompanyUpdateInput.domain": "acme.example",
    "ApiKeyCreateInput.role": "MEMBER",
    "CustomerStatusSetInput.status": "AT_RISK",
    "AttributionModelCreateInput.anchors": [{"anchor": "FIRST", "share": "1"}],
    "AttributionModelRef": {"builtIn": "LINEAR"},
    "CampaignCreateInput.code": "autumn",
    "CampaignCostRecordInput.currency": "EUR",
    "CampaignCostRowInput.currency": "EUR",
    "CampaignCostCorrectInput.currency": "EUR",
    "PerformanceExplainInput.dimension": "ORIGIN",
    "PerformanceExplainInput.measure": "LEADS",
    "PerformanceInput.endsOn": "2026-04-01",
    "PerformanceInput.startsOn": "2026-03-01",
    "DuplicateRulesSetInput.mergeFrom": "0.99",
    "DuplicateRulesSetInput.proposeFrom": "0.8",
    "DeliveryInput.values": [{"criterion": {}, "worth": {"points": 2}}],
    "DeliveryTargetInput": {"points": 5},
    "ExchangeRateSetInput.currency": "USD",
    "ExternalIdInput.source": "crm",
    "ExternalIdInput.value": "4711",
    "ImportStartInput.mapping": '[lead]\nemail = "email"\n',
    "LeadCreateInput.phone": "+353 1 679 3579",
    "LeadFilter": {"score": {"gte": "1"}},
    "LeadAdvanceInput.to": "PROSPECT",
    "LeadRowInput.email": "row@example.com",
    "LeadRowInput.phone": "+353 1 679 3579",
    "LeadUpdateInput.phone": "+353 1 679 3579",
    "PipelineReorderInput.stages": "all stages",
    "OpenHoursInput.closes": "17:00",
    "OpenHoursInput.opens": "09:00",
    "SessionRefreshInput.refreshToken": "refresh token",
    "InvitationAcceptInput.token": "invitation token",
    "PasswordResetInput.newPassword": PASSWORD,
    "PasswordResetInput.token": "reset token",
    "SignInInput.email": "account",
    "ScoredTouchFilter": {"kind": {"eq": "FORM"}},
    "ScoringTermsInput.a": 60,
    "ScoringTermsInput.one": 60,
    "SlaProposeInput.side": "MARKETING",
    "SlaTakeValuesInput.side": "MARKETING",
    "SlaSupersedeInput.side": "MARKETING",
    "StageDefinitionProposeInput.side": "MARKETING",
    "StageDefinitionProposeInput.stage": "SQL",
    "TouchRecordInput.lead": {"externalId": {"source": "crm", "value": "4711"}},
    "TouchRowInput.lead": {"externalId": {"source": "crm", "value": "4711"}},
    "VisitorIdentifyInput.visitor": "visitor-0123456789",
    "WindowInput.closes": "17:00",
    "WindowInput.opens": "09:00",
    "callCadence.winRates": ["0.1"],
    "clockTransitions.after": cursor_at(0),
    "invitationPreview.token": "invitation token",
    "stageTest.stage": "PROSPECT",
    "workingTimeBetween.to": "2026-03-11T12:00:00Z",
}


# What else a list needs to be right.
_BOTH_SIDES = (
    {"delivery": {"name": "Leads", "target": {"leads": 5}}},
    {"response": {"name": "Call", "within": "PT4H"}},
)
MORE: Mapping[str, tuple[Any, ...]] = {
    "SlaProposeInput.commitments": _BOTH_SIDES,
    "SlaSupersedeInput.commitments": _BOTH_SIDES,
}
EXAMPLES: Mapping[str, Any] = {
    "Boolean": True,
    "CountryCode": "IE",
    "Currency": "EUR",
    "Date": "2026-05-01",
    "DateTime": "2026-03-10T12:00:00Z",
    "Decimal": "1",
    "Duration": "PT1H",
    "Int": 1,
    "TimeZone": "UTC",
    "URL": "https://acme.example/",
}
