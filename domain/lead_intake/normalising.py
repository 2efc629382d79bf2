"""What is said of leads in the form in which it is kept: telephone numbers and domains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from domain.errors import DomainError, Invalid
from domain.identity import Tenant
from domain.lead_details import UNSAID, LeadDetails, NamedCompany
from domain.lead_intake.known import Known
from domain.leads import Lead
from domain.normal_forms import (
    BadPhone,
    DomainForm,
    DomainsOf,
    PhoneFault,
    PhonesOf,
    WrittenPhone,
)
from domain.ports import Work

Row = LeadDetails | DomainError


async def with_domains(work: Work, rows: Sequence[Row]) -> list[Row]:
    """Return rows with the domains of companies as they were registered, and those of employers."""
    said = [row for row in rows if isinstance(row, LeadDetails)]
    written = frozenset(text for row in said for text in _addresses(row))
    forms = await work.ask(DomainsOf(written=written)) if written else {}
    return [_with_domains(row, forms) if isinstance(row, LeadDetails) else row for row in rows]


async def with_phones(
    work: Work, rows: Sequence[Row], known: Known, *, of: Lead | None = None
) -> list[Row]:
    """Return rows with telephone numbers in the form of E.164, refusals for what are none.

    Without a + a number is one of the lead's country, else of the one the tenant has chosen.  The
    lead is the one that a row tells, unless it is said which it is `of`.
    """
    saying = [row for row in rows if isinstance(row, LeadDetails) and isinstance(row.phone, str)]
    if not saying:
        return list(rows)
    tenant = await work.get(Tenant, work.tenant_id)
    written = {
        id(row): WrittenPhone(
            str(row.phone), _country(row, of or known.match(row)) or tenant.phone_country
        )
        for row in saying
    }
    distinct = tuple(dict.fromkeys(written.values()))
    forms = dict(zip(distinct, await work.ask(PhonesOf(written=distinct)), strict=True))
    return [
        _with_phone(row, forms[written[id(row)]])
        if isinstance(row, LeadDetails) and id(row) in written
        else row
        for row in rows
    ]


def _addresses(row: LeadDetails) -> list[str]:
    if isinstance(row.company, NamedCompany):
        return [row.company.domain] if row.company.domain else []
    return [row.email] if row.company is UNSAID and isinstance(row.email, str) else []


def _with_domains(row: LeadDetails, forms: Mapping[str, DomainForm]) -> Row:
    if not isinstance(row.company, NamedCompany):
        form = forms.get(str(row.email)) if row.company is UNSAID else None
        # Most rows tell no employer, and a copy of each would cost more than everything here.
        return replace(row, employer=form.employer) if form and form.employer else row
    if not row.company.domain:
        return row
    form = forms[row.company.domain]
    if form.registrable is None:
        return Invalid("A domain looks like example.com.", path=("company", "domain"))
    # Everybody can have an address there, so it tells no company; a name still does.
    named = replace(row.company, domain=None if form.is_free else form.registrable)
    return replace(row, company=named if named.name or named.domain else UNSAID)


def _country(row: LeadDetails, lead: Lead | None) -> str | None:
    if isinstance(row.country, str):
        return row.country
    return None if lead is None or row.country is None else lead.country


def _with_phone(row: LeadDetails, form: str | PhoneFault) -> Row:
    return BadPhone(form) if isinstance(form, PhoneFault) else replace(row, phone=form)
