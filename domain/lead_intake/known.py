"""What a request touches: leads, their names, companies and owners."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from domain.company_names import normal_name
from domain.errors import DomainError, Invalid, NotFound, StaleWrite
from domain.handoff import Handoff, HandoffStatus
from domain.identity import Actor, Permission, User
from domain.lead_details import UNSAID, LeadDetails, NamedCompany
from domain.lead_intake.keys import merged_meanwhile
from domain.lead_intake.origins import Origins, read_origins
from domain.leads import (
    Company,
    DuplicateLead,
    ExternalId,
    Lead,
    LeadAlias,
    LeadExternalId,
)
from domain.ports import Work, by_id
from domain.provenance import LeadProvenance


class HandedOff(DomainError):
    """The lead waits for sales' answer, so its owner changes by reassigning it."""

    code = "HANDED_OFF"


@dataclass(slots=True)
class Known:
    """What a request touches, so that a later row sees what an earlier one did."""

    leads: dict[UUID, Lead]
    emails: dict[str, UUID]
    names: dict[ExternalId, UUID]
    companies: dict[NamedCompany, UUID]
    users: dict[UUID, User]
    handed_off: frozenset[UUID]
    provenance: dict[UUID, LeadProvenance]
    origins: Origins
    released: set[str] = field(default_factory=set)
    """Addresses that leads of this request gave up, which is not written yet."""
    aliases: frozenset[str] = frozenset()
    """Addresses of leads that were merged into those here."""

    def match(self, details: LeadDetails) -> Lead | None:
        """Return the lead that details tell: by the first external id known, else by e-mail."""
        told = [self.names[name] for name in details.external_ids if name in self.names]
        if not told and isinstance(details.email, str) and details.email in self.emails:
            told = [self.emails[details.email]]
        return self.leads[told[0]] if told else None

    def settled(self, details: LeadDetails, *, of: Lead | None) -> LeadDetails:
        """Return what is to be written of a lead that details tell.

        An address of a lead that was merged into it tells it, and is not made its own by that.
        """
        if of is None or details.email not in self.aliases:
            return details
        return replace(details, email=UNSAID)

    def refuse_taken(self, details: LeadDetails, *, by: Lead | None) -> None:
        """Refuse what belongs to another lead."""
        own = None if by is None else by.id
        email = details.email
        if isinstance(email, str) and self.emails.get(email, own) != own:
            existing = self.leads[self.emails[email]]
            raise DuplicateLead(existing, by="e-mail address", path=("email",))
        for name in details.external_ids:
            if self.names.get(name, own) != own:
                existing = self.leads[self.names[name]]
                raise DuplicateLead(existing, by="external id", path=("externalIds",))

    def refuse_owner(self, actor: Actor, details: LeadDetails, *, of: Lead | None) -> None:
        """Refuse an owner nobody knows, and one who takes the place of another without leave."""
        owner, current = details.owner_id, None if of is None else of.owner_id
        if owner is UNSAID or owner == current:
            return
        if isinstance(owner, UUID) and owner not in self.users:
            raise NotFound("user", path=("owner",))
        if isinstance(owner, UUID) and not self.users[owner].active:
            raise Invalid("This user is no longer active.", path=("owner",))
        if of is not None and of.id in self.handed_off:
            raise HandedOff(
                "Sales has yet to answer for this lead: reassign it instead.", path=("owner",)
            )
        if current is not None:
            actor.require(Permission.REASSIGN_LEADS)

    def keep(self, lead: Lead, names: Iterable[ExternalId] = ()) -> None:
        old = self.leads.get(lead.id)
        if old is not None and old.email is not None and old.email != lead.email:
            del self.emails[old.email]
            self.released.add(old.email)
        self.leads[lead.id] = lead
        if lead.email is not None:
            self.emails[lead.email] = lead.id
        self.names.update(dict.fromkeys(names, lead.id))


def company_key(named: NamedCompany) -> NamedCompany:
    """Return what tells a company: its domain alone, or its normal name alone."""
    if named.domain:
        return NamedCompany(domain=named.domain)
    return NamedCompany(name=normal_name(named.name or ""))


async def name_owners(
    work: Work, rows: Sequence[LeadDetails | DomainError]
) -> list[LeadDetails | DomainError]:
    """Return rows with the ids of owners told by e-mail address, refusals for unknown ones."""
    said = {row.owner_email for row in rows if isinstance(row, LeadDetails)}
    emails = sorted(email for email in said if email)
    found = await work.find(User, email=emails) if emails else ()
    owners = {user.email: user.id for user in found}
    return [_with_owner(row, owners) for row in rows]


