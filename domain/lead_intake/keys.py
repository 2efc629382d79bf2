"""Which lead is meant."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from domain.errors import NotFound
from domain.lead_details import external_id
from domain.leads import ExternalId, Lead, LeadAlias, LeadExternalId, LeadKey
from domain.ports import Work, by_id, first
from domain.values import limited_text


async def resolve_lead(
    work: Work, key: LeadKey, *, path: Sequence[str | int] = ("lead",), lock: bool = False
) -> Lead:
    """Return the lead that a key tells, or the one that it was merged into.

    Raises:
        NotFound: if this tenant has none.
    """
    try:
        match key:
            case UUID():
                return await _current(work, key, lock=lock)
            case ExternalId():
                kept = external_id(key, path=(*path, "externalId"))
                name = await first(work, LeadExternalId, source=kept.source, value=kept.value)
                if name is not None:
                    return await work.get(Lead, name.lead_id, lock=lock)
            case str():
                email = limited_text(key.strip().lower(), name="The address", path=path)
                if (lead := await first(work, Lead, email=email, lock=lock)) is not None:
                    return lead
                if (alias := await first(work, LeadAlias, email=email)) is not None:
                    return await work.get(Lead, alias.lead_id, lock=lock)
    except NotFound:
        pass
    raise NotFound("lead", path=path)


async def current_leads(work: Work, lead_ids: Sequence[UUID]) -> list[Lead | None]:
    """Return for each id the lead, or the one that it was merged into, or nothing."""
    found = by_id(await work.find(Lead, id=tuple(set(lead_ids))))
    gone = set(lead_ids) - found.keys()
    if gone:
        into = {each.id: each.lead_id for each in await work.find(LeadAlias, id=tuple(gone))}
        others = by_id(await work.find(Lead, id=tuple(set(into.values())))) if into else {}
        found |= {id: others[lead_id] for id, lead_id in into.items() if lead_id in others}
    return [found.get(lead_id) for lead_id in lead_ids]


async def current_lead_id(work: Work, lead_id: UUID) -> UUID:
    """Return the id of the lead that one was merged into; its own, where it was not."""
    alias = await first(work, LeadAlias, id=lead_id)
    return lead_id if alias is None else alias.lead_id


async def _current(work: Work, lead_id: UUID, *, lock: bool) -> Lead:
    try:
        return await work.get(Lead, lead_id, lock=lock)
    except NotFound:
        # Perhaps it was merged, just now even: we may have waited for that.
        return await work.get(Lead, await current_lead_id(work, lead_id), lock=lock)
