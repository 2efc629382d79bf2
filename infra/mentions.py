"""Letters to those who were called in a thread and have not read it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.campaigns import Campaign
from domain.content import ContentAsset
from domain.handoff import Handoff
from domain.identity import Tenant, User
from domain.ids import public
from domain.leads import Lead
from domain.letters import LetterKind
from domain.ports import Work, by_id
from domain.threads import DueCalls, Mention, Thread, ThreadMessage, written_to
from infra.database import PostgresWork
from infra.letter_loop import LetterLoop
from infra.mail.letters import Button, Letter, Part, Points, called, mention_letter, one_line
from infra.mail.queue import MailQueue
from infra.mail.stopping import LetterStops
from infra.services import Services

# As the platform's role, by the index mentions_letters.
_TENANTS = "SELECT DISTINCT tenant_id FROM mentions WHERE letter_at <= $1"
# Who has not been reached by then hears of it when he or she comes back.
_LIFE = timedelta(days=2)
_LONGEST_QUOTE = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionLetters:
    """One letter to everybody who was called since the last one."""

    queue: MailQueue
    stops: LetterStops
    app_url: str
    name: str = "mentions"
    tenants: str = _TENANTS

    async def due(
        self, work: PostgresWork, but: Collection[UUID]
    ) -> tuple[UUID, Sequence[Mention]] | None:
        """Return the mentions of whoever has waited longest."""
        found = await work.ask(DueCalls(at=work.now, but=tuple(but)))
        return (found[0].user_id, found) if found else None

    async def write(self, work: PostgresWork, about: Sequence[Mention]) -> bool:
        """Queue a letter about mentions, unless whoever is called wants none or is gone."""
        await written_to(work, about)
        user = await work.get(User, about[0].user_id)
        if not user.active or not user.mention_letters:
            return False
        letter = await self._letter(work, user, about)
        await self.queue.put(work.connection, letter, at=work.now, expires_at=work.now + _LIFE)
        return True

    async def _letter(self, work: PostgresWork, user: User, calls: Sequence[Mention]) -> Letter:
        tenant = await work.get(Tenant, work.tenant_id)
        messages = by_id(
            await work.find(ThreadMessage, id=tuple(call.message_id for call in calls))
        )
        found = await work.find(Thread, id=tuple({call.thread_id for call in calls}))
        threads = sorted(found, key=lambda each: each.id)  # as they were begun
        authors = by_id(
            await work.find(User, id=tuple({each.author_id for each in messages.values()}))
        )
        names = await _subjects(work, threads)
        said = [messages[call.message_id] for call in calls]
        return mention_letter(
            to=user.email,
            callers=" and ".join(
                dict.fromkeys(one_line(authors[each.author_id].name) for each in said)
            ),
            parts=tuple(
                part
                for thread in threads
                for part in _parts(
                    names[thread.id],
                    [each for each in said if each.thread_id == thread.id],
                    authors,
                    zone=ZoneInfo(tenant.time_zone),
                    url=f"{self.app_url}/threads/{public('Thread', thread.id)}",
                )
            ),
            stop_url=self.stops.address(work.tenant_id, user.id, LetterKind.MENTION, now=work.now),
        )


def _parts(
    about: str,
    said: Sequence[ThreadMessage],
    authors: Mapping[UUID, User],
    *,
    zone: ZoneInfo,
    url: str,
) -> Iterator[Part]:
    yield f"About {about}:"
    yield Points(
        tuple(
            f"{one_line(authors[each.author_id].name)}, {_spoken(each.sent_at, zone)}: "
            f"{one_line(each.text, longest=_LONGEST_QUOTE)}"
            for each in said
        )
    )
    yield Button("Read and answer", url)


async def _subjects(work: Work, threads: Sequence[Thread]) -> Mapping[UUID, str]:
    """Return what each thread is about, as people call it."""
    handoffs = by_id(await work.find(Handoff, id=_ids(each.handoff_id for each in threads)))
    lead_of = {
        each.id: each.lead_id or (each.handoff_id and handoffs[each.handoff_id].lead_id)
        for each in threads
    }
    leads = by_id(await work.find(Lead, id=_ids(lead_of.values())))
    campaigns = by_id(await work.find(Campaign, id=_ids(each.campaign_id for each in threads)))
    assets = by_id(await work.find(ContentAsset, id=_ids(each.asset_id for each in threads)))
    names = {}
    for thread in threads:
        lead_id = lead_of[thread.id]
        if lead_id is not None:
            names[thread.id] = called(leads[lead_id])
        elif thread.campaign_id is not None:
            names[thread.id] = one_line(campaigns[thread.campaign_id].name)
        elif thread.asset_id is not None:
            names[thread.id] = one_line(assets[thread.asset_id].title)
    return names


def _ids(ids: Collection[UUID | None] | Iterator[UUID | None]) -> tuple[UUID, ...]:
    return tuple({id for id in ids if id is not None})


def _spoken(instant: datetime, zone: ZoneInfo) -> str:
    day = instant.astimezone(zone)
    return f"{day.day} {day:%B, %H:%M}"


def mention_loop(services: Services) -> LetterLoop:
    """Return the loop of one process."""
    letters = MentionLetters(
        queue=services.mail_queue,
        stops=services.letter_stops,
        app_url=services.settings.app_url,
    )
    return LetterLoop(services.database, letters)
