"""Which model predicts: only a better one takes the place of the one in use, or what somebody says.

Two models are compared by their Brier scores on the same outcomes, which neither had known: those
of the newest fifth that were closed after everything the model in use has learnt from.  Scores of
two different times say nothing about each other, because leads of one time are easier than others.
Without a model in use the rival is to tell the average every time.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.events import PredictionModelUsed
from domain.identity import Actor, Permission
from domain.ports import Work
from domain.prediction.learning import Lesson, Predictor, brier_score
from domain.prediction.models import (
    Comparison,
    CurrentModel,
    ModelNotReady,
    PredictionModel,
    PredictionStatus,
    PredictionVerdict,
)

LEAST_COMPARED = 30
"""Of fewer outcomes, which model did better is a matter of luck."""


def compared(lesson: Lesson, rival: PredictionModel | None) -> Comparison:
    """Return how a lesson and the model in use foretold what neither had known."""
    if rival is None or rival.trained is None or rival.known_to is None:
        shown = lesson.model.validation
        return Comparison(
            rival_id=None,
            rival_number=None,
            judged=shown.judged,
            brier_score=shown.brier_score,
            rival_brier_score=shown.baseline_brier_score,
        )
    new = [
        (told, each)
        for told, each in zip(lesson.told, lesson.judges, strict=True)
        if each.closed_at > rival.known_to
    ]
    known = Predictor(rival.trained)
    won = [each.won for _, each in new]
    foretold = [known.probability(each.facts) for _, each in new]
    return Comparison(
        rival_id=rival.id,
        rival_number=rival.number,
        judged=len(new),
        brier_score=brier_score([told for told, _ in new], won) if new else None,
        rival_brier_score=brier_score(foretold, won) if new else None,
    )


def verdict_on(comparison: Comparison, *, kept: bool) -> PredictionVerdict:
    """Say whether a model takes the place of the one in use, which somebody may have `kept`."""
    if kept:
        return PredictionVerdict.KEPT
    if comparison.rival_id is not None and comparison.judged < LEAST_COMPARED:
        return PredictionVerdict.TOO_FEW_NEW
    mine, others = comparison.brier_score, comparison.rival_brier_score
    if mine is not None and others is not None and mine < others:
        return PredictionVerdict.BETTER
    return PredictionVerdict.NO_BETTER


def spoken(comparison: Comparison, verdict: PredictionVerdict) -> str:
    """Return in words why a model was put in use when it was trained, or was not.

    In the past tense: it is kept with the version, and what is in use changes.
    """
    rival = "telling the average every time"
    if comparison.rival_number is not None:
        rival = f"version {comparison.rival_number}"
    scores = (
        f"On {comparison.judged} outcomes that neither had known it had a Brier score of"
        f" {comparison.brier_score}, and {rival} one of {comparison.rival_brier_score}."
    )
    match verdict:
        case PredictionVerdict.BETTER:
            return f"It was put in use.  {scores}"
        case PredictionVerdict.TOO_FEW_NEW:
            new = f"only {comparison.judged}" if comparison.judged else "none"
            return (
                f"Version {comparison.rival_number} stayed in use: {new} of the newest fifth of the"
                " outcomes had been closed after all that it had learnt from, and it takes"
                f" {LEAST_COMPARED} to compare."
            )
        case PredictionVerdict.KEPT:
            kept = f"Version {comparison.rival_number} stayed in use, because somebody had it kept."
            return f"{kept}  {scores}" if comparison.judged else kept
        case PredictionVerdict.NO_BETTER if comparison.rival_number is None:
            return f"Nothing was put in use: it was no better than an average.  {scores}"
        case PredictionVerdict.NO_BETTER:
            return f"Version {comparison.rival_number} stayed in use.  {scores}"


def in_use(model: PredictionModel, *, at: datetime, by: UUID | None, kept: bool) -> PredictionModel:
    """Return a model that predicts from an instant on."""
    return replace(model, in_use=True, used_at=at, used_by=by, kept=kept)


def out_of_use(model: PredictionModel) -> PredictionModel:
    """Return a model that does not predict any more."""
    return replace(model, in_use=False, kept=False)


async def use_model(
    work: Work, actor: Actor, model_id: UUID, *, kept: bool = False
) -> PredictionModel:
    """Predict by a trained model from now on; with `kept`, until somebody chooses again.

    Raises:
        ModelNotReady: if it was never trained.
    """
    actor.require(Permission.EDIT_SCORING)
    model = await work.get(PredictionModel, model_id, lock=True)
    if model.status is not PredictionStatus.READY:
        raise ModelNotReady(model)
    current = await work.ask(CurrentModel())
    if current is not None and current.id == model.id:
        # Nothing else predicts from now on; only who says so, and for how long, is new.
        return await work.save(replace(model, used_by=actor.user_id, kept=kept))
    if current is not None:
        await work.save(out_of_use(current))
    used = in_use(model, at=work.now, by=actor.user_id, kept=kept)
    used = await work.save(used)
    work.record(PredictionModelUsed(at=work.now, by=actor.user_id, model_id=used.id))
    return used
