"""The pipeline: the stages that opportunities go through, and the chance agreed for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from domain.errors import DomainError, Invalid, NotFound
from domain.events import PipelineChanged
from domain.identity import Actor, Permission, Tenant
from domain.ids import new_id
from domain.ports import Work
from domain.values import require_text

MOST_STAGES = 30

# What a tenant starts with: the chances are those that sales teams commonly agree on, and are
# meant to be put right by what the tenant observes.
_DEFAULT = (
    ("Qualification", Decimal("0.1")),
    ("Needs analysis", Decimal("0.25")),
    ("Proposal", Decimal("0.5")),
    ("Negotiation", Decimal("0.75")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineStage:
    """A step of the pipeline, by `position`.  `win_rate` is the agreed chance, a share of 0-1."""

    id: UUID
    name: str
    position: int
    win_rate: Decimal
    created_at: datetime
    archived_at: datetime | None = None
    version: int = 1


class ArchivedStage(DomainError):
    """A stage that was put away takes no more opportunities."""

    code = "STAGE_IS_ARCHIVED"

    def __init__(self, stage: PipelineStage) -> None:
        super().__init__(f"The stage {stage.name!r} is archived.", path=("stage",))


class StageNameTaken(DomainError):
    """Another stage of the pipeline has this name."""

    code = "STAGE_NAME_TAKEN"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is already a stage {name!r}.", path=("name",))


class LastStage(DomainError):
    """A pipeline needs a stage."""

    code = "LAST_STAGE"

    def __init__(self) -> None:
        super().__init__(
            "This is the last stage; opportunities would have nowhere to be.", path=("stage",)
        )


class TooManyStages(DomainError):
    """More stages than anybody can tell apart."""

    code = "TOO_MANY_STAGES"

    def __init__(self) -> None:
        super().__init__(f"A pipeline has at most {MOST_STAGES} stages.", path=("name",))


class NotTheStages(Invalid):
    """An order that leaves a stage out, names one twice, or one that is not of the pipeline."""

    code = "NOT_THE_STAGES"


def default_pipeline(at: datetime) -> tuple[PipelineStage, ...]:
    """Return the stages a tenant starts with."""
    return tuple(
        PipelineStage(id=new_id(), name=name, position=place, win_rate=rate, created_at=at)
        for place, (name, rate) in enumerate(_DEFAULT, start=1)
    )


def in_use(stages: Sequence[PipelineStage]) -> list[PipelineStage]:
    """Return the stages that are not put away, in their order."""
    kept = (stage for stage in stages if stage.archived_at is None)
    return sorted(kept, key=lambda stage: (stage.position, stage.id))


async def pipeline(work: Work) -> Sequence[PipelineStage]:
    """Return all stages of the tenant, those put away too; made if there are none yet.

    A tenant that is older than pipelines gets its own when it is first needed.  Two who need it at
    once wait for each other at the tenant, and the second finds what the first made.
    """
    stages = await work.find(PipelineStage)
    if stages:
        return stages
    await work.get(Tenant, work.tenant_id, lock=True)
    stages = await work.find(PipelineStage, lock=True)
    if stages:
        return stages
    made = default_pipeline(work.now)
    await work.add_all(made)
    return made


async def create_stage(
    work: Work, actor: Actor, *, name: str, win_rate: Decimal, position: int | None = None
) -> PipelineStage:
    """Add a stage to the pipeline: at a place from 1, or at its end."""
    actor.require(Permission.MANAGE_PIPELINE)
    stages = await _locked(work)
    used = in_use(stages)
    if len(used) >= MOST_STAGES:
        raise TooManyStages
    place = len(used) + 1 if position is None else position
    if not 1 <= place <= len(used) + 1:
        raise Invalid(f"A place is from 1 to {len(used) + 1}.", path=("position",))
    stage = PipelineStage(
        id=new_id(),
        name=_name(name, used, of=None),
        position=place,
        win_rate=_share(win_rate),
        created_at=work.now,
    )
    await work.save_all(list(_moved([*used[: place - 1], stage, *used[place - 1 :]], but=stage)))
    stage = await work.add(stage)
    work.record(PipelineChanged(at=work.now, stage_id=stage.id))
    return stage


async def update_stage(
    work: Work,
    actor: Actor,
    stage_id: UUID,
    *,
    name: str | None = None,
    win_rate: Decimal | None = None,
) -> PipelineStage:
    """Change a stage; None leaves a thing as it is.  Forecasts follow at once."""
    actor.require(Permission.MANAGE_PIPELINE)
    stages = await _locked(work)
    stage = stage_of(stages, stage_id)
    changed = replace(
        stage,
        name=stage.name if name is None else _name(name, in_use(stages), of=stage),
        win_rate=stage.win_rate if win_rate is None else _share(win_rate),
    )
    if changed == stage:
        return stage
    stage = await work.save(changed)
    work.record(PipelineChanged(at=work.now, stage_id=stage.id))
    return stage


async def reorder_stages(
    work: Work, actor: Actor, stage_ids: Sequence[UUID]
) -> Sequence[PipelineStage]:
    """Put the stages in another order.  Each that is in use is named exactly once."""
    actor.require(Permission.MANAGE_PIPELINE)
    stages = await _locked(work)
    for place, id in enumerate(stage_ids):
        stage_of(stages, id, path=("stages", place))
    used = {stage.id: stage for stage in in_use(stages)}
    if len(stage_ids) != len(used) or set(stage_ids) != used.keys():
        raise NotTheStages(f"Name each of the {len(used)} stages exactly once.", path=("stages",))
    moved = list(_moved([used[id] for id in stage_ids]))
    await work.save_all(moved)
    for stage in moved:
        work.record(PipelineChanged(at=work.now, stage_id=stage.id))
    return in_use(await work.find(PipelineStage))


async def archive_stage(work: Work, actor: Actor, stage_id: UUID) -> PipelineStage:
    """Put a stage away: what is in it stays until it moves on, and nothing new enters.

    Once more changes nothing.
    """
    actor.require(Permission.MANAGE_PIPELINE)
    stages = await _locked(work)
    stage = stage_of(stages, stage_id)
    if stage.archived_at is not None:
        return stage
    rest = [other for other in in_use(stages) if other.id != stage.id]
    if not rest:
        raise LastStage
    stage = await work.save(replace(stage, archived_at=work.now))
    await work.save_all(list(_moved(rest)))
    work.record(PipelineChanged(at=work.now, stage_id=stage.id))
    return stage


def stage_of(
    stages: Sequence[PipelineStage], stage_id: UUID, *, path: Sequence[str | int] = ("stage",)
) -> PipelineStage:
    """Return the stage of an id.

    Raises:
        NotFound: if this tenant has none.
    """
    for stage in stages:
        if stage.id == stage_id:
            return stage
    raise NotFound("pipeline stage", path=path)


def entered_stage(stages: Sequence[PipelineStage], key: UUID | str | None) -> PipelineStage:
    """Return the stage that an opportunity is to enter: by id or name; the first if none is said.

    Raises:
        NotFound: if there is none.
        ArchivedStage: if it is put away.
    """
    used = in_use(stages)
    if key is None:
        return used[0]
    if isinstance(key, str):
        named = [stage for stage in used if stage.name.casefold() == key.strip().casefold()]
        if not named:
            raise NotFound("pipeline stage", path=("stage",))
        return named[0]
    stage = stage_of(stages, key)
    if stage.archived_at is not None:
        raise ArchivedStage(stage)
    return stage


async def _locked(work: Work) -> Sequence[PipelineStage]:
    """Return all stages, with everybody else who changes the pipeline waiting."""
    await work.get(Tenant, work.tenant_id, lock=True)
    return await pipeline(work)


def _moved(
    stages: Sequence[PipelineStage], *, but: PipelineStage | None = None
) -> Iterator[PipelineStage]:
    """Return the stages whose place is another now, at that place."""
    for place, stage in enumerate(stages, start=1):
        if stage is not but and stage.position != place:
            yield replace(stage, position=place)


def _name(name: str, used: Sequence[PipelineStage], *, of: PipelineStage | None) -> str:
    kept = require_text(name, name="The name", path=("name",), longest=80)
    for stage in used:
        if (of is None or stage.id != of.id) and stage.name.casefold() == kept.casefold():
            raise StageNameTaken(kept)
    return kept


def _share(win_rate: Decimal) -> Decimal:
    if not (win_rate.is_finite() and 0 <= win_rate <= 1):
        raise Invalid("A win rate is a share from 0 to 1 (not a percentage).", path=("winRate",))
    return win_rate
