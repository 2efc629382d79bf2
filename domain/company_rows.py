"""Many companies at once: stored or changed, row by row, in few statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from domain.companies import FreeMailDomain
from domain.company_names import normal_name
from domain.errors import DomainError, Invalid
from domain.events import CompanyChanged
from domain.identity import Actor, Permission
from domain.ids import new_id
from domain.lead_details import LONGEST_ADDRESS
from domain.lead_intake import MOST_ROWS, NoIdentity, TooManyRows, UpsertOutcome
from domain.leads import Company
from domain.normal_forms import DomainForm, DomainsOf
from domain.ports import Work
from domain.values import limited_text


@dataclass(frozen=True, slots=True)
class CompanyRow:
    """A company told by its domain, or by its name where there is none."""

    name: str | None = None
    domain: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsertedCompany:
    """What became of a row, and the company as the request left it."""

    index: int
    outcome: UpsertOutcome
    company: Company | None = None
    refusals: tuple[DomainError, ...] = ()


@dataclass(slots=True)
class _Known:
    """The companies that rows name, so that a later row sees what an earlier one did."""

    by_domain: dict[str, Company]
    by_name: dict[str, Company]
    new: dict[str, Company]
    changed: dict[str, Company]

    def match(self, row: CompanyRow) -> Company | None:
        """Return the company of a row: by its domain, else by its name if it has no other."""
        if row.domain is not None and row.domain in self.by_domain:
            return self.by_domain[row.domain]
        named = self.by_name.get(normal_name(row.name)) if row.name else None
        if named is None or (row.domain is not None and named.domain is not None):
            return None
        return named

    def keep(self, company: Company, *, new: bool) -> None:
        key = company.id.hex
        (self.new if new or key in self.new else self.changed)[key] = company
        if company.domain is not None:
            self.by_domain[company.domain] = company
        known = self.by_name.get(company.normal_name)
        if known is None or known.id == company.id or known.domain is not None:
            self.by_name[company.normal_name] = company


async def upsert_companies(
    work: Work, actor: Actor, rows: Sequence[CompanyRow]
) -> tuple[UpsertedCompany, ...]:
    """Store or change up to 500 companies in their order; a bad row is refused, spoiling no other.

    A company known by its name alone takes the domain that a row gives it.

    Raises:
        TooManyRows: if there are more, and then nothing is done.
    """
    actor.require(Permission.EDIT_LEADS)
    if len(rows) > MOST_ROWS:
        raise TooManyRows(
            f"There are {len(rows)} rows; one request takes at most {MOST_ROWS}.", path=("rows",)
        )
    written = frozenset(row.domain for row in rows if row.domain)
    forms = await work.ask(DomainsOf(written=written)) if written else {}
    ready = [_ready(row, forms) for row in rows]
    known = await _read(work, [row for row in ready if isinstance(row, CompanyRow)])
    results = [_upsert(work, at, row, known) for at, row in enumerate(ready)]
    await work.add_all(_in_order(known.new.values()))
    await work.save_all(_in_order(known.changed.values()))
    for result in results:
        if result.company is not None and result.outcome is not UpsertOutcome.UNCHANGED:
            work.record(CompanyChanged(at=work.now, company_id=result.company.id))
    return tuple(results)


def _in_order(companies: Iterable[Company]) -> list[Company]:
    """Unique values are always written in one order, so that two who do this never deadlock."""
    return sorted(companies, key=lambda each: (each.domain or "", each.normal_name))


def _ready(row: CompanyRow, forms: Mapping[str, DomainForm]) -> CompanyRow | DomainError:
    """Return a row as it is kept, or why it cannot be."""
    name, domain = (row.name or "").strip() or None, row.domain
    try:
        if name is not None:
            limited_text(name, name="The company's name", path=("name",))
        if domain:
            limited_text(domain, name="The domain", path=("domain",), longest=LONGEST_ADDRESS)
            domain = _registered(forms[domain])
    except DomainError as refusal:
        return refusal
    if not name and not domain:
        return NoIdentity("A row needs a name or a domain.", path=("name",))
    return CompanyRow(name, domain or None)


def _registered(form: DomainForm) -> str:
    if form.registrable is None:
        raise Invalid("A domain looks like example.com.", path=("domain",))
    if form.is_free:
        raise FreeMailDomain(
            "Everybody can have an e-mail address there, so it tells no company.", path=("domain",)
        )
    return form.registrable


async def _read(work: Work, rows: Sequence[CompanyRow]) -> _Known:
    """Read and lock the companies that rows name."""
    domains = sorted({row.domain for row in rows if row.domain})
    names = sorted({normal_name(row.name) for row in rows if row.name})
    found = list(await work.find(Company, lock=True, domain=domains)) if domains else []
    named = await work.find(Company, lock=True, normal_name=names) if names else ()
    known = _Known({each.domain: each for each in found if each.domain}, {}, {}, {})
    for company in sorted(named, key=lambda each: each.domain is not None):
        known.by_name.setdefault(company.normal_name, company)
    return known


def _upsert(
    work: Work, index: int, row: CompanyRow | DomainError, known: _Known
) -> UpsertedCompany:
    if isinstance(row, DomainError):
        row.index, row.path = index, ("rows", index, *row.path)
        return UpsertedCompany(index=index, outcome=UpsertOutcome.REFUSED, refusals=(row,))
    company = known.match(row)
    if company is None:
        made = Company(
            id=new_id(), name=row.name or row.domain or "", domain=row.domain, created_at=work.now
        )
        known.keep(made, new=True)
        return UpsertedCompany(index=index, outcome=UpsertOutcome.CREATED, company=made)
    told = replace(company, name=row.name or company.name, domain=row.domain or company.domain)
    if told == company:
        return UpsertedCompany(index=index, outcome=UpsertOutcome.UNCHANGED, company=company)
    known.keep(told, new=False)
    return UpsertedCompany(index=index, outcome=UpsertOutcome.UPDATED, company=told)
