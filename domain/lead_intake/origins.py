"""Which campaign a lead came from, when somebody says its origin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from domain.campaigns import campaign_code, campaigns_by_code
from domain.lead_details import UNSAID, LeadDetails
from domain.leads import Lead
from domain.ports import Question, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstCampaigns(Question[Mapping[UUID, UUID]]):
    """The campaign of each lead's first human touch that has one."""

    lead_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """The campaigns that a request names, by code, and those that leads were touched by first."""

    campaigns: Mapping[str, UUID]
    first_touched: Mapping[UUID, UUID]

    def belonging(self, lead: Lead, details: LeadDetails) -> Lead:
        """Return a lead in the campaign that its origin names, else in that of its first touch."""
        if details.origin_campaign is UNSAID:
            return lead
        code = campaign_code(details.origin_campaign or "")
        campaign_id = self.campaigns.get(code, self.first_touched.get(lead.id))
        return replace(lead, campaign_id=campaign_id)


async def read_origins(work: Work, rows: Sequence[LeadDetails], known: Iterable[UUID]) -> Origins:
    """Read what tells the campaigns of a request's leads: at most two statements."""
    said = [row.origin_campaign for row in rows if row.origin_campaign is not UNSAID]
    if not said:
        return Origins(campaigns={}, first_touched={})
    campaigns = await campaigns_by_code(work, [text for text in said if isinstance(text, str)])
    lead_ids = tuple(sorted(known))
    strange = any(campaign_code(text or "") not in campaigns for text in said)
    touched: Mapping[UUID, UUID] = {}
    if strange and lead_ids:
        touched = await work.ask(FirstCampaigns(lead_ids=lead_ids))
    return Origins(campaigns=campaigns, first_touched=touched)
