"""What a request of touches names: leads, visitors, campaigns, assets, and touches there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from domain.campaigns import Campaign, campaign_code, campaigns_by_code
from domain.consent import Consent, ConsentPurpose, may_track
from domain.content import ContentAsset
from domain.errors import DomainError, NotFound
from domain.leads import ExternalId, LeadAlias, LeadExternalId, LeadKey
from domain.locking import find_and_lock
from domain.ports import Question, Work
from domain.touch_intake.details import TouchDetails
from domain.touches import Touch, Visitor

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchesNamed(Question[Sequence[Touch]]):
    """The touches that other systems call by some names.

    Asked name by name, and not by all sources and all values, which an index answers many times
    slower.
    """

    names: tuple[ExternalId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadsAtAddresses(Question[Mapping[str, UUID]]):
    """Which leads have some e-mail addresses, by address.

    A question, as the next one is, because of a lead nothing else is needed.
    """

    emails: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedLeads(Question[Mapping[UUID, str | None]]):
    """The e-mail addresses of leads, by id, which nobody else changes until the end.

    Or until locks are given back.  They are locked in the order of their ids.
    """

    ids: tuple[UUID, ...]


class TrackingWithdrawn(DomainError):
    """The person does not wish that what he or she does is kept."""

    code = "TRACKING_WITHDRAWN"

    def __init__(self) -> None:
        super().__init__("This person does not wish to be tracked.", path=("lead",))


@dataclass(slots=True, kw_only=True)
class Known:
    """What there is of all that a request names, so that a later row sees what an earlier did."""

    leads: frozenset[UUID]
    untracked: frozenset[UUID]
    """Leads who do not wish that what they do is kept as theirs."""
    emails: dict[str, UUID]
    names: dict[ExternalId, UUID]
    visitors: dict[str, Visitor]
    campaigns: dict[UUID | str, UUID]
    assets: dict[UUID | str, UUID]
    touches: dict[ExternalId, Touch]
    merged: dict[UUID, UUID]
    """By the ids of leads that were merged the leads they are part of."""

    def lead(self, key: LeadKey | None) -> UUID | None:
        """Return the lead that a key tells; None if nothing does.

        Raises:
            NotFound: if there is none.
        """
        if key is None:
            return None
        found: UUID | None = None
        match key:
            case UUID():
                found = self.merged.get(key, key)
            case ExternalId():
                found = self.names.get(kept_name(key))
            case str():
                found = self.emails.get(kept_email(key))
        if found not in self.leads:
            raise NotFound("lead", path=("lead",))
        return found

    def check_may_be_tracked(self, lead_id: UUID | None) -> None:
        """Refuse to keep what somebody did who does not wish it.

        Raises:
            TrackingWithdrawn: if the lead has said so.
        """
        if lead_id in self.untracked:
            raise TrackingWithdrawn

    def campaign(self, details: TouchDetails) -> UUID | None:
        """Return the campaign a touch names, or else the one whose code its link carries.

        Raises:
            NotFound: if it names one that there is not; a link may carry any code.
        """
        if details.campaign is None:
            return self.campaigns.get(campaign_code(details.utm.campaign or ""))
        named = details.campaign
        found = self.campaigns.get(campaign_code(named) if isinstance(named, str) else named)
        if found is None:
            raise NotFound("campaign", path=("campaign",))
        return found

    def asset(self, details: TouchDetails) -> UUID | None:
        """Return the content asset a touch names, or else the one at its address.

        Raises:
            NotFound: if it names one that there is not; most pages are none.
        """
        if details.asset is None:
            return self.assets.get(details.url or "")
        if details.asset not in self.assets:
            raise NotFound("content asset", path=("asset",))
        return self.assets[details.asset]


async def read_known(
    work: Work, rows: Sequence[TouchDetails], *, visitors: Iterable[str] = ()
) -> Known:
    """Read what some rows name, in a fixed number of statements; leads and visitors are locked.

    `visitors` are tokens of more of them.

    The leads are locked first, those whose visitors are seen too, each in the order of their ids,
    so that two who do this never deadlock.  With a visitor locked nobody says in the same instant
    whose it is: a touch that came while that was said is the person's too.

    Raises:
        StaleWrite: if what was found became another's again and again before it could be locked.
    """
    tokens = sorted(_said(row.visitor for row in rows) | set(visitors))
    held = await _held(work, rows, tokens)
    return Known(
        leads=frozenset(held.leads),
        untracked=await untracked(work, sorted(held.leads)),
        emails=held.emails,
        merged=held.merged,
        names=held.names,
        visitors={visitor.token: visitor for visitor in held.visitors},
        campaigns=await _campaigns(work, rows),
        assets=await _assets(work, rows),
        touches=await _touches(work, _said(row.external for row in rows)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """Leads and visitors that are locked, and what names them."""

    leads: Mapping[UUID, str | None]
    names: dict[ExternalId, UUID]
    emails: dict[str, UUID]
    merged: dict[UUID, UUID]
    visitors: Sequence[Visitor]
    missed: bool
    """Whether something was found, and had become another's when it was locked."""


async def _held(work: Work, rows: Sequence[TouchDetails], tokens: Sequence[str]) -> _Held:
    """Lock what some rows name.

    A visitor may become another lead's, and a lead part of another, between being found and being
    locked.
    """

    async def attempt(work: Work) -> _Held | None:
        held = await _found_and_locked(work, rows, tokens)
        return None if held.missed else held

    return await find_and_lock(work, attempt, kind="visitor")


