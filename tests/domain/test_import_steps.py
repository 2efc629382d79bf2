from datetime import UTC, datetime, timedelta

import pytest

from domain.handoff import HandoffStatus
from domain.import_steps import (
    Entered,
    Given,
    History,
    ImpossibleStep,
    UnknownTeam,
    first_seen,
    missing_steps,
    named_team,
)
from domain.imports import ImportedStep, StepKind, in_order
from domain.stages import Stage

NOW = datetime(2018, 12, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return datetime(2018, 1, number, 12, tzinfo=UTC)


def stage(name: Stage, at: datetime) -> ImportedStep:
    return ImportedStep(kind=StepKind.STAGE, at=at, stage=name)


def step(kind: StepKind, at: datetime) -> ImportedStep:
    return ImportedStep(kind=kind, at=at)


def hand_off(at: datetime) -> ImportedStep:
    return step(StepKind.HAND_OFF, at)


def accept(at: datetime) -> ImportedStep:
    return step(StepKind.ACCEPT, at)


VISITOR = Entered(Stage.VISITOR, day(1))
MQL = Entered(Stage.MQL, day(2))
NEW = History((VISITOR,))
QUALIFIED = History((VISITOR, MQL))
WAITING = History((VISITOR, MQL), (Given(day(3)),))
ACCEPTED = History(
    (VISITOR, MQL, Entered(Stage.SAL, day(4))),
    (Given(day(3), HandoffStatus.ACCEPTED, day(4)),),
)
REJECTED = History(
    (VISITOR, MQL, Entered(Stage.LEAD, day(4), back=True)),
    (Given(day(3), HandoffStatus.REJECTED, day(4)),),
)
RECYCLED = History(
    (VISITOR, MQL, Entered(Stage.LEAD, day(4), back=True)),
    (Given(day(3), HandoffStatus.RECYCLED, day(4)),),
)
WON = (
    stage(Stage.MQL, day(2)),
    hand_off(day(3)),
    accept(day(4)),
    stage(Stage.CUSTOMER, day(5)),
)


def test_everything_is_news_about_a_new_lead():
    assert missing_steps(NEW, WON, now=NOW) == WON


@pytest.mark.parametrize(
    ("history", "news"),
    [(QUALIFIED, WON[1:]), (WAITING, WON[2:]), (ACCEPTED, WON[3:])],
)
def test_a_row_adds_only_what_is_not_known_yet(history, news):
    assert missing_steps(history, WON, now=NOW) == news


@pytest.mark.parametrize(
    ("history", "steps"),
    [
        (QUALIFIED, [stage(Stage.MQL, day(2))]),
        (QUALIFIED, [stage(Stage.MQL, day(9))]),  # it is one already: history is not rewritten
        (WAITING, [hand_off(day(3))]),
        (WAITING, [hand_off(day(2))]),
        (ACCEPTED, [stage(Stage.MQL, day(1)), hand_off(day(3)), accept(day(4))]),
        (ACCEPTED, [accept(day(7))]),
        (REJECTED, [stage(Stage.MQL, day(2)), hand_off(day(3)), step(StepKind.REJECT, day(4))]),
        (RECYCLED, [stage(Stage.MQL, day(2)), hand_off(day(3)), step(StepKind.RECYCLE, day(4))]),
        (NEW, [stage(Stage.VISITOR, day(8))]),
    ],
)
def test_what_is_known_is_left_as_it_is(history, steps):
    assert missing_steps(history, steps, now=NOW) == ()


@pytest.mark.parametrize(
    ("history", "told", "stored_at"),
    [
        (WAITING, accept(day(2)), day(3)),  # won before first contact: once in the real data
        (QUALIFIED, hand_off(day(1)), day(2)),
        (QUALIFIED, stage(Stage.CUSTOMER, day(1)), day(2)),
        (WAITING, step(StepKind.RECYCLE, day(1)), day(3)),
    ],
)
def test_nothing_is_stored_before_the_last_thing_known(history, told, stored_at):
    (stored,) = missing_steps(history, [told], now=NOW)

    assert stored.at == stored_at
    assert missing_steps(history.after(stored), [told], now=NOW) == ()


def test_in_one_row_an_answer_counts_from_the_hand_off_on():
    steps = in_order([hand_off(day(3)), stage(Stage.MQL, day(3)), accept(day(2)), WON[3]])

    assert missing_steps(NEW, steps, now=NOW) == (
        stage(Stage.MQL, day(3)),
        hand_off(day(3)),
        accept(day(3)),
        WON[3],
    )


def test_a_lead_sent_back_can_come_again():
    again = (stage(Stage.MQL, day(6)), hand_off(day(7)), accept(day(8)))

    assert missing_steps(REJECTED, again, now=NOW) == again


def test_an_old_step_does_not_bring_back_a_lead_that_was_sent_back():
    steps = [stage(Stage.MQL, day(3)), hand_off(day(3))]

    assert missing_steps(REJECTED, steps, now=NOW) == ()


@pytest.mark.parametrize(
    ("history", "steps", "message"),
    [
        (
            NEW,
            [accept(day(2))],
            (
                "The row says it was accepted on 2018-01-02T12:00Z, but it is not handed off, "
                "so there is nothing to answer."
            ),
        ),
        (
            NEW,
            [hand_off(day(2))],
            (
                "The row says it was handed off on 2018-01-02T12:00Z, but it is VISITOR, "
                "and only an MQL is handed off."
            ),
        ),
        (
            QUALIFIED,
            [stage(Stage.LEAD, day(3))],
            (
                "The row says it entered the stage LEAD on 2018-01-03T12:00Z, but it is MQL already"
                " and never was LEAD."
            ),
        ),
        (
            NEW,
            [step(StepKind.RECYCLE, day(3))],
            (
                "The row says it was recycled on 2018-01-03T12:00Z, but it is VISITOR, "
                "which is not recycled."
            ),
        ),
        (
            ACCEPTED,
            [step(StepKind.REJECT, day(6))],
            (
                "The row says it was rejected on 2018-01-06T12:00Z, but it is not handed off, "
                "so there is nothing to answer."
            ),
        ),
        (
            History((VISITOR, MQL, Entered(Stage.CUSTOMER, day(4))), (Given(day(3)),)),
            [accept(day(6))],
            "The row says it was accepted on 2018-01-06T12:00Z, but it is CUSTOMER already.",
        ),
        (
            NEW,
            [stage(Stage.MQL, NOW + timedelta(minutes=6))],
            (
                "The row says it entered the stage MQL on 2018-12-01T00:06Z, "
                "but that lies in the future."
            ),
        ),
    ],
)
def test_what_cannot_have_happened_is_refused(history, steps, message):
    with pytest.raises(ImpossibleStep) as refused:
        missing_steps(history, steps, now=NOW)

    assert refused.value.message == message


def test_a_clock_that_runs_a_little_ahead_is_forgiven():
    steps = [stage(Stage.MQL, NOW + timedelta(minutes=5))]

    assert missing_steps(NEW, steps, now=NOW) == (stage(Stage.MQL, NOW),)


def test_a_lead_is_first_seen_when_the_first_thing_happened():
    assert first_seen(day(5), [accept(day(4))]) == day(4)
    assert first_seen(None, [accept(day(4)), accept(day(3))]) == day(3)
    assert first_seen(day(5), []) == day(5)
    assert first_seen(None, []) is None


def test_a_team_is_the_named_one_or_the_only_one():
    assert named_team("B", ["A", "B"], path=(), side="sales") == 1
    assert named_team(None, ["A"], path=(), side="sales") == 0


@pytest.mark.parametrize(
    ("name", "teams", "message"),
    [
        (None, [], "There is no sales team; name one in the mapping."),
        (None, ["A", "B"], "There is more than one sales team; name one in the mapping."),
        ("Sale", ["Sales"], "There is no sales team 'Sale'; did you mean 'Sales'?"),
        ("X", [], "There is no sales team 'X'; there is none at all."),
    ],
)
def test_a_team_that_cannot_be_told_is_refused(name, teams, message):
    with pytest.raises(UnknownTeam) as refused:
        named_team(name, teams, path=("hand_off", "to_team"), side="sales")

    assert (refused.value.message, refused.value.path) == (message, ("hand_off", "to_team"))
