"""Agreeing on what a stage means: one side proposes, the other signs.

Two people sign, as they do for an SLA, and by the same rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.errors import DomainError, Invalid
from domain.events import DefinitionProposed, DefinitionSigned, DefinitionWithdrawn
from domain.filters import parse, to_json
from domain.identity import Actor, Permission
from domain.ids import new_id
from domain.leads import LEAD_FIELDS
from domain.lifecycle.definitions import StageDefinition, signed
from domain.ports import Work
from domain.sla.signing import AlreadySigned, NotAProposal, SignedByProposer, WrongSide, sides_of
from domain.sla.signing.rules import signing_side
from domain.stages import Side, Stage
from domain.values import require_text

LONGEST_WORDS = 2000
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
# How late a proposal may arrive whose date was "now" when it was written.
LATENESS = timedelta(minutes=1)


class ProposalPending(DomainError):
    """Another proposal for the stage waits for a signature."""

    code = "PROPOSAL_PENDING"

    def __init__(self, pending: StageDefinition) -> None:
        super().__init__(
            f"Proposal {pending.number} for {pending.stage} waits for a signature; "
            "sign or withdraw it first.",
            path=("stage",),
        )


async def propose_definition(
    work: Work,
    actor: Actor,
    *,
    stage: Stage,
    words: str,
    owner_side: Side,
    criterion: object,
    effective_at: datetime | None = None,
    side: Side | None = None,
) -> StageDefinition:
    """Offer the other side a definition, signed by one's own.

    It may take effect in the past only while the stage has none: then history that is imported
    can be judged by it.

    Raises:
        ProposalPending: if there is one that nobody has signed or withdrawn.
        WrongSide: if the actor is in no team, or not in one of the side named.
        SideNeeded: if the actor is in teams of both sides and names none.
        BadCriterion: if the criterion cannot be understood; its path leads to the fault.
    """
    actor.require(Permission.DEFINE_STAGES)
    by = actor.require_user()
    side = signing_side(await sides_of(work, by), side)
    words = require_text(words, name="The words", path=("words",), longest=LONGEST_WORDS)
    filter = parse(criterion, LEAD_FIELDS, path=("criterion",), allow_empty=False)
    others = await work.find(StageDefinition, stage=stage)
    _check_none_pending(others)
    definition = StageDefinition(
        id=new_id(),
        stage=stage,
        number=1 + max((other.number for other in others), default=0),
        words=words,
        owner_side=owner_side,
        criterion=to_json(filter),
        effective_at=_effective_at(effective_at, others, work.now),
        proposed_by=by,
        proposed_at=work.now,
    )
    definition = await work.add(signed(definition, side, by=by, at=work.now))
    work.record(DefinitionProposed(at=work.now, by=by, definition_id=definition.id))
    return definition


async def sign_definition(work: Work, actor: Actor, definition_id: UUID) -> StageDefinition:
    """Agree to what the other side proposed.

    If its date has gone by meanwhile and another definition was in force, it takes effect now:
    nothing that was judged by the old one is judged again.

    Raises:
        AlreadySigned: if both sides have signed.
        NotAProposal: if it was withdrawn.
        WrongSide: if the actor is in no team of the side that has yet to sign.
        SignedByProposer: if the actor is in teams of both sides, and proposed it.
    """
    actor.require(Permission.DEFINE_STAGES)
    by = actor.require_user()
    sides = await sides_of(work, by)
    definition = await work.get(StageDefinition, definition_id, lock=True)
    side = _check_countersigner(definition, sides, by)
    others = await work.find(StageDefinition, stage=definition.stage)
    if any(other.signed_at for other in others):
        effective_at = max(definition.effective_at, work.now)
        definition = replace(definition, effective_at=effective_at)
    definition = await work.save(signed(definition, side, by=by, at=work.now))
    work.record(DefinitionSigned(at=work.now, by=by, definition_id=definition.id))
    return definition


async def withdraw_definition(work: Work, actor: Actor, definition_id: UUID) -> StageDefinition:
    """Take back a proposal, or turn down the other side's, so that another can be made."""
    actor.require(Permission.DEFINE_STAGES)
    by = actor.require_user()
    sides = await sides_of(work, by)
    definition = await work.get(StageDefinition, definition_id, lock=True)
    if not sides:
        raise WrongSide("You are in no team, so you speak for neither side.")
    _check_is_pending(definition)
    definition = await work.save(replace(definition, withdrawn_at=work.now))
    work.record(DefinitionWithdrawn(at=work.now, by=by, definition_id=definition.id))
    return definition


def _check_countersigner(
    definition: StageDefinition, sides: frozenset[Side], user_id: UUID
) -> Side:
    """Return the side that still has to sign, which the user may sign for."""
    _check_is_pending(definition)
    waiting = definition.unsigned_sides
    side = next((side for side in waiting if side in sides), None)
    if side is None:
        names = " and ".join(side.lower() for side in waiting)
        raise WrongSide(
            f"This waits for {names} to sign, and you are in no team of theirs.",
            path=("definition",),
        )
    if user_id == definition.proposed_by:
        raise SignedByProposer(
            "You proposed this: somebody else must sign for the other side.", path=("definition",)
        )
    return side


def _check_is_pending(definition: StageDefinition) -> None:
    if definition.withdrawn_at is not None:
        raise NotAProposal("The proposal was withdrawn.", path=("definition",))
    if definition.signed_at is not None:
        raise AlreadySigned("Both sides have signed this already.", path=("definition",))


def _check_none_pending(others: Sequence[StageDefinition]) -> None:
    for other in others:
        if other.is_pending:
            raise ProposalPending(other)


def _effective_at(
    wanted: datetime | None, others: Sequence[StageDefinition], now: datetime
) -> datetime:
    if wanted is None:
        return now
    if wanted < EARLIEST:
        raise Invalid("This lies before 1970.", path=("effectiveAt",))
    if not any(other.signed_at for other in others):
        return wanted
    if wanted < now - LATENESS:
        raise Invalid(
            "This lies in the past, and leads have been judged by the definition in force since.",
            path=("effectiveAt",),
        )
    return max(wanted, now)
