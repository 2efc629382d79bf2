"""How sure it is that two leads are one person, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

_PLACES = Decimal("0.0001")
# How unlikely it is, before anything is known, that two leads are one person: one in a thousand.
_PRIOR = Decimal(-10)


class Trait(StrEnum):
    """By what two leads are compared."""

    EMAIL = "EMAIL"
    PHONE = "PHONE"
    NAME = "NAME"
    COMPANY = "COMPANY"


@dataclass(frozen=True, slots=True)
class Evidence:
    """How far two leads agree in one thing, from 0 to 1, and what that is worth, in bits.

    A bit more doubles the odds that they are one person, one less halves them.
    """

    trait: Trait
    agreement: Decimal
    bits: Decimal


@dataclass(frozen=True, slots=True)
class _Worth:
    """What agreement is worth: nothing at `even`, `most` where it is whole, `least` at `floor`."""

    most: Decimal
    least: Decimal
    even: Decimal
    floor: Decimal


# One mailbox is nearly one person.  A telephone is often an office's.  People have several
# addresses and change their employer, so that both differ says little; that names differ says much.
_WORTH: Mapping[Trait, _Worth] = {
    Trait.EMAIL: _Worth(Decimal(20), Decimal(-1), Decimal("0.85"), Decimal("0.6")),
    Trait.PHONE: _Worth(Decimal(12), Decimal(-1), Decimal("0.9"), Decimal("0.8")),
    Trait.NAME: _Worth(Decimal(8), Decimal(-8), Decimal("0.75"), Decimal("0.5")),
    Trait.COMPANY: _Worth(Decimal(5), Decimal(-2), Decimal("0.7"), Decimal("0.4")),
}
# An address is the same or another; one that looks alike is worth a hint.
_ALIKE = {Trait.EMAIL: Decimal(4), Trait.PHONE: Decimal(0)}


def weighed(trait: Trait, agreement: Decimal) -> Evidence:
    """Return what agreement in one thing is worth.

    It grows evenly from nothing at the point where it speaks for neither, and falls evenly below.
    """
    worth, one = _WORTH[trait], Decimal(1)
    if agreement >= worth.even:
        most = worth.most if agreement == one else _ALIKE.get(trait, worth.most)
        bits = most * (agreement - worth.even) / (one - worth.even)
    else:
        below = (worth.even - agreement) / (worth.even - worth.floor)
        bits = worth.least * min(below, one)
    return Evidence(trait, agreement.quantize(_PLACES, ROUND_HALF_UP), bits.quantize(_PLACES))


def score(evidence: Sequence[Evidence]) -> Decimal:
    """Return how sure it is, from 0 to 1: odds / (1 + odds), odds = 2 ^ (prior + bits).

    Independent pieces of evidence multiply the odds (Fellegi and Sunter), so their bits add up.
    """
    # A power of a Decimal takes a hundred times as long, and is cut to four places anyway.
    odds = 2.0 ** float(_PRIOR + sum((each.bits for each in evidence), Decimal(0)))
    return Decimal(odds / (1 + odds)).quantize(_PLACES, ROUND_HALF_UP)


def sentence(evidence: Evidence) -> str:
    """Return one piece of evidence in words."""
    what = {
        Trait.EMAIL: "e-mail addresses",
        Trait.PHONE: "telephone numbers",
        Trait.NAME: "names",
        Trait.COMPANY: "companies",
    }[evidence.trait]
    if evidence.agreement == 1:
        return f"The {what} are the same."
    percent = (evidence.agreement * 100).quantize(Decimal(1), ROUND_HALF_UP)
    verdict = "alike" if evidence.bits > 0 else "different"
    return f"The {what} are {verdict}: they agree by {percent} %."
