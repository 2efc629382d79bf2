"""Letters to those who were called in a thread and have not seen it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.identity import User
from domain.ports import Question, Work
from domain.threads.entities import Mention

# Who is there reads it meanwhile, and whoever is called several times gets one letter.
PATIENCE = timedelta(minutes=5)
MOST_CALLS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCalls(Question[Sequence[Mention]]):
    """The mentions of one user, locked, of which the first has waited for its letter long enough.

    Those that others hold are skipped, and so are some users.
    """

    at: datetime
    but: tuple[UUID, ...] = ()
    limit: int = MOST_CALLS


def letter_at(user: User, *, author_id: UUID, now: datetime) -> datetime | None:
    """Return when somebody who is called gets a letter about it; None for none."""
    if user.id == author_id or not user.mention_letters:
        return None
    return now + PATIENCE


async def written_to(work: Work, calls: Sequence[Mention]) -> None:
    """Keep that a letter was written, or that none is needed."""
    await work.save_all([replace(call, letter_at=None) for call in calls])
