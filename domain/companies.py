"""The companies that leads work for: named, told apart by their domains, and changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from domain.errors import DomainError, Invalid, NotFound, StaleWrite
from domain.events import CompanyChanged
from domain.filters import FieldType, FilterField, FilterFields
from domain.identity import Actor, Permission
from domain.ids import new_id
from domain.lead_details import LONGEST_ADDRESS, UNSAID, Said
from domain.leads import Company
from domain.normal_forms import DomainForm, DomainsOf
from domain.ports import Work, first
from domain.values import limited_text, require_text

COMPANY_FIELDS: Final = FilterFields(
    "company",
    (
        FilterField(
            name="name", attribute="name", type=FieldType.TEXT, description="Its name, as written."
        ),
        FilterField(
            name="normalName",
            attribute="normal_name",
            type=FieldType.TEXT,
            description="Its name in small letters, without accents, marks and legal form.",
        ),
        FilterField(
            name="domain",
            attribute="domain",
            type=FieldType.TEXT,
            description="The domain it registered: example.com.",
        ),
        FilterField(
            name="createdAt",
            attribute="created_at",
            type=FieldType.INSTANT,
            description="When it was first seen.",
            label="time it was first seen",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class CompanyByDomain:
    """A company told by its domain, however that is written."""

    domain: str


class FreeMailDomain(Invalid):
    """A domain where everybody can have an address, so that it tells no company."""

    code = "FREE_MAIL_DOMAIN"


class DuplicateCompany(DomainError):
    """There is already a company with this domain, or of this name without one."""

    code = "DUPLICATE_COMPANY"

    def __init__(self, existing: Company, *, by: str) -> None:
        super().__init__(f"There is already a company with this {by}.", path=(by,))
        self.existing = existing


async def resolve_company(
    work: Work, key: UUID | CompanyByDomain, *, lock: bool = False
) -> Company:
    """Return the company that is meant.

    Raises:
        NotFound: if this tenant has none.
    """
    try:
        if isinstance(key, UUID):
            return await work.get(Company, key, lock=lock)
        form = await _form(work, key.domain)
        found = await first(work, Company, lock=lock, domain=form.registrable)
        if form.registrable is not None and found is not None:
            return found
    except NotFound:
        pass
    raise NotFound("company", path=("company",))


async def create_company(
    work: Work, actor: Actor, *, name: str, domain: str | None = None
) -> Company:
    """Store a company that is not there yet."""
    actor.require(Permission.EDIT_LEADS)
    company = Company(
        id=new_id(),
        name=require_text(name, name="The company's name", path=("name",)),
        domain=await _registered(work, domain),
        created_at=work.now,
    )
    await _check_is_new(work, company)
    company = await work.add(company)
    work.record(CompanyChanged(at=work.now, company_id=company.id))
    return company


async def update_company(
    work: Work,
    actor: Actor,
    key: UUID | CompanyByDomain,
    *,
    name: str | None = None,
    domain: Said[str] = UNSAID,
    version: int | None = None,
) -> Company:
    """Change a company's name or domain; what is not said stays."""
    actor.require(Permission.EDIT_LEADS)
    company = await resolve_company(work, key, lock=True)
    if version is not None and version != company.version:
        raise StaleWrite("company")
    changed = company
    if name is not None:
        name = require_text(name, name="The company's name", path=("name",))
        changed = replace(changed, name=name)
    if domain is not UNSAID:
        changed = replace(changed, domain=await _registered(work, domain))
    if changed == company:
        return company
    await _check_is_new(work, changed)
    saved = await work.save(changed)
    work.record(CompanyChanged(at=work.now, company_id=saved.id))
    return saved


async def _check_is_new(work: Work, company: Company) -> None:
    """Refuse a second company of one domain, or of one normal name where neither has a domain."""
    if company.domain is not None:
        by, found = "domain", await work.find(Company, domain=company.domain)
    else:
        by = "name"
        found = await work.find(Company, normal_name=company.normal_name, domain=None)
    others = [other for other in found if other.id != company.id]
    if others:
        raise DuplicateCompany(others[0], by=by)


async def _registered(work: Work, domain: str | None) -> str | None:
    """Return the registered domain of what was written, or refuse it."""
    if domain is None or not domain.strip():
        return None
    written = limited_text(
        domain.strip(), name="The domain", path=("domain",), longest=LONGEST_ADDRESS
    )
    form = await _form(work, written)
    if form.registrable is None:
        raise Invalid("A domain looks like example.com.", path=("domain",))
    if form.is_free:
        raise FreeMailDomain(
            "Everybody can have an e-mail address there, so it tells no company.", path=("domain",)
        )
    return form.registrable


async def _form(work: Work, written: str) -> DomainForm:
    return (await work.ask(DomainsOf(written=frozenset({written}))))[written]
