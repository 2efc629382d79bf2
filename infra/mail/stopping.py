"""The links by which people stop letters: good for a year, and for nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.audit import Cause
from domain.identity import Actor, User
from domain.letters import LetterKind, stop_letters
from domain.ports import first
from infra.database import Database
from infra.signing import BadSignature, Purpose, UrlSigner

LIFE = timedelta(days=366)
_STOPPED = Cause(action="letters")


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterStops:
    """Makes the links, and does what they are for.  Mail programs send them by themselves."""

    database: Database
    signer: UrlSigner
    public_url: str

    def address(self, tenant_id: UUID, user_id: UUID, kind: LetterKind, *, now: datetime) -> str:
        """Return where a user says that he or she wants no more letters of a kind."""
        said: dict[str, str | int] = {"t": tenant_id.hex, "u": user_id.hex, "k": kind.value}
        token = self.signer.sign(Purpose.LETTERS, said, expires_at=now + LIFE)
        return f"{self.public_url}/letters/{token}"

    async def kind_of(self, token: str) -> LetterKind:
        """Return what a link stops.

        Raises:
            BadSignature: if it is none of ours, or too old.
        """
        return (await self._read(token))[2]

    async def stop(self, token: str) -> LetterKind:
        """Stop the letters a link is for; once more is no harm.

        Raises:
            BadSignature: if it is none of ours, or too old.
        """
        tenant_id, user_id, kind = await self._read(token)
        async with self.database.work(tenant_id, read_only=True) as work:
            reader = await first(work, User, id=user_id)
        if reader is None:
            raise BadSignature
        actor = Actor(
            tenant_id=tenant_id, user_id=user_id, permissions=frozenset(), name=reader.name
        )
        async with self.database.work(tenant_id, by=user_id, cause=_STOPPED.by(actor)) as work:
            await stop_letters(work, actor, kind)
        return kind

    async def _read(self, token: str) -> tuple[UUID, UUID, LetterKind]:
        said = self.signer.verify(Purpose.LETTERS, token, now=await self.database.now())
        return UUID(str(said["t"])), UUID(str(said["u"])), LetterKind(str(said["k"]))
