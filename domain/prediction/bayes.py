"""Naive Bayes over what is known of a lead, as Odoo scores leads: exact, in decimals.

Source: docs/sources.md, "Predictive lead scoring".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

SMOOTHING = Decimal("0.1")
UNKNOWN = ""
"""Stands for a fact that is not known, which says something, too."""

Facts = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueCounts:
    """How many with one value of a field were won and lost."""

    value: str
    won: int
    lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldCounts:
    """The counts of all values of one field."""

    field: str
    values: tuple[ValueCounts, ...]

    @property
    def won_total(self) -> Decimal:
        """All that were won, each value's smoothed."""
        return sum((each.won + SMOOTHING for each in self.values), Decimal(0))

    @property
    def lost_total(self) -> Decimal:
        return sum((each.lost + SMOOTHING for each in self.values), Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeCounts:
    """How many were won and lost, in all and by the value of each field."""

    won: int
    lost: int
    fields: tuple[FieldCounts, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """How much one known fact speaks for winning: above 1 for it, below 1 against it."""

    field: str
    value: str
    factor: Decimal


def counted(outcomes: Iterable[tuple[Facts, bool]], fields: Sequence[str]) -> OutcomeCounts:
    """Return the counts of outcomes: the facts of each, and whether it was won."""
    won = lost = 0
    found: dict[str, dict[str, list[int]]] = {
        field: defaultdict(lambda: [0, 0]) for field in fields
    }
    for facts, is_won in outcomes:
        won, lost = won + is_won, lost + (not is_won)
        for field in fields:
            found[field][facts.get(field, UNKNOWN)][is_won] += 1
    return OutcomeCounts(
        won=won,
        lost=lost,
        fields=tuple(
            FieldCounts(
                field=field,
                values=tuple(
                    ValueCounts(value=value, won=counts[1], lost=counts[0])
                    for value, counts in sorted(values.items())
                ),
            )
            for field, values in found.items()
        ),
    )


def commonest(counts: OutcomeCounts, most: int) -> OutcomeCounts:
    """Return counts with the commonest values of each field; the others then say nothing."""
    return replace(
        counts,
        fields=tuple(
            replace(
                field,
                values=tuple(
                    sorted(field.values, key=lambda each: (-each.won - each.lost, each.value))
                )[:most],
            )
            for field in counts.fields
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Counts made ready to be held against many leads: the odds of any, and what each fact says."""

    odds: Decimal
    factors: Mapping[str, Mapping[str, Decimal]]

    def said_by(self, facts: Facts) -> tuple[Factor, ...]:
        """Return what each known fact says; a value that was never met says nothing."""
        said = []
        for field, values in self.factors.items():
            value = facts.get(field, UNKNOWN)
            if value in values:
                said.append(Factor(field=field, value=value, factor=values[value]))
        return tuple(said)

    def chance(self, facts: Facts) -> Decimal:
        """Return the chance of winning, a share of 0-1.

        S_won = (W/N) · Π won(v)/won_total, S_lost likewise; S_won / (S_won + S_lost).
        """
        odds = self.odds
        for said in self.said_by(facts):
            odds *= said.factor
        return odds / (1 + odds)


def evidence(counts: OutcomeCounts) -> Evidence:
    """Return what counts say: won(v)/won_total by lost(v)/lost_total, each count with 0.1 added.

    Raises:
        ValueError: if nothing was ever won or nothing lost: then nothing can be said.
    """
    if not counts.won or not counts.lost:
        raise ValueError("a chance takes outcomes of both kinds")
    return Evidence(
        odds=Decimal(counts.won) / counts.lost,
        factors={field.field: _factors(field) for field in counts.fields},
    )


def _factors(field: FieldCounts) -> Mapping[str, Decimal]:
    won_total, lost_total = field.won_total, field.lost_total
    return {
        each.value: ((each.won + SMOOTHING) / won_total) / ((each.lost + SMOOTHING) / lost_total)
        for each in field.values
    }


def chance(counts: OutcomeCounts, facts: Facts) -> Decimal:
    """Return the chance of winning one lead by some counts; for many, make the evidence once."""
    return evidence(counts).chance(facts)
