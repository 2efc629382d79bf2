"""Digests by mail: what became of the leads that marketing handed over, as often as asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.digests import (
    DigestSubscription,
    DueDigest,
    FeedbackDigest,
    digest_for,
    tells_until,
    told,
)
from domain.identity import Tenant, User
from domain.leads import Lead
from domain.letters import LetterKind
from domain.outcomes import HandoffOutcome, Outcome, outcomes_of
from domain.ports import by_id
from domain.values import Money, minor_digits
from infra.database import PostgresWork
from infra.letter_loop import LetterLoop
from infra.mail.letters import Letter, Points, called, digest_letter, one_line
from infra.mail.queue import MailQueue
from infra.mail.stopping import LetterStops
from infra.services import Services

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Digests:
    """The digests of all who want them."""

    queue: MailQueue
    stops: LetterStops
    app_url: str
    name: str = "digest"
    tenants: str = _TENANTS

    async def due(
        self, work: PostgresWork, but: Collection[UUID]
    ) -> tuple[UUID, DigestSubscription] | None:
        """Return the subscription that is due first."""
        found = await work.ask(DueDigest(at=work.now, but=tuple(but)))
        return None if found is None else (found.id, found)

    async def write(self, work: PostgresWork, about: DigestSubscription) -> bool:
        """Queue a digest, if there is anything to tell, and move its subscription on."""
        tenant = await work.get(Tenant, work.tenant_id)
        moved = told(about, tenant.time_zone, work.now)
        letter = await self._letter(work, about, ZoneInfo(tenant.time_zone))
        if letter is not None:
            # The next one takes its place.
            await self.queue.put(work.connection, letter, at=work.now, expires_at=moved.next_at)
        await work.save(moved)
        return letter is not None

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
            url=f"{self.app_url}/feedback",
            stop_url=self.stops.address(work.tenant_id, user.id, LetterKind.DIGEST, now=work.now),
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
        yield Points(
            tuple(f"{called(leads[each.lead_id])}: {_said(outcome)}" for each, outcome in news)
        )
    else:
        yield f"Since {_spoken(digest.since, zone)} there was no answer, no attempt and no deal."
    if digest.waiting_count:
        # Sales may have said something meanwhile, in a thread: that is feedback, and no answer.
        yield f"Still waiting for sales: {digest.waiting_count}. Those that wait longest:"
        yield Points(
            tuple(
                f"{called(leads[each.lead_id])}, handed over on {_spoken(each.handed_off_at, zone)}"
                for each in digest.waiting
            )
        )


def _leads(number: int) -> str:
    return "lead" if number == 1 else "leads"


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


def digest_loop(services: Services) -> LetterLoop:
    """Return the loop of one process."""
    digests = Digests(
        queue=services.mail_queue,
        stops=services.letter_stops,
        app_url=services.settings.app_url,
    )
    return LetterLoop(services.database, digests)
