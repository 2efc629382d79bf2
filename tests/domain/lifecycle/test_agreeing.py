"""How both sides come to agree on the words of a stage."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.errors import DomainError, Invalid, PermissionDenied
from domain.events import DefinitionProposed, DefinitionSigned, DefinitionWithdrawn
from domain.identity import Actor, Role
from domain.lifecycle import (
    ProposalPending,
    StageDefinition,
    definitions_in_force,
    propose_definition,
    sign_definition,
    withdraw_definition,
)
from domain.sla.signing import AlreadySigned, NotAProposal, SideNeeded, SignedByProposer, WrongSide
from domain.stages import Side, Stage
from tests.domain.lifecycle.building_definitions import (
    DAY,
    MARKETING,
    MIA,
    NOON,
    SALES,
    SAM,
    a_definition,
    a_work,
    an_actor,
    place,
)
from tests.fakes import FakeWork


async def propose(work: FakeWork, actor: Actor = MIA, **change: Any) -> StageDefinition:
    terms: dict[str, Any] = {
        "stage": Stage.MQL,
        "words": "  Asked for a demo. ",
        "owner_side": Side.MARKETING,
        "criterion": {"score": {"gte": 50}},
    }
    return await propose_definition(work, actor, **{**terms, **change})


async def test_a_proposal_is_signed_by_its_own_side_and_counts_with_the_other() -> None:
    work = a_work()

    proposed = await propose(work)
    before = await definitions_in_force(work, NOON)
    signed = await sign_definition(work, SAM, proposed.id)

    assert proposed == StageDefinition(
        id=proposed.id,
        stage=Stage.MQL,
        number=1,
        words="Asked for a demo.",
        owner_side=Side.MARKETING,
        criterion={"score": {"gte": 50}},
        effective_at=NOON,
        proposed_by=MIA.user_id,  # type: ignore[arg-type]  # Mia is a user
        proposed_at=NOON,
        marketing_signed_by=MIA.user_id,
        marketing_signed_at=NOON,
    )
    assert before == {}
    assert signed == replace(proposed, sales_signed_by=SAM.user_id, sales_signed_at=NOON, version=2)
    assert await definitions_in_force(work, NOON) == {Stage.MQL: signed}
    assert work.events == [
        DefinitionProposed(at=NOON, by=MIA.user_id, definition_id=signed.id),
        DefinitionSigned(at=NOON, by=SAM.user_id, definition_id=signed.id),
    ]


async def test_the_first_definition_may_judge_the_past() -> None:
    work = a_work()
    then = datetime(2017, 7, 1, tzinfo=UTC)

    proposed = await propose(work, effective_at=then)
    signed = await sign_definition(work, SAM, proposed.id)

    assert signed.effective_at == then


async def test_a_later_definition_never_judges_the_past() -> None:
    work = a_work(a_definition())

    with pytest.raises(Invalid) as refused:
        await propose(work, effective_at=NOON - timedelta(minutes=2))
    proposed = await propose(work, effective_at=NOON - timedelta(seconds=59))

    assert refused.value.path == ("effectiveAt",)
    assert (proposed.number, proposed.effective_at) == (2, NOON)


async def test_a_signature_that_comes_after_the_date_counts_from_then_on() -> None:
    late = NOON + 2 * DAY
    waiting = a_definition(number=2, since=NOON, signed=False)
    work = a_work(a_definition(), waiting, now=late)

    signed = await sign_definition(work, SAM, waiting.id)

    assert signed.effective_at == late


async def test_a_definition_signed_before_its_date_waits_for_it() -> None:
    waiting = a_definition(number=2, since=NOON + DAY, signed=False)
    work = a_work(a_definition(), waiting)

    signed = await sign_definition(work, SAM, waiting.id)

    assert signed.effective_at == NOON + DAY
    assert (await definitions_in_force(work, NOON))[Stage.MQL].number == 1


BOTH_SIDES = an_actor()


@pytest.mark.parametrize(
    ("actor", "side", "refusal"),
    [
        (an_actor(), None, WrongSide),  # in no team
        (MIA, Side.SALES, WrongSide),
        (BOTH_SIDES, None, SideNeeded),
        (an_actor(Role.MEMBER), None, PermissionDenied),
        (an_actor(key=True), None, PermissionDenied),
    ],
)
async def test_only_members_of_a_side_propose_for_it(
    actor: Actor, side: Side | None, refusal: type[DomainError]
) -> None:
    work = a_work(place(MARKETING, BOTH_SIDES), place(SALES, BOTH_SIDES))

    with pytest.raises(refusal):
        await propose(work, actor, side=side)

    assert (await work.find(StageDefinition), work.events) == ([], [])


async def test_who_is_in_both_sides_signs_for_one() -> None:
    work = a_work(place(MARKETING, BOTH_SIDES), place(SALES, BOTH_SIDES))

    proposed = await propose(work, BOTH_SIDES, side=Side.SALES)

    assert proposed.unsigned_sides == (Side.MARKETING,)
    with pytest.raises(SignedByProposer):
        await sign_definition(work, BOTH_SIDES, proposed.id)
    assert (await sign_definition(work, MIA, proposed.id)).signed_at == NOON


@pytest.mark.parametrize(
    ("definition", "actor", "refusal"),
    [
        (a_definition(), SAM, AlreadySigned),
        (a_definition(signed=False, withdrawn_at=NOON), SAM, NotAProposal),
        (a_definition(signed=False), MIA, WrongSide),
        (a_definition(signed=False), an_actor(), WrongSide),
        (a_definition(signed=False), an_actor(Role.MEMBER), PermissionDenied),
    ],
)
async def test_only_the_other_side_signs_and_only_once(
    definition: StageDefinition, actor: Actor, refusal: type[DomainError]
) -> None:
    work = a_work(definition)

    with pytest.raises(refusal):
        await sign_definition(work, actor, definition.id)

    assert (await work.find(StageDefinition), work.events) == ([definition], [])


@pytest.mark.parametrize("actor", [MIA, SAM])
async def test_a_proposal_waits_until_somebody_signs_or_withdraws_it(actor: Actor) -> None:
    waiting = a_definition(signed=False)
    work = a_work(waiting)

    with pytest.raises(ProposalPending):
        await propose(work)
    withdrawn = await withdraw_definition(work, actor, waiting.id)

    assert withdrawn == replace(waiting, withdrawn_at=NOON, version=2)
    assert work.events == [DefinitionWithdrawn(at=NOON, by=actor.user_id, definition_id=waiting.id)]
    assert (await propose(work)).number == 2


@pytest.mark.parametrize(
    ("definition", "actor", "refusal"),
    [
        (a_definition(), MIA, AlreadySigned),
        (a_definition(signed=False, withdrawn_at=NOON), MIA, NotAProposal),
        (a_definition(signed=False), an_actor(), WrongSide),
    ],
)
async def test_what_does_not_wait_cannot_be_withdrawn(
    definition: StageDefinition, actor: Actor, refusal: type[DomainError]
) -> None:
    work = a_work(definition)

    with pytest.raises(refusal):
        await withdraw_definition(work, actor, definition.id)

    assert (await work.find(StageDefinition), work.events) == ([definition], [])


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"words": " "}, ("words",)),
        ({"words": "x" * 2001}, ("words",)),
        ({"words": "a\x00b"}, ("words",)),
        ({"criterion": {}}, ("criterion",)),
        ({"criterion": {"skore": {"gte": 5}}}, ("criterion", "skore")),
        ({"criterion": {"score": {"gte": 10**30}}}, ("criterion", "score", "gte")),
        ({"effective_at": datetime(1969, 12, 31, tzinfo=UTC)}, ("effectiveAt",)),
    ],
)
async def test_a_proposal_that_cannot_be_is_refused(
    change: dict[str, Any], path: tuple[str, ...]
) -> None:
    work = a_work()

    with pytest.raises(Invalid) as refused:
        await propose(work, **change)

    assert refused.value.path == path
    assert (await work.find(StageDefinition), work.events) == ([], [])
