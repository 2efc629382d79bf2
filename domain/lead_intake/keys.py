"""Which lead is meant."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from domain.errors import NotFound
from domain.lead_details import external_id
from domain.leads import ExternalId, Lead, LeadExternalId, LeadKey
from domain.ports import Work, first
from domain.values import limited_text


async def resolve_lead(
    work: Work, key: LeadKey, *, path: Sequence[str | int] = ("lead",), lock: bool = False
) -> Lead:
    """Return the lead that a key tells.

    Raises:
        NotFound: if this tenant has none.
    """
    try:
        match key:
            case UUID():
                return await work.get(Lead, key, lock=lock)
            case ExternalId():
                kept = external_id(key, path=(*path, "externalId"))
                name = await first(work, LeadExternalId, source=kept.source, value=kept.value)
                if name is not None:
                    return await work.get(Lead, name.lead_id, lock=lock)
            case str():
                email = limited_text(key.strip().lower(), name="The address", path=path)
                if (lead := await first(work, Lead, email=email, lock=lock)) is not None:
                    return lead
    except NotFound:
        pass
    raise NotFound("lead", path=path)
