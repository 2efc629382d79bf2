"""What of an imported row is news: the steps a lead's history does not hold yet, in their place.

An import adds to a history and never rewrites it.  What is known already is left as it is, what
would lie before the last thing known is stored at that instant, and what cannot have happened at
all is refused, before anything is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.errors import DomainError, Invalid
from domain.handoff import Handoff, HandoffStatus
from domain.imports import ImportedStep, StepKind, did_you_mean, in_order
from domain.leads import Lead
from domain.lifecycle import StageEntry
from domain.stages import Stage

# How far the clock of another system may run ahead of ours.
CLOCK_TOLERANCE = timedelta(minutes=5)

_DECISIONS = {
    StepKind.ACCEPT: HandoffStatus.ACCEPTED,
    StepKind.REJECT: HandoffStatus.REJECTED,
    StepKind.RECYCLE: HandoffStatus.RECYCLED,
}
_RECYCLABLE = frozenset({Stage.MQL, Stage.SAL, Stage.SQL, Stage.OPPORTUNITY})
_WORDS = {
    StepKind.STAGE: "entered the stage",
    StepKind.HAND_OFF: "was handed off",
    StepKind.ACCEPT: "was accepted",
    StepKind.REJECT: "was rejected",
    StepKind.RECYCLE: "was recycled",
}


class ImpossibleStep(DomainError):
    """A row says that something happened which cannot have happened to this lead."""

    code = "IMPOSSIBLE_STEP"

    def __init__(self, step: ImportedStep, why: str) -> None:
        words = f"{_WORDS[step.kind]} {step.stage}" if step.stage else _WORDS[step.kind]
        on = step.at.isoformat(timespec="minutes").replace("+00:00", "Z")
        super().__init__(f"The row says it {words} on {on}, but {why}.", path=path_of(step))


class UnknownTeam(Invalid):
    """A row names a team that there is not, or none where there are several."""

    code = "UNKNOWN_TEAM"


@dataclass(frozen=True, slots=True)
class Entered:
    """A stage entered, forward or by being sent back."""

    stage: Stage
    at: datetime
    back: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """A hand-off and its answer."""

    at: datetime
    status: HandoffStatus = HandoffStatus.OPEN
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a lead, oldest first."""

    entries: tuple[Entered, ...]
    handoffs: tuple[Given, ...] = ()

    @property
    def stage(self) -> Stage:
        return self.entries[-1].stage

    @property
    def waiting(self) -> Given | None:
        """The hand-off that waits for an answer."""
        return next((each for each in self.handoffs if each.status is HandoffStatus.OPEN), None)

    @property
    def since(self) -> datetime:
        """The last thing known; nothing that follows from it is older."""
        waiting = self.waiting
        entered_at = self.entries[-1].at
        return entered_at if waiting is None else max(entered_at, waiting.at)

    def knows(self, step: ImportedStep) -> bool:
        """Say whether a step is known, be it at another instant, or older than what followed it."""
        match step.kind:
            case StepKind.STAGE:
                been = any(e.stage is step.stage and not e.back for e in self.entries)
                past = step.at <= self.entries[-1].at
                return been and (past or not self._is_ahead(step.stage))
            case StepKind.HAND_OFF:
                past = step.at <= self.entries[-1].at or self.stage.rank > Stage.MQL.rank
                same = any(each.at == step.at for each in self.handoffs)
                return same or self.waiting is not None or (bool(self.handoffs) and past)
            case StepKind.ACCEPT | StepKind.REJECT:
                return self._knows_answer(step)
            case StepKind.RECYCLE:
                past = step.at <= self.entries[-1].at or self.stage not in _RECYCLABLE
                return bool(self._recycled) and past

    def after(self, step: ImportedStep) -> History:
        """Return the history with one step more.

        Raises:
            ImpossibleStep: if it cannot have come next.
        """
        match step.kind:
            case StepKind.STAGE:
                return self._entering(step)
            case StepKind.HAND_OFF if self.stage is Stage.MQL:
                return replace(self, handoffs=(*self.handoffs, Given(step.at)))
            case StepKind.HAND_OFF:
                raise ImpossibleStep(step, f"it is {self.stage}, and only an MQL is handed off")
            case StepKind.RECYCLE if self.stage not in _RECYCLABLE:
                raise ImpossibleStep(step, f"it is {self.stage}, which is not recycled")
            case _:
                return self._answering(step)

    @property
    def _recycled(self) -> set[datetime]:
        rejected = {h.decided_at for h in self.handoffs if h.status is HandoffStatus.REJECTED}
        return {entry.at for entry in self.entries if entry.back and entry.at not in rejected}

    def _is_ahead(self, stage: Stage | None) -> bool:
        return stage is not None and stage.rank > self.stage.rank

    def _knows_answer(self, step: ImportedStep) -> bool:
        given = [each for each in self.handoffs if each.status is _DECISIONS[step.kind]]
        waiting = self.waiting
        same = any(each.decided_at == step.at for each in given)
        return same or (bool(given) and (waiting is None or step.at < waiting.at))

    def _entering(self, step: ImportedStep) -> History:
        if step.stage is None or not self._is_ahead(step.stage):
            raise ImpossibleStep(step, f"it is {self.stage} already and never was {step.stage}")
        return replace(self, entries=(*self.entries, Entered(step.stage, step.at)))

    def _answering(self, step: ImportedStep) -> History:
        waiting, status = self.waiting, _DECISIONS[step.kind]
        if waiting is None and step.kind is not StepKind.RECYCLE:
            raise ImpossibleStep(step, "it is not handed off, so there is nothing to answer")
        accepted = status is HandoffStatus.ACCEPTED
        if accepted and not self._is_ahead(Stage.SAL):
            raise ImpossibleStep(step, f"it is {self.stage} already")
        entry = Entered(Stage.SAL if accepted else Stage.LEAD, step.at, back=not accepted)
        answered = tuple(
            Given(each.at, status, step.at) if each is waiting else each for each in self.handoffs
        )
        return History((*self.entries, entry), answered)


