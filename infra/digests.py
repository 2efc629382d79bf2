"""Digests by mail: what became of the leads that marketing handed over, as often as asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from domain.audit import Cause
from domain.digests import (
    DigestSubscription,
    DueDigest,
    FeedbackDigest,
    digest_for,
    tells_until,
    told,
)
from domain.handoff import Handoff
from domain.identity import Tenant, User
from domain.leads import Lead
from domain.outcomes import HandoffOutcome, Outcome, outcomes_of
from domain.ports import by_id
from domain.values import Money, minor_digits
from infra.database import Database, PostgresWork, Unavailable
from infra.mail.letters import Letter, Points, digest_letter, one_line
from infra.mail.queue import MailQueue
from infra.services import Services
from infra.tracing import traced

log = structlog.get_logger(__name__)

POLL_SECONDS = 10.0
DIGEST = Cause(action="digest")
_LONGEST_REASON = 200

# As the platform's role, by the index digest_subscriptions_due.
_TENANTS = "SELECT DISTINCT tenant_id FROM digest_subscriptions WHERE next_at <= $1"

_WORDS: Mapping[Outcome, str] = {
    Outcome.NONE: "no feedback",
    Outcome.ACCEPTED: "accepted",
    Outcome.ATTEMPTED: "called or written to",
    Outcome.MEETING: "met",
    Outcome.RECYCLED: "recycled",
    Outcome.REJECTED: "rejected",
    Outcome.MERGED: "the same person as in another hand-off",
    Outcome.OPPORTUNITY: "with a deal under way",
    Outcome.WON: "won",
    Outcome.LOST: "lost",
}


class DigestLoop:
    """Queues the letters that are due.  Any number of processes may.

    A letter is queued in the transaction that moves its subscription on, so each digest is queued
    exactly once, whoever dies in between.
    """

    def __init__(
        self,
        database: Database,
        queue: MailQueue,
        *,
        app_url: str,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._database = database
        self._queue = queue
        self._app_url = app_url
        self._poll = poll_seconds

    async def run(self) -> None:
        """Queue what is due, for ever."""
        while True:
            await self.queue_due()
            await asyncio.sleep(self._poll)

    async def queue_due(self) -> None:
        """Queue all that is due now, one of each tenant in turn.

        One that cannot be made waits for the next time, and keeps nobody else's.
        """
        failed: dict[UUID, set[UUID]] = {tenant_id: set() for tenant_id in await self._due()}
        tenants = list(failed)
        while tenants:
            tenants = [each for each in tenants if await self._queue_one(each, failed[each])]

    async def _due(self) -> list[UUID]:
        at = await self._database.now()
        rows = await self._database.platform.fetch(_TENANTS, at)
        return [row[0] for row in rows]

    @traced("queue digest")
    async def _queue_one(self, tenant_id: UUID, failed: set[UUID]) -> bool:
        """Queue a tenant's digest that is due first; say whether there may be more."""
        trying: UUID | None = None
        try:
            async with self._database.work(tenant_id, cause=DIGEST) as work:
                due = await work.ask(DueDigest(at=work.now, but=tuple(failed)))
                if due is None:
                    return False
                trying = due.id
                await self._tell(work, due)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  # one bad digest must not stop the others
            # Without a traceback: what that says may quote the letter.
            log.warning("digest.failed", tenant_id=str(tenant_id), error=type(error).__name__)
            if trying is None:
                return False
            failed.add(trying)
        return True

    async def _tell(self, work: PostgresWork, due: DigestSubscription) -> None:
        tenant = await work.get(Tenant, work.tenant_id)
        moved = told(due, tenant.time_zone, work.now)
        letter = await self._letter(work, due, ZoneInfo(tenant.time_zone))
        if letter is not None:
            # The next one takes its place.
            await self._queue.put(work.connection, letter, at=work.now, expires_at=moved.next_at)
        await work.save(moved)
        log.info("digest.queued" if letter else "digest.empty", subscription=str(due.id))

    async def _letter(
        self, work: PostgresWork, due: DigestSubscription, zone: ZoneInfo
    ) -> Letter | None:
        """Return a user's letter; None for nobody, or about nothing."""
        user = await work.get(User, due.user_id)
        if not user.active:
            return None
        until = tells_until(due, work.now)
        digest = await digest_for(work, user.id, since=due.since, until=until)
        if digest.is_empty:
            return None
        listed = [*digest.news, *digest.waiting]
        leads = by_id(await work.find(Lead, id=tuple({each.lead_id for each in listed})))
        outcomes = await outcomes_of(work, digest.news)
        return digest_letter(
            to=user.email,
            parts=tuple(parts_of(digest, outcomes, leads, zone)),
            url=self._app_url,
        )


def parts_of(
    digest: FeedbackDigest,
    outcomes: Sequence[HandoffOutcome],
    leads: Mapping[UUID, Lead],
    zone: ZoneInfo,
) -> Iterator[str | Points]:
    """Return what a digest says, part by part, with days as they are in a time zone."""
    if digest.news_count:
        day, number = _spoken(digest.since, zone), digest.news_count
        counts = ", ".join(f"{many} {_WORDS[kind]}" for kind, many in digest.counts.items())
        yield f"Since {day} you heard of {number} {_leads(number)}: {counts}."
        news = zip(digest.news, outcomes, strict=True)
        yield Points(tuple(f"{_name(leads, each)}: {_said(outcome)}" for each, outcome in news))
    else:
        yield f"Since {_spoken(digest.since, zone)} you heard of no lead."
    if digest.waiting_count:
        yield f"Still without feedback: {digest.waiting_count}. Those that wait longest:"
        yield Points(
            tuple(
                f"{_name(leads, each)}, handed over on {_spoken(each.handed_off_at, zone)}"
                for each in digest.waiting
            )
        )


def _leads(number: int) -> str:
    return "lead" if number == 1 else "leads"


def _name(leads: Mapping[UUID, Lead], handoff: Handoff) -> str:
    lead = leads[handoff.lead_id]
    full = " ".join(part for part in (lead.first_name, lead.last_name) if part)
    return one_line(full or lead.email or "A lead without a name")


def _said(outcome: HandoffOutcome) -> str:
    parts = [_WORDS[outcome.kind], *map(_spoken_money, outcome.amounts)]
    if outcome.kind is Outcome.ATTEMPTED:
        parts.append(f"attempts: {outcome.attempts}")
    told_so = ", ".join(parts)
    if not outcome.reason:
        return told_so
    return f"{told_so} - {one_line(outcome.reason, longest=_LONGEST_REASON)}"


def _spoken_money(amount: Money) -> str:
    units = Decimal(amount.minor).scaleb(-minor_digits(amount.currency))
    return f"{units:,f} {amount.currency}"


def _spoken(instant: datetime, zone: ZoneInfo) -> str:
    day = instant.astimezone(zone)
    return f"{day.day} {day:%B %Y}"


def digest_loop(services: Services) -> DigestLoop:
    """Return the loop of one process."""
    return DigestLoop(services.database, services.mail_queue, app_url=services.settings.app_url)
