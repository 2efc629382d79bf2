"""Tenants: the companies that use the installation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import EllipsisType
from uuid import UUID

from domain.errors import AlreadyExists, Invalid
from domain.events import TenantChanged
from domain.identity.policy import Actor, Permission
from domain.ports import Work
from domain.provenance import (
    DEFAULT_RANKS,
    DEFAULT_STALE_AFTER,
    StaleAfter,
    checked_ranks,
    checked_stale_after,
)
from domain.sla.calendar import is_time_zone
from domain.values import require_text

_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
# Two to forty small letters, digits and single hyphens, with a letter or digit at either end.
_SLUG = re.compile(r"(?=.{2,40}\Z)[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)

# The currencies of ISO 4217 that people are paid in, without its funds, metals and test codes.
CURRENCIES = frozenset(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD
    CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP
    GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD
    KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN
    NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP
    SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES
    VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()  # noqa: SIM905  # a literal of 150 strings would fill the screen
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A company that uses the installation.

    `phone_country` is where telephone numbers without a + are from.  `source_ranks` and
    `stale_after` say whose word about a lead counts, and how long (see `domain.provenance`).
    Touches are kept for so many days, those of visitors nobody knows and those of people; what is
    said where nobody chose is 13 months, and three years (docs/sources.md, "Retention").
    """

    id: UUID
    slug: str
    name: str
    time_zone: str
    currency: str
    created_at: datetime
    placement: str = "default"
    phone_country: str | None = None
    source_ranks: tuple[str, ...] = DEFAULT_RANKS
    stale_after: tuple[StaleAfter, ...] = DEFAULT_STALE_AFTER
    anonymous_touch_days: int = 395
    known_touch_days: int = 1095
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCompany:
    """A tenant to make, with the person who is to own it."""

    slug: str
    name: str
    time_zone: str
    currency: str
    owner_email: str
    owner_name: str
    password: str = field(repr=False)


class SlugTaken(AlreadyExists):
    """Another tenant has this slug."""

    code = "SLUG_TAKEN"

    def __init__(self, slug: str) -> None:
        super().__init__(f"There is already a tenant {slug}.", path=("slug",))


class UnknownTimeZone(Invalid):
    """The IANA database has no such zone."""

    code = "UNKNOWN_TIME_ZONE"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name[:60]!r} is not a time zone of the IANA database.", path=("timeZone",)
        )


class UnknownCurrency(Invalid):
    """ISO 4217 has no such currency."""

    code = "UNKNOWN_CURRENCY"

    def __init__(self, code: str, *, path: Sequence[str | int] = ("currency",)) -> None:
        super().__init__(f"{code[:20]!r} is not a currency of ISO 4217.", path=path)


def check_slug(slug: str) -> str:
    """Return a slug that can stand in addresses and on command lines."""
    if not _SLUG.fullmatch(slug):
        raise Invalid(
            f"{slug[:60]!r} is not a slug: two to forty small letters, digits and single hyphens.",
            path=("slug",),
        )
    return slug


def new_tenant(
    *, id: UUID, slug: str, name: str, time_zone: str, currency: str, at: datetime
) -> Tenant:
    """Return a tenant, or refuse what it cannot be called, live in or count in."""
    return checked(
        Tenant(
            id=id,
            slug=check_slug(slug),
            name=name,
            time_zone=time_zone,
            currency=currency,
            created_at=at,
        )
    )


def checked(tenant: Tenant) -> Tenant:
    """Return the tenant with its name trimmed, or refuse it."""
    if not is_time_zone(tenant.time_zone):
        raise UnknownTimeZone(tenant.time_zone)
    if tenant.currency not in CURRENCIES:
        raise UnknownCurrency(tenant.currency)
    return replace(tenant, name=require_text(tenant.name, name="The name", path=("name",)))


async def update_tenant(
    work: Work,
    actor: Actor,
    *,
    name: str | None = None,
    time_zone: str | None = None,
    currency: str | None = None,
) -> Tenant:
    """Change a tenant's name, zone or currency; None leaves each as it is.

    Days that were counted in the old zone, and amounts in the old currency, stay what they are.
    """
    actor.require(Permission.MANAGE_TENANT)
    tenant = await work.get(Tenant, work.tenant_id, lock=True)
    changed = checked(
        replace(
            tenant,
            name=tenant.name if name is None else name,
            time_zone=time_zone or tenant.time_zone,
            currency=currency or tenant.currency,
        )
    )
    if changed == tenant:
        return tenant
    saved = await work.save(changed)
    work.record(TenantChanged(tenant_id=tenant.id, at=work.now))
    return saved


async def update_lead_settings(
    work: Work,
    actor: Actor,
    *,
    phone_country: str | EllipsisType | None = ...,
    source_ranks: Sequence[str] | None = None,
    stale_after: Sequence[StaleAfter] | None = None,
) -> Tenant:
    """Change how the tenant takes what is said of leads; what is left out stays.

    What was believed so far is not judged anew.
    """
    actor.require(Permission.MANAGE_TENANT)
    tenant = await work.get(Tenant, work.tenant_id, lock=True)
    changed = replace(
        tenant,
        phone_country=tenant.phone_country if phone_country is ... else _country(phone_country),
        source_ranks=tenant.source_ranks if source_ranks is None else checked_ranks(source_ranks),
        stale_after=(
            tenant.stale_after if stale_after is None else checked_stale_after(stale_after)
        ),
    )
    if changed == tenant:
        return tenant
    saved = await work.save(changed)
    work.record(TenantChanged(tenant_id=tenant.id, at=work.now))
    return saved


def _country(code: str | None) -> str | None:
    if code is not None and not _COUNTRY.fullmatch(code):
        raise Invalid(
            "A country is given by the two letters of ISO 3166-1.", path=("phoneCountry",)
        )
    return code
