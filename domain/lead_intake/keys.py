"""Which lead is meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from domain.errors import NotFound, StaleWrite
from domain.identity import kept_address
from domain.lead_details import external_id
from domain.leads import ExternalId, Lead, LeadAlias, LeadExternalId, LeadKey
from domain.ports import Work, by_id, first


def kept_key(key: LeadKey, *, path: Sequence[str | int]) -> LeadKey:
    """Return what tells a lead as leads have it: small addresses, names without blanks around them.

    Raises:
        Invalid: if no lead can be called so.
    """
    match key:
        case ExternalId():
            return external_id(key, path=(*path, "externalId"))
        case str():
            return kept_address(key, path=(*path, "email"))
        case _:
            return key


async def resolve_lead(
    work: Work, key: LeadKey, *, path: Sequence[str | int] = ("lead",), lock: bool = False
) -> Lead:
    """Return the lead that a key tells, or the one that it was merged into.

    Raises:
        Invalid: if no lead can be called so.
        NotFound: if this tenant has none.
    """
    key = kept_key(key, path=path)
    try:
        match key:
            case UUID():
                return await _current(work, key, lock=lock)
            case ExternalId(source, value):
                name = await first(work, LeadExternalId, source=source, value=value)
                if name is not None:
                    return await _current(work, name.lead_id, lock=lock)
            case str():
                if (lead := await first(work, Lead, email=key, lock=lock)) is not None:
                    return lead
                if (alias := await first(work, LeadAlias, email=key)) is not None:
                    return await _current(work, alias.lead_id, lock=lock)
    except NotFound:
        pass
    raise NotFound("lead", path=path)


async def leads_told(work: Work, keys: Iterable[LeadKey]) -> dict[LeadKey, UUID]:
    """Return the leads that keys tell, or that those were merged into; strangers are left out.

    Keys are as they are kept: small addresses, names without blanks around them.
    """
    told = list(keys)
    ids = {key for key in told if isinstance(key, UUID)}
    names = {key for key in told if isinstance(key, ExternalId)}
    emails = {key for key in told if isinstance(key, str)}
    found: dict[LeadKey, UUID] = {}
    if names:
        sources, values = {name.source for name in names}, {name.value for name in names}
        kept = await work.find(LeadExternalId, source=sorted(sources), value=sorted(values))
        named = {ExternalId(name.source, name.value): name.lead_id for name in kept}
        found |= {name: lead_id for name, lead_id in named.items() if name in names}
    if ids:
        found |= {lead.id: lead.id for lead in await work.find(Lead, id=sorted(ids))}
        if gone := ids - found.keys():
            aliases = await work.find(LeadAlias, id=sorted(gone))
            found |= {alias.id: alias.lead_id for alias in aliases}
    if emails:
        leads = await work.find(Lead, email=sorted(emails))
        found |= {lead.email: lead.id for lead in leads if lead.email is not None}
        if strange := emails - found.keys():
            aliases = await work.find(LeadAlias, email=sorted(strange))
            found |= {alias.email: alias.lead_id for alias in aliases if alias.email is not None}
    return found


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
        into = await current_lead_id(work, lead_id)
        if into == lead_id:
            raise
        return await _current(work, into, lock=lock)


async def check_not_merged(work: Work, lead_ids: Iterable[UUID]) -> None:
    """Refuse where leads that were there a moment ago were merged while we waited for them.

    Raises:
        StaleWrite: so that whoever asked looks again.
    """
    if await merged_meanwhile(work, lead_ids):
        raise StaleWrite("lead")


async def merged_meanwhile(work: Work, lead_ids: Iterable[UUID]) -> bool:
    """Say whether some leads that were there a moment ago were merged while we waited for them."""
    gone = sorted(lead_ids)
    return bool(gone and await work.find(LeadAlias, id=gone))
