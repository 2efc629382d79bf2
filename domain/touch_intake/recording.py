"""Touches that people and integrations tell of, and whose browser is whose."""

from __future__ import annotations

from collections.abc import Sequence

from domain.errors import DomainError, NotFound, Refusals
from domain.identity import Actor, Permission
from domain.lead_intake import TooManyRows
from domain.lead_intake.keys import kept_key
from domain.leads import LeadKey
from domain.ports import Work
from domain.touch_intake.details import TouchDetails, checked_token
from domain.touch_intake.known import read_known
from domain.touch_intake.storing import MOST_AT_ONCE, Batch, RecordedTouch, store_touches
from domain.touches import Touch, TouchKind, Visitor


async def record_touch(work: Work, actor: Actor, details: TouchDetails) -> Touch:
    """Keep that a buyer met us; one whose external name is known already is not taken twice."""
    actor.require(Permission.EDIT_LEADS)
    [row] = await store_touches(work, [details])
    if row.touch is None:
        for refusal in row.refusals:
            refusal.index, refusal.path = None, refusal.path[2:]
        raise row.refusals[0] if len(row.refusals) == 1 else Refusals(row.refusals)
    return row.touch


async def record_touches(
    work: Work, actor: Actor, rows: Sequence[TouchDetails | DomainError]
) -> tuple[RecordedTouch, ...]:
    """Keep up to 500 touches, in their order; a bad row is refused and spoils no other.

    Raises:
        TooManyRows: if there are more, and then nothing is done.
    """
    actor.require(Permission.EDIT_LEADS)
    if len(rows) > MOST_AT_ONCE:
        raise TooManyRows(
            f"There are {len(rows)} rows; one request takes at most {MOST_AT_ONCE}.",
            path=("rows",),
        )
    return await store_touches(work, rows)


async def identify_visitor(work: Work, actor: Actor, token: str, key: LeadKey) -> Visitor:
    """Say whose browser it is: what it did while nobody knew becomes the lead's.

    One that belonged to somebody else changes hands: what it does from now on is the new one's,
    what it did before stays.  A token that was never seen is remembered.
    """
    actor.require(Permission.EDIT_LEADS)
    key = kept_key(key, path=("lead",))
    named = TouchDetails(kind=TouchKind.FORM, visitor=checked_token(token), lead=key)
    known = await read_known(work, [named])
    lead_id = known.lead(key)
    if lead_id is None:
        raise NotFound("lead", path=("lead",))
    known.check_may_be_tracked(lead_id)
    batch = Batch(work=work, known=known)
    visitor = batch.identify(batch.visitor(token), lead_id)
    await batch.flush()
    return await work.get(Visitor, visitor.id)
