"""The wall board, drawn from one snapshot.

The same drawing serves the first page and every update: the stream carries it and `morph.js` puts
only the differences on the screen.  So there is one picture of the board, not two that must agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from api.web.chart import pace_chart, pace_table
from api.web.figures import (
    calendar_day,
    chip,
    figure,
    icon,
    moment,
    stamp,
    time_left,
    tone,
    word,
)
from api.web.markup import Child, Html, fragment, tag
from api.web.payload import (
    Board,
    Breach,
    Commitment,
    CommitmentKind,
    Countdown,
    CountdownState,
    Goal,
    Returned,
    Side,
    Sla,
    Unit,
    Verdict,
)

_NEARLY_SURE = Decimal("0.99")
_ONE_POINT = Decimal("0.01")
_SETTLED = {Verdict.MET, Verdict.MISSED}


def whole_board(board: Board, tools: Html) -> Html:
    """Return the body of the page: what changes, and the tools, which do not."""
    return fragment([tag("header", _masthead(board), tools), _main(board), _footer(board)])


def live_parts(board: Board) -> Html:
    """Return the parts of the page that change, each with the id by which the script finds it."""
    return fragment([_masthead(board), _main(board), _footer(board)])


def headline(board: Board) -> str:
    """Say how both sides stand, for the window's title and for listeners."""
    if board.sla is None:
        return "No agreement in force"
    return " · ".join(f"{word(side.side)} {word(side.status).lower()}" for side in board.sides)


def _masthead(board: Board) -> Html:
    return tag(
        "div",
        tag("h1", _named(board.tenant_name)),
        None if board.sla is None else _period(board.sla),
        None if board.returned is None else _returned(board.returned),
        id="masthead",
    )


def _period(sla: Sla) -> Html:
    return tag(
        "p",
        tag("span", _named(sla.name), f" v{sla.number}", class_="sla-name"),
        tag("span", calendar_day(sla.starts_on), " to ", calendar_day(sla.last_on, "date")),
        tag(
            "span",
            f"working day {sla.working_days_elapsed} of {sla.working_days}",
            class_="elapsed",
        ),
        class_="period",
    )


def _returned(returned: Returned) -> Html:
    """Say what marketing's leads bought this month."""
    deals = "deal" if returned.won == 1 else "deals"
    left_out = f", {returned.unrated} left out for want of a rate" if returned.unrated else ""
    return tag(
        "p",
        tag("strong", figure(returned.amount.amount, Unit.MONEY, returned.amount.currency)),
        tag("span", " won this month with marketing’s leads"),
        tag("small", " ", figure(returned.won, Unit.COUNT), f" {deals}{left_out}"),
        class_="returned",
    )


def _main(board: Board) -> Html:
    return tag(
        "main",
        _unsigned() if board.sla is None else tag("div", map(_side, board.sides), class_="sides"),
        _strip(board),
        id="board",
        data_title=f"{headline(board)} – {board.tenant_name}",
    )


def _strip(board: Board) -> Html | None:
    if board.sla is None and not (board.countdowns or board.breaches or board.goals):
        return None
    return tag("div", _countdowns(board), _breaches(board), _goals(board), class_="strip")


def _unsigned() -> Html:
    return tag(
        "section",
        tag("h2", "No agreement in force"),
        tag(
            "p",
            "As soon as one that marketing and sales have both signed is in force, this board "
            "shows which side is ahead. It needs no reload.",
        ),
        class_="unsigned",
    )


def _side(side: Side) -> Html:
    return tag(
        "section",
        _hero(side),
        tag("div", map(_commitment, side.commitments), class_="commitments")
        if side.commitments
        else tag("p", "No commitment signed for this side.", class_="empty"),
        class_="side",
        data_key=side.side,
        data_count=min(len(side.commitments), 5),
    )


def _hero(side: Side) -> Html:
    on_pace = sum(commitment.status.is_on_pace for commitment in side.commitments)
    promised = len(side.commitments)
    return tag(
        "header",
        tag(
            "h2",
            tag("span", word(side.side), class_="side-name"),
            " ",
            _team(side),
            tag("span", icon(side.status), word(side.status), class_="verdict"),
        ),
        tag("p", tag("strong", f"{on_pace} of {promised}"), " on pace", class_="tally")
        if promised
        else None,
        class_="hero",
        data_tone=tone(side.status),
    )


