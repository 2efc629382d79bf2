"""Writing touches, and saying whose a visitor is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from domain.attribution import reattribute
from domain.errors import DomainError, Refusals
from domain.events import LeadTouched, VisitorIdentified
from domain.identity import Tenant
from domain.ids import new_id
from domain.ports import Question, Work
from domain.scoring import rescore_soon
from domain.touch_intake.details import Pages, TouchDetails, checked
from domain.touch_intake.known import Known, read_known
from domain.touch_retention import SHORTEST, check_not_too_old
from domain.touches import Channel, Touch, Visitor

MOST_AT_ONCE = 500


class TouchOutcome(StrEnum):
    """What became of a row."""

    CREATED = "CREATED"
    DUPLICATE = "DUPLICATE"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTouch:
    """What became of one row of a bulk request, and the touch as the request left it."""

    index: int
    outcome: TouchOutcome
    touch: Touch | None = None
    refusals: tuple[DomainError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchesFollow(Question[int]):
    """Give the touches of visitors that are nobody's yet to leads; answers how many there were.

    It changes rows.  The visitors are locked, so no touch can be added to them meanwhile.
    """

    visitor_ids: tuple[UUID, ...]
    lead_ids: tuple[UUID, ...]


async def store_touches(
    work: Work,
    rows: Sequence[TouchDetails | DomainError],
    *,
    own: bool = False,
    claims: Mapping[str, str] = MappingProxyType({}),
) -> tuple[RecordedTouch, ...]:
    """Store touches row by row, in a fixed number of statements however many they are.

    A bad row is refused and spoils no other; one that is a refusal already stays one.  `own` ones
    come from our script; `claims` are the addresses of whom visitors, by token, say they are.
    """
    pages: Pages = {}
    ready = [_ready(row, work.now, own=own, pages=pages) for row in rows]
    known = await read_known(
        work, [row for row in ready if isinstance(row, TouchDetails)], visitors=claims
    )
    batch = Batch(work=work, known=known, limits=await _limits(work, ready))
    outcomes = [_stored(batch, index, row) for index, row in enumerate(ready)]
    for token, email in claims.items():
        if batch.owner(token) not in known.untracked:
            batch.claim(batch.visitor(token), email)
    await batch.flush()
    return tuple(_as_left(batch, outcome) for outcome in outcomes)


@dataclass(slots=True, kw_only=True)
class Batch:
    """Touches and visitors that are written together."""

    work: Work
    known: Known
    limits: Tenant | None = None
    """The tenant, by whose limits old touches are not taken; None where none is old."""
    touches: dict[UUID, Touch] = field(default_factory=dict)
    new: dict[UUID, Visitor] = field(default_factory=dict)
    changed: dict[UUID, Visitor] = field(default_factory=dict)
    gained: dict[UUID, UUID] = field(default_factory=dict)
    """By visitor, the lead who gets the touches that were nobody's."""

    def visitor(self, token: str) -> Visitor:
        """Return the visitor of a token, made if there is none yet."""
        if token not in self.known.visitors:
            visitor = Visitor(id=new_id(), token=token, first_seen_at=self.work.now)
            self.new[visitor.id] = self.known.visitors[token] = visitor
        return self.known.visitors[token]

    def owner(self, token: str | None) -> UUID | None:
        """Return whose a visitor is, if that is known."""
        visitor = self.known.visitors.get(token or "")
        return None if visitor is None else visitor.lead_id

    def keep(self, visitor: Visitor) -> Visitor:
        """Have a changed visitor written."""
        (self.new if visitor.id in self.new else self.changed)[visitor.id] = visitor
        self.known.visitors[visitor.token] = visitor
        return visitor

    def identify(self, visitor: Visitor, lead_id: UUID) -> Visitor:
        """Say whose a visitor is: what was nobody's becomes the lead's, what was another's stays.

        So a device that several people use tells of each of them what he did himself.
        """
        if visitor.lead_id == lead_id and visitor.claimed_email is None:
            return visitor
        if visitor.lead_id is None:
            self.gained[visitor.id] = lead_id
            self._give(visitor.id, lead_id)
        if visitor.lead_id != lead_id:
            self.work.record(
                VisitorIdentified(at=self.work.now, visitor_id=visitor.id, lead_id=lead_id)
            )
        return self.keep(
            replace(
                visitor,
                lead_id=lead_id,
                identified_at=self.work.now,
                claimed_email=None,
                claimed_at=None,
            )
        )

    def claim(self, visitor: Visitor, email: str) -> None:
        """Keep whom a visitor says it is, unless we know that already."""
        known = visitor.lead_id is not None and self.known.emails.get(email) == visitor.lead_id
        if not known and visitor.claimed_email != email:
            self.keep(replace(visitor, claimed_email=email, claimed_at=self.work.now))

    def check_not_too_old(self, at: datetime | None, owner_id: UUID | None) -> None:
        """Refuse what would be erased at once."""
        if self.limits is not None and at is not None:
            check_not_too_old(self.limits, at, known=owner_id is not None, now=self.work.now)

    def add(self, touch: Touch) -> None:
        self.touches[touch.id] = touch

    def latest(self, touch: Touch) -> Touch:
        """Return a touch as the request left it."""
        return self.touches.get(touch.id, touch)

    def touched(self) -> list[UUID]:
        """Return the leads whose story has changed."""
        met = {touch.lead_id for touch in self.touches.values()} | set(self.gained.values())
        return sorted(lead_id for lead_id in met if lead_id is not None)

    async def flush(self) -> None:
        """Write everything, each kind in one statement."""
        # In one order for everybody, so that two who make the same never deadlock.
        made = sorted(self.new.values(), key=lambda visitor: visitor.token)
        fresh: list[object] = [*made, *sorted(self.touches.values(), key=_external_name)]
        if fresh:
            await self.work.add_all(fresh)
        if self.changed:
            await self.work.save_all([self.changed[key] for key in sorted(self.changed)])
        if stored := {key: lead for key, lead in self.gained.items() if key not in self.new}:
            await self.work.ask(
                TouchesFollow(visitor_ids=tuple(stored), lead_ids=tuple(stored.values()))
            )
        # Leads are locked before their gradings, as everybody does who locks both.
        await reattribute(self.work, self.touched())
        await rescore_soon(self.work, self.touched())
        self._tell(touch.lead_id for touch in self.touches.values())

    def _give(self, visitor_id: UUID, lead_id: UUID) -> None:
        for touch in self.touches.values():
            if touch.visitor_id == visitor_id and touch.lead_id is None:
                self.touches[touch.id] = replace(touch, lead_id=lead_id)

    def _tell(self, lead_ids: Iterable[UUID | None]) -> None:
        for lead_id, touches in Counter(lead_ids).items():
            if lead_id is not None:
                self.work.record(LeadTouched(at=self.work.now, lead_id=lead_id, touches=touches))