def history_of(lead: Lead, entries: Iterable[StageEntry], handoffs: Iterable[Handoff]) -> History:
    """Return what is known of a lead that is stored."""
    entered = [
        Entered(e.stage, e.entered_at, e.previous is not None and e.previous.rank > e.stage.rank)
        for e in sorted(entries, key=lambda entry: (entry.entered_at, entry.id))
    ]
    # What the lead itself says is what counts.
    if not entered or (entered[-1].stage, entered[-1].at) != (lead.stage, lead.stage_entered_at):
        entered.append(Entered(lead.stage, lead.stage_entered_at))
    given = (Given(h.handed_off_at, h.status, h.decided_at) for h in handoffs)
    return History(tuple(entered), tuple(sorted(given, key=lambda each: each.at)))


def first_seen(seen_at: datetime | None, steps: Sequence[ImportedStep]) -> datetime | None:
    """Return when a new lead was first seen: nothing happens to a lead before that."""
    instants = [step.at for step in steps]
    return min([*instants, *([seen_at] if seen_at else [])], default=None)


def missing_steps(
    history: History, steps: Sequence[ImportedStep], *, now: datetime
) -> tuple[ImportedStep, ...]:
    """Return the steps that are news, each at the instant it is to be stored at.

    Raises:
        ImpossibleStep: if one of them cannot have happened, or lies in the future.
    """
    missing = []
    for told in _after_the_hand_off(history, steps):
        if told.at > now + CLOCK_TOLERANCE:
            raise ImpossibleStep(told, "that lies in the future")
        if history.knows(told):
            continue
        step = replace(told, at=min(max(told.at, history.since), now))
        history = history.after(step)
        missing.append(step)
    return tuple(missing)


def named_team(name: str | None, teams: Sequence[str], *, path: tuple[str, ...], side: str) -> int:
    """Return which of the teams of a side a row means, by its place: the named or the only one.

    Raises:
        UnknownTeam: if there is none of that name, or none is named and there are several.
    """
    if name is None and len(teams) == 1:
        return 0
    if name is None:
        which = "no" if not teams else "more than one"
        raise UnknownTeam(f"There is {which} {side} team; name one in the mapping.", path=path)
    if name in teams:
        return teams.index(name)
    hint = did_you_mean(name, teams) if teams else "there is none at all."
    raise UnknownTeam(f"There is no {side} team {name[:80]!r}; {hint}", path=path)


def path_of(step: ImportedStep, key: str = "at") -> tuple[str, ...]:
    """Return where a mapping speaks of a step."""
    kind = step.kind.lower()
    return (kind, key) if step.stage is None else (kind, step.stage, key)


def _after_the_hand_off(
    history: History, steps: Sequence[ImportedStep]
) -> tuple[ImportedStep, ...]:
    """Return the steps with nothing that follows from a hand-off before it.

    In one row, an answer that is older than the hand-off counts from the hand-off on.
    """
    given = next((step for step in steps if step.kind is StepKind.HAND_OFF), None)
    if given is None or history.knows(given):
        return tuple(steps)
    return in_order(
        replace(step, at=given.at) if step.at < given.at and _follows(step) else step
        for step in steps
    )


def _follows(step: ImportedStep) -> bool:
    if step.stage is not None:
        return step.stage.rank > Stage.MQL.rank
    return step.kind in (StepKind.ACCEPT, StepKind.REJECT)
