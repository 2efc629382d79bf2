"""The companies that leads work for, listed, stored and changed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from api.context import Info
from api.errors import mutation, query
from api.filtering import collection, filter_input, order_input
from api.leads import CompanyView
from api.leads.inputs import or_none
from api.views import shown
from api.writing import written
from domain import companies, ids
from domain.companies import COMPANY_FIELDS, CompanyByDomain, resolve_company
from domain.identity import Permission
from domain.lead_details import UNSAID
from domain.leads import Company
from domain.paging import Order
from domain.ports import Work

CompanyFilter = filter_input(COMPANY_FIELDS)
CompanyOrder = order_input(
    "Company", {"NAME": "name", "CREATED_AT": "created_at"}, "How companies are ordered"
)


@strawberry.input(
    one_of=True, description="Which company is meant: exactly one of its id and its domain."
)
class CompanyRef:
    id: strawberry.Maybe[strawberry.ID] = shown("Its id.", default=None)
    domain: strawberry.Maybe[str] = shown(
        "Its domain, or a URL or e-mail address there.", default=None
    )

    def key(self) -> UUID | CompanyByDomain:
        """Return what tells the company to the domain."""
        if self.id is not None:
            return ids.expect("Company", self.id.value, path=("company", "id"))
        return CompanyByDomain("" if self.domain is None else self.domain.value)


async def company_id_of(work: Work, ref: CompanyRef) -> UUID:
    """Return the id of the company that a reference means.

    Whether there is one of an id is for the reader to find out.
    """
    key = ref.key()
    return key if isinstance(key, UUID) else (await resolve_company(work, key)).id


@strawberry.input(description="A new company.")
class CompanyCreateInput:
    name: str = shown("Its name.")
    domain: str | None = shown(
        "Its domain on the internet, or a URL or e-mail address there; what was registered of it is"
        " kept.",
        default=UNSET,
    )


@strawberry.input(description="What changes about a company.  What is left out stays.")
class CompanyUpdateInput:
    company: CompanyRef = shown("The company.")
    name: strawberry.Maybe[str] = shown("Its name.", default=None)
    domain: strawberry.Maybe[str | None] = shown(
        "Its domain on the internet, or a URL or e-mail address there; null takes it away.",
        default=None,
    )
    version: int | None = shown(
        "The version you have seen; if it has changed since, you are told so.", default=UNSET
    )


@strawberry.type
class Queries:
    companies = collection(
        CompanyView,
        Company,
        description="Companies that leads work for, by name.",
        default=(Order("name"),),
        fields=COMPANY_FIELDS,
        filter=CompanyFilter,
        order=CompanyOrder,
    )("companies")

    @query("One company, or null if there is none of that id.", shows=CompanyView | None)
    async def company(self, info: Info, id: strawberry.ID) -> Any:
        return await info.context.load(Company, ids.expect("Company", id, path=("id",)))


@strawberry.type
class Mutations:
    @mutation(CompanyView, "Store a company that is not there yet.", needs=Permission.EDIT_LEADS)
    async def company_create(self, info: Info, input: CompanyCreateInput) -> Company:
        return await written(
            info,
            lambda work: companies.create_company(
                work, info.context.actor, name=input.name, domain=or_none(input.domain)
            ),
        )

    @mutation(CompanyView, "Change a company's name or domain.", needs=Permission.EDIT_LEADS)
    async def company_update(self, info: Info, input: CompanyUpdateInput) -> Company:
        key = input.company.key()
        return await written(
            info,
            lambda work: companies.update_company(
                work,
                info.context.actor,
                key,
                name=None if input.name is None else input.name.value,
                domain=UNSAID if input.domain is None else input.domain.value,
                version=or_none(input.version),
            ),
        )