async def _found_and_locked(
    work: Work, rows: Sequence[TouchDetails], tokens: Sequence[str]
) -> _Held:
    names = await _names(work, {kept_name(key) for key in _keys(rows, ExternalId)})
    emails = tuple(sorted({kept_email(key) for key in _keys(rows, str)}))
    by_email = await work.ask(LeadsAtAddresses(emails=emails)) if emails else {}
    seen = await _visitors(work, tokens)
    ids_named = _keys(rows, UUID)
    gone = await _merged(work, set(emails) - by_email.keys(), ids_named)
    found = {
        *by_email.values(),
        *names.values(),
        *(alias.lead_id for alias in gone),
        *_owners(seen),
    }
    wanted = tuple(sorted(found.union(ids_named)))
    leads = await work.ask(LockedLeads(ids=wanted)) if wanted else {}
    ids = sorted(visitor.id for visitor in seen)
    locked = await work.find(Visitor, id=ids, lock=True) if ids else ()
    return _Held(
        leads=leads,
        names=names,
        emails={
            **{alias.email: alias.lead_id for alias in gone if alias.email is not None},
            **{email: lead_id for lead_id, email in leads.items() if email is not None},
        },
        merged={alias.id: alias.lead_id for alias in gone},
        visitors=locked,
        missed=not (found | _owners(locked)) <= leads.keys(),
    )


def _owners(visitors: Iterable[Visitor]) -> set[UUID]:
    return {visitor.lead_id for visitor in visitors if visitor.lead_id is not None}


async def _merged(work: Work, emails: set[str], ids: Sequence[UUID]) -> list[LeadAlias]:
    """Return the leads of some addresses and ids that were merged into others."""
    by_email = await work.find(LeadAlias, email=sorted(emails)) if emails else ()
    by_id = await work.find(LeadAlias, id=sorted(set(ids))) if ids else ()
    return [*by_email, *by_id]


async def untracked(work: Work, lead_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Return which of some leads do not wish that what they do is kept as theirs."""
    if not lead_ids:
        return frozenset()
    said: dict[UUID, list[Consent]] = {}
    for consent in await work.find(
        Consent, lead_id=sorted(lead_ids), purpose=ConsentPurpose.TRACKING
    ):
        said.setdefault(consent.lead_id, []).append(consent)
    return frozenset(lead_id for lead_id, all_of in said.items() if not may_track(all_of))


def kept_email(key: str) -> str:
    """Return an e-mail address as leads have it."""
    return key.strip().lower()


def kept_name(key: ExternalId) -> ExternalId:
    """Return an external id as leads have it."""
    return ExternalId(key.source.strip().lower(), key.value.strip())


def _keys(rows: Sequence[TouchDetails], kind: type[T]) -> list[T]:
    return [row.lead for row in rows if isinstance(row.lead, kind)]


def _said(values: Iterable[T | None]) -> set[T]:
    return {value for value in values if value is not None}


async def _names(work: Work, wanted: set[ExternalId]) -> dict[ExternalId, UUID]:
    if not wanted:
        return {}
    found = await work.find(
        LeadExternalId,
        source=sorted({name.source for name in wanted}),
        value=sorted({name.value for name in wanted}),
    )
    named = {ExternalId(name.source, name.value): name.lead_id for name in found}
    return {name: lead_id for name, lead_id in named.items() if name in wanted}


async def _visitors(work: Work, tokens: Sequence[str]) -> Sequence[Visitor]:
    return await work.find(Visitor, token=tokens) if tokens else ()


async def _campaigns(work: Work, rows: Sequence[TouchDetails]) -> dict[UUID | str, UUID]:
    texts = {row.campaign for row in rows if isinstance(row.campaign, str)}
    texts |= _said(row.utm.campaign for row in rows)
    ids = {row.campaign for row in rows if isinstance(row.campaign, UUID)}
    by_id = await work.find(Campaign, id=sorted(ids)) if ids else ()
    found: dict[UUID | str, UUID] = {campaign.id: campaign.id for campaign in by_id}
    found.update((await campaigns_by_code(work, texts)).items())
    return found


async def _assets(work: Work, rows: Sequence[TouchDetails]) -> dict[UUID | str, UUID]:
    urls = {row.asset for row in rows if isinstance(row.asset, str)}
    urls |= _said(row.url for row in rows)
    ids = {row.asset for row in rows if isinstance(row.asset, UUID)}
    by_url = await work.find(ContentAsset, url=sorted(urls)) if urls else ()
    by_id = await work.find(ContentAsset, id=sorted(ids)) if ids else ()
    found: dict[UUID | str, UUID] = {asset.url: asset.id for asset in by_url if asset.url}
    return found | {asset.id: asset.id for asset in by_id}


async def _touches(work: Work, wanted: set[ExternalId]) -> dict[ExternalId, Touch]:
    if not wanted:
        return {}
    found = await work.ask(TouchesNamed(names=tuple(sorted(wanted, key=_both))))
    return {
        ExternalId(touch.external_source, touch.external_value): touch
        for touch in found
        if touch.external_source is not None and touch.external_value is not None
    }


def _both(name: ExternalId) -> tuple[str, str]:
    return name.source, name.value