async def _limits(work: Work, rows: Sequence[TouchDetails | DomainError]) -> Tenant | None:
    """Return the tenant, if any touch is so old that its limits matter."""
    recent = work.now - timedelta(days=SHORTEST)
    told = (row.occurred_at for row in rows if isinstance(row, TouchDetails))
    if all(at is None or at >= recent for at in told):
        return None
    return await work.get(Tenant, work.tenant_id)


def _ready(
    row: TouchDetails | DomainError, now: datetime, *, own: bool, pages: Pages
) -> TouchDetails | DomainError:
    """Return a row as it is kept, or why it cannot be."""
    if isinstance(row, DomainError):
        return row
    try:
        return checked(row, now=now, own=own, pages=pages)
    except DomainError as refusal:
        return refusal


def _stored(batch: Batch, index: int, row: TouchDetails | DomainError) -> RecordedTouch:
    if isinstance(row, DomainError):
        return _refused(index, row)
    known = batch.known
    there = known.touches.get(row.external) if row.external else None
    if there is not None:
        return RecordedTouch(index=index, outcome=TouchOutcome.DUPLICATE, touch=there)
    try:
        lead_id = known.lead(row.lead)
        campaign_id, asset_id = known.campaign(row), known.asset(row)
        owner_id = lead_id or batch.owner(row.visitor)
        known.check_may_be_tracked(owner_id)
        batch.check_not_too_old(row.occurred_at, owner_id)
    except DomainError as refusal:
        return _refused(index, refusal)
    visitor = None if row.visitor is None else batch.visitor(row.visitor)
    if visitor is not None and lead_id is not None:
        visitor = batch.identify(visitor, lead_id)
    touch = Touch(
        id=new_id(),
        kind=row.kind,
        channel=row.channel or Channel.DIRECT,
        agency=row.agency,
        occurred_at=row.occurred_at or batch.work.now,
        recorded_at=batch.work.now,
        lead_id=lead_id if visitor is None else visitor.lead_id,
        visitor_id=None if visitor is None else visitor.id,
        campaign_id=campaign_id,
        asset_id=asset_id,
        utm_source=row.utm.source,
        utm_medium=row.utm.medium,
        utm_campaign=row.utm.campaign,
        utm_content=row.utm.content,
        utm_term=row.utm.term,
        url=row.url,
        referrer=row.referrer,
        external_source=row.external.source if row.external else None,
        external_value=row.external.value if row.external else None,
    )
    batch.add(touch)
    if row.external is not None:
        known.touches[row.external] = touch
    return RecordedTouch(index=index, outcome=TouchOutcome.CREATED, touch=touch)


def _as_left(batch: Batch, outcome: RecordedTouch) -> RecordedTouch:
    """Return what became of a row, with the touch as the whole request left it."""
    touch = None if outcome.touch is None else batch.latest(outcome.touch)
    return outcome if touch is outcome.touch else replace(outcome, touch=touch)


def _external_name(touch: Touch) -> tuple[str, str]:
    return touch.external_source or "", touch.external_value or ""


def _refused(index: int, refusal: DomainError) -> RecordedTouch:
    refusals = refusal.refusals if isinstance(refusal, Refusals) else (refusal,)
    for each in refusals:
        each.index, each.path = index, ("rows", index, *each.path)
    return RecordedTouch(index=index, outcome=TouchOutcome.REFUSED, refusals=tuple(refusals))
