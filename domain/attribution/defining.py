"""Models of a tenant's own: made, computed for what there is, and put away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from domain.attribution.models import (
    BUILT_IN_MODELS,
    FIRST_OPPORTUNITY,
    AnchorShare,
    AttributionModel,
    BuiltInModel,
    CreditSpread,
)
from domain.attribution.reattributing import OpportunityCount, compute_models, models_in_use
from domain.attribution.sharing import SHARE_PLACES
from domain.errors import AlreadyExists, DomainError, Invalid, NotFound
from domain.events import AttributionModelChanged
from domain.identity import Actor, Permission
from domain.ids import new_id
from domain.ports import Work, first
from domain.values import require_text

MOST_OWN_MODELS = 20
_HALF_LIVES = range(1, 366)


class WeightsNotOne(Invalid):
    """Shares that would give away more or less than the deal."""

    code = "WEIGHTS_NOT_ONE"

    def __init__(self, total: Decimal) -> None:
        super().__init__(
            f"The shares of the anchors and of the rest sum to {total:f}; they must sum to 1.",
            path=("anchors",),
        )


class BadShare(Invalid):
    """Not a share."""

    code = "BAD_SHARE"


class AnchorTwice(Invalid):
    """An anchor that is given two shares."""

    code = "ANCHOR_TWICE"


class BadHalfLife(Invalid):
    """A half-life that a decay lacks, that nothing decays by, or that nobody means."""

    code = "BAD_HALF_LIFE"


class ModelNameTaken(AlreadyExists):
    """Another model in use has this name."""

    code = "MODEL_NAME_TAKEN"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is already a model called {name}.", path=("name",))


class TooManyModels(DomainError):
    """Each model is kept for every deal, so there can only be so many."""

    code = "TOO_MANY_MODELS"

    def __init__(self) -> None:
        super().__init__(
            f"There are {MOST_OWN_MODELS} models of your own already; archive one first."
        )


class ModelIsBuiltIn(DomainError):
    """Every tenant has this model, for good."""

    code = "MODEL_IS_BUILT_IN"

    def __init__(self) -> None:
        super().__init__("A built-in model cannot be archived.", path=("model",))


class ModelIsArchived(DomainError):
    """Nothing is computed by a model that was put away."""

    code = "MODEL_IS_ARCHIVED"

    def __init__(self) -> None:
        super().__init__("The model is archived; its credits are gone.", path=("model",))


class ModelIsComputing(DomainError):
    """Figures of a model that has not seen all deals would be too low."""

    code = "MODEL_IS_COMPUTING"

    def __init__(self, model: AttributionModel) -> None:
        share = f"{100 * model.computed_share:.0f} %"
        super().__init__(
            f"The model has been computed for {share} of your opportunities; try again soon.",
            path=("model",),
        )


async def create_model(
    work: Work,
    actor: Actor,
    *,
    name: str,
    anchors: Sequence[AnchorShare],
    rest_share: Decimal,
    spread: CreditSpread = CreditSpread.EVEN,
    half_life_days: int | None = None,
    skips_direct: bool = False,
) -> AttributionModel:
    """Make a model, and compute it for the first opportunities at once: most tenants have no more.

    Raises:
        WeightsNotOne: if the shares do not sum to exactly 1.
    """
    actor.require(Permission.DEFINE_ATTRIBUTION)
    model = AttributionModel(
        id=new_id(),
        name=require_text(name, name="The name", path=("name",)),
        anchors=tuple(anchors),
        rest_share=rest_share,
        spread=spread,
        half_life_days=half_life_days,
        skips_direct=skips_direct,
        created_at=work.now,
        created_by=actor.user_id,
        computing_after=FIRST_OPPORTUNITY,
    )
    check_terms(model)
    _check_room(model, await models_in_use(work))
    opportunities = await work.ask(OpportunityCount())
    await work.add(replace(model, opportunity_count=opportunities))
    work.record(AttributionModelChanged(at=work.now, model_id=model.id))
    await compute_models(work, actor)
    return await work.get(AttributionModel, model.id)


async def archive_model(work: Work, actor: Actor, model_id: UUID) -> AttributionModel:
    """Put a model away and forget its credits, the first at once.  Once more changes nothing."""
    actor.require(Permission.DEFINE_ATTRIBUTION)
    model = await model_of(work, model_id)
    if model.built_in is not None:
        raise ModelIsBuiltIn
    model = await work.get(AttributionModel, model.id, lock=True)
    if model.archived_at is not None:
        return model
    archived = replace(model, archived_at=work.now, computing_after=FIRST_OPPORTUNITY)
    await work.save(replace(archived, computed_count=0))
    work.record(AttributionModelChanged(at=work.now, model_id=model.id))
    await compute_models(work, actor)
    return await work.get(AttributionModel, model.id)


async def model_of(work: Work, key: UUID | BuiltInModel) -> AttributionModel:
    """Return the model that an id or the name of a built-in one tells.

    Raises:
        NotFound: if this tenant has none.
    """
    for model in BUILT_IN_MODELS:
        if key in (model.id, model.built_in):
            return model
    found = await first(work, AttributionModel, id=key)
    if found is None:
        raise NotFound("attribution model", path=("model",))
    return found


async def model_for_figures(work: Work, key: UUID | BuiltInModel) -> AttributionModel:
    """Return a model that figures can be read by.

    Raises:
        ModelIsArchived, ModelIsComputing: if there are no credits of it, or not all of them yet.
    """
    model = await model_of(work, key)
    if model.archived_at is not None:
        raise ModelIsArchived
    if model.is_computing:
        raise ModelIsComputing(model)
    return model


def check_terms(model: AttributionModel) -> None:
    """Refuse shares and a spread by which nothing could be shared out."""
    names = [each.anchor for each in model.anchors]
    for place, each in enumerate(model.anchors):
        if each.anchor in names[:place]:
            raise AnchorTwice(
                f"The anchor {each.anchor} is given two shares.", path=("anchors", place, "anchor")
            )
        _check_share(each.share, path=("anchors", place, "share"), least=Decimal("1e-12"))
    _check_share(model.rest_share, path=("restShare",), least=Decimal(0))
    total = sum((each.share for each in model.anchors), model.rest_share)
    if total != 1:
        raise WeightsNotOne(total)
    _check_spread(model)


def _check_share(share: Decimal, *, path: Sequence[str | int], least: Decimal) -> None:
    fits = share.is_finite() and least <= share <= 1
    if not fits or share != round(share, SHARE_PLACES):
        raise BadShare("A share lies between 0 and 1 (not a percentage).", path=path)


def _check_spread(model: AttributionModel) -> None:
    if model.spread is CreditSpread.EVEN:
        if model.half_life_days is not None:
            raise BadHalfLife("Only a decay has a half-life.", path=("halfLifeDays",))
    elif model.half_life_days not in _HALF_LIVES:
        raise BadHalfLife(
            f"A decay needs a half-life of {_HALF_LIVES[0]} to {_HALF_LIVES[-1]} days.",
            path=("halfLifeDays",),
        )


def _check_room(model: AttributionModel, others: Sequence[AttributionModel]) -> None:
    if any(other.name == model.name for other in others):
        raise ModelNameTaken(model.name)
    if len(others) - len(BUILT_IN_MODELS) >= MOST_OWN_MODELS:
        raise TooManyModels