def _team(side: Side) -> Html | None:
    """Return the team's name, unless it is called just as its side is."""
    if side.team_name.casefold() == side.side.casefold():
        return None
    return fragment([tag("span", _named(side.team_name), class_="team"), " "])


def _commitment(commitment: Commitment) -> Html:
    unit, currency = commitment.unit, commitment.currency
    return tag(
        "article",
        tag("header", tag("h3", _named(commitment.label)), chip(commitment.status)),
        tag(
            "p",
            tag("strong", figure(commitment.attained, unit, currency)),
            tag("span", _target(commitment.target, unit, currency), class_="target"),
            _gap(commitment),
            class_="score",
        ),
        pace_chart(commitment),
        tag("dl", _facts(commitment)),
        tag(
            "details",
            tag("summary", "Figures", tag("span", f" of {commitment.label}", class_="unseen")),
            tag(
                "div", pace_table(commitment), class_="scroll", tabindex=0, role="region",
                aria_label=f"Figures of {commitment.label}",
            ),
        ),
        class_="commitment",
        data_key=commitment.id,
        data_tone=tone(commitment.status),
    )  # fmt: skip


def _target(target: Decimal | None, unit: Unit, currency: str | None) -> Html:
    """Say "of 1,000" of what is counted up to a target, but "target 90%" of a share."""
    return fragment(["target " if unit is Unit.SHARE else "of ", figure(target, unit, currency)])


def _gap(commitment: Commitment) -> Html | None:
    """Say the distance to the pace in words, so that no sign has to be read from afar."""
    gap, unit = commitment.gap, commitment.unit
    if gap is None:
        return None
    if unit is Unit.SHARE:
        points = "point" if round(abs(gap), 3) == _ONE_POINT else "points"
        ahead, behind, even = f"{points} above", f"{points} below", "exactly on target"
        distance = figure(abs(gap) * 100, Unit.POINTS)
    else:
        ahead, behind, even = "ahead of pace", "behind pace", "exactly on pace"
        distance = figure(abs(gap), unit, commitment.currency)
    where = [distance, " ", ahead if gap > 0 else behind] if gap else even
    return tag("span", where, class_="gap")


def _facts(commitment: Commitment) -> list[Html]:
    """Return the few numbers worth a place under the chart; what is not known takes none."""
    unit, currency = commitment.unit, commitment.currency
    delivers = commitment.kind is CommitmentKind.DELIVERY
    floor = commitment.quality_floor
    needed = commitment.needed_per_working_day
    facts: list[tuple[str, Decimal | int | None, Child]] = [
        ("Expected", commitment.expected if delivers else None,
         figure(commitment.expected, unit, currency)),
        ("Projected", commitment.projected, figure(commitment.projected, unit, currency)),
        ("Needed a day", (needed or None) if delivers else None,
         figure(needed, unit if unit is Unit.MONEY else Unit.POINTS, currency)),
        ("Chance", commitment.probability, _chance(commitment)),
        ("Accepted", commitment.accepted_share,
         [figure(commitment.accepted_share, Unit.SHARE),
          None if floor is None else tag("small", " floor ", figure(floor, Unit.SHARE))]),
        ("Open", commitment.open, figure(commitment.open, Unit.COUNT)),
        ("Due soon", commitment.due_soon, figure(commitment.due_soon, Unit.COUNT)),
        ("Breached", commitment.breached, figure(commitment.breached, Unit.COUNT)),
    ]  # fmt: skip
    return [
        tag("div", tag("dt", name), tag("dd", shown))
        for name, value, shown in facts
        if value is not None
    ]


def _chance(commitment: Commitment) -> Child:
    """Return a chance in whole percent.  What is nearly certain is not called certain."""
    probability = commitment.probability
    if probability is None or commitment.status in _SETTLED:
        return figure(probability, Unit.SHARE)
    if probability > _NEARLY_SURE:
        return [">", figure(_NEARLY_SURE, Unit.SHARE)]
    if probability < 1 - _NEARLY_SURE:
        return ["<", figure(1 - _NEARLY_SURE, Unit.SHARE)]
    return figure(round(probability, 2), Unit.SHARE)


def _countdowns(board: Board) -> Html:
    rows = [_countdown(countdown, board) for countdown in board.countdowns]
    return _panel("Overdue and due next", "countdowns", rows, "No hand-off is waiting.")