def _with_owner(
    row: LeadDetails | DomainError, owners: Mapping[str, UUID]
) -> LeadDetails | DomainError:
    if isinstance(row, DomainError) or row.owner_email is None:
        return row
    if row.owner_email not in owners:
        return NotFound("user", path=("owner",))
    return replace(row, owner_id=owners[row.owner_email])


async def read_known(
    work: Work,
    rows: Sequence[LeadDetails],
    *,
    also: Lead | None = None,
    lock: bool = False,
    again: bool = False,
) -> Known:
    """Read what some rows name; with `lock`, nobody else changes the leads among it.

    They are locked in the order of their ids, so that two who do this never deadlock.  Those that
    were merged while we waited for them are looked for once more.

    Raises:
        StaleWrite: if they were merged once more meanwhile, or the work remembers what it read.
    """
    names = await _names(work, {name for row in rows for name in row.external_ids})
    emails = {row.email for row in rows if isinstance(row.email, str)}
    by_email = await work.find(Lead, email=sorted(emails)) if emails else ()
    merged = await _merged(work, emails - {lead.email for lead in by_email})
    wanted = {lead.id for lead in by_email} | set(names.values()) | set(merged.values())
    if also is not None:
        wanted.discard(also.id)
    leads = await work.find(Lead, id=sorted(wanted), lock=lock) if wanted else ()
    if await merged_meanwhile(work, wanted - {lead.id for lead in leads}):
        if again:
            raise StaleWrite("lead")
        return await read_known(work, rows, also=also, lock=lock, again=True)
    known = {lead.id: lead for lead in (*leads, *((also,) if also else ()))}
    return Known(
        leads=known,
        emails={
            **{email: lead_id for email, lead_id in merged.items() if lead_id in known},
            **{lead.email: lead.id for lead in known.values() if lead.email is not None},
        },
        aliases=frozenset(merged),
        names=names,
        companies=await _companies(work, rows),
        users=await _owners(work, rows),
        origins=await read_origins(work, rows, known),
        handed_off=await _handed_off(work, rows, known),
        provenance=await _provenance(work, known),
    )


async def _merged(work: Work, emails: set[str]) -> dict[str, UUID]:
    """Return which leads those were merged into that had some addresses."""
    found = await work.find(LeadAlias, email=sorted(emails)) if emails else ()
    return {alias.email: alias.lead_id for alias in found if alias.email is not None}


async def _names(work: Work, wanted: set[ExternalId]) -> dict[ExternalId, UUID]:
    if not wanted:
        return {}
    sources, values = {name.source for name in wanted}, {name.value for name in wanted}
    found = await work.find(LeadExternalId, source=sorted(sources), value=sorted(values))
    named = {ExternalId(name.source, name.value): name.lead_id for name in found}
    return {name: lead_id for name, lead_id in named.items() if name in wanted}


async def _companies(work: Work, rows: Sequence[LeadDetails]) -> dict[NamedCompany, UUID]:
    """Return companies by what tells them; see `company_key`.

    Of several of a name the one without a domain, and else the oldest.
    """
    keys = {company_key(row.company) for row in rows if isinstance(row.company, NamedCompany)}
    employers = {row.employer for row in rows if row.employer}
    domains = sorted({key.domain for key in keys if key.domain} | employers)
    names = sorted({key.name for key in keys if key.name})
    found = list(await work.find(Company, domain=domains)) if domains else []
    kept = {NamedCompany(domain=company.domain): company.id for company in found}
    named = await work.find(Company, normal_name=names) if names else ()
    for company in sorted(named, key=lambda company: company.domain is not None):
        kept.setdefault(NamedCompany(name=company.normal_name), company.id)
    return kept


async def _provenance(work: Work, known: dict[UUID, Lead]) -> dict[UUID, LeadProvenance]:
    return by_id(await work.find(LeadProvenance, id=sorted(known))) if known else {}


async def _owners(work: Work, rows: Sequence[LeadDetails]) -> dict[UUID, User]:
    wanted = {row.owner_id for row in rows if isinstance(row.owner_id, UUID)}
    found = await work.find(User, id=sorted(wanted)) if wanted else ()
    return {user.id: user for user in found}


async def _handed_off(
    work: Work, rows: Sequence[LeadDetails], known: dict[UUID, Lead]
) -> frozenset[UUID]:
    if not known or all(row.owner_id is UNSAID for row in rows):
        return frozenset()
    waiting = await work.find(Handoff, lead_id=sorted(known), status=HandoffStatus.OPEN)
    return frozenset(handoff.lead_id for handoff in waiting)