def _countdown(countdown: Countdown, board: Board) -> Html:
    # Whose it is goes without saying if the team stands at the head of the board.
    is_named = any(side.team_name == countdown.team_name for side in board.sides)
    return tag(
        "li",
        icon(countdown.state),
        _subject(
            countdown.label,
            countdown.commitment_label,
            *(() if is_named else (countdown.team_name,)),
        ),
        _remaining(countdown, board),
        data_key=countdown.id,
        data_state=countdown.state,
    )


def _remaining(countdown: Countdown, board: Board) -> Html:
    if countdown.state is CountdownState.PAUSED:
        return tag("span", "Paused", class_="remaining")
    return tag(
        "time",
        time_left(countdown.due_at - board.as_of),
        datetime=stamp(countdown.due_at),
        class_="remaining",
        role="timer",
        data_countdown=True,
    )


def _breaches(board: Board) -> Html:
    rows = [_breach(breach) for breach in board.breaches]
    nothing = "No promise has been broken in the last seven days."
    return _panel("Latest breaches", "breaches", rows, nothing)


def _breach(breach: Breach) -> Html:
    ended = (
        [" answered ", moment(breach.ended_at, since=breach.at)]
        if breach.ended_at
        else " still open"
    )
    return tag(
        "li",
        icon(CountdownState.BREACHED),
        _subject(breach.label, breach.commitment_label),
        tag("span", moment(breach.at), tag("small", ended), class_="when"),
        data_key=breach.id,
        data_state="ENDED" if breach.ended_at else "OPEN",
    )


def _subject(label: str, *context: str) -> Html:
    """Return what a row is about.  A source such as paid_search is said in words."""
    names = [
        fragment([" · " if index else None, _named(name)]) for index, name in enumerate(context)
    ]
    return tag(
        "span", tag("b", _named(label.replace("_", " "))), tag("small", names), class_="subject"
    )


def _goals(board: Board) -> Html | None:
    rows = [_goal(goal) for goal in board.goals]
    return _panel("Goals", "goals", rows, "") if rows else None


def _goal(goal: Goal) -> Html:
    reached = [
        figure(goal.attained, goal.unit, goal.currency),
        tag("small", " ", _target(goal.target, goal.unit, goal.currency)),
    ]
    return tag(
        "li",
        tag("span", tag("b", _named(goal.name)), chip(goal.status), class_="subject"),
        tag("span", reached, class_="when"),
        _bar(goal),
        data_key=goal.id,
        data_tone=tone(goal.status),
    )


def _bar(goal: Goal) -> Html | None:
    """Return how far the goal is, with a tick where it should be by now.

    The whole bar is the target; that of a share is all there is, so its target lies within.
    """
    whole = Decimal(1) if goal.unit is Unit.SHARE else goal.target
    if not whole or goal.attained is None:
        return None
    marks = [tag("rect", class_="done", width=_part(goal.attained / whole), height="100%")]
    if goal.expected is not None:
        x = _part(goal.expected / whole)
        marks.append(tag("line", class_="due", x1=x, x2=x, y1="0", y2="100%"))
    return tag("svg", marks, class_="bar", aria_hidden="true")


def _part(share: Decimal) -> str:
    return f"{100 * min(max(share, Decimal(0)), Decimal(1)):.1f}%"


def _panel(title: str, name: str, rows: Sequence[Html], nothing: str) -> Html:
    content = tag("ul", rows) if rows else tag("p", nothing, class_="empty")
    return tag("section", tag("h2", title), content, class_=f"panel {name}", data_key=name)


def _footer(board: Board) -> Html:
    zone = (
        None if board.sla is None else tag("span", f"Working days count in {board.sla.time_zone}.")
    )
    marks = [("attained", "attained"), ("expected", "expected pace"), ("projection", "projection")]
    return tag(
        "footer",
        tag("ul", [_legend(mark, text) for mark, text in marks], class_="legend"),
        tag(
            "p",
            tag("span", "Figures as of ", moment(board.as_of), "."),
            " ",
            tag("span", "Times are in UTC.", data_zone=True),
            " ",
            zone,
        ),
        id="colophon",
    )


def _legend(mark: str, text: str) -> Html:
    line = tag("line", class_=mark, x1="0", x2="100%", y1="50%", y2="50%")
    return tag("li", tag("svg", line, class_="key", aria_hidden="true"), text)


def _named(name: str) -> Html:
    """Return a name that people chose: it may be in any script and run in any direction."""
    return tag("bdi", name)
