"""How sure it is that two leads are one person, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

_PLACES = Decimal("0.0001")
# How unlikely it is, before anything is known, that two leads are one person: one in a thousand.
_PRIOR = -10.0
# What rounding may take away from a score, and from the bits of four pieces of evidence.
_HALF_A_PLACE, _ROUNDED = 0.00005, 0.01


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
    """What agreement is worth: nothing at `even`, `most` where it is whole, `least` at `floor`.

    Just short of whole it is worth nearly `alike`.
    """

    most: float
    alike: float
    least: float
    even: float
    floor: float


# One mailbox is nearly one person.  A telephone is often an office's.  People have several
# addresses and change their employer, so that both differ says little; that names differ says much.
# An address is the same or another; one that looks alike is worth a hint.
_WORTH: Mapping[Trait, _Worth] = {
    Trait.EMAIL: _Worth(20, 4, -1, 0.85, 0.6),
    Trait.PHONE: _Worth(12, 0, -1, 0.9, 0.8),
    Trait.NAME: _Worth(8, 8, -8, 0.75, 0.5),
    Trait.COMPANY: _Worth(5, 5, -2, 0.7, 0.4),
}


def bits_of(trait: Trait, agreement: float) -> float:
    """Return what agreement in one thing is worth.

    It grows evenly from nothing at the point where it speaks for neither, and falls evenly below.
    """
    worth = _WORTH[trait]
    if agreement >= worth.even:
        most = worth.most if agreement == 1 else worth.alike
        return most * (agreement - worth.even) / (1 - worth.even)
    return worth.least * min((worth.even - agreement) / (worth.even - worth.floor), 1)


def weighed(trait: Trait, agreement: Decimal) -> Evidence:
    """Return agreement in one thing with what it is worth, both to four places."""
    bits = Decimal(bits_of(trait, float(agreement)))
    return Evidence(trait, *(each.quantize(_PLACES, ROUND_HALF_UP) for each in (agreement, bits)))


def bits_needed(wanted: Decimal) -> float:
    """Return how many bits it takes at least to be as sure as is wanted; what has less need not
    be weighed to the last place."""
    share = float(wanted) - _HALF_A_PLACE
    return math.log2(share / (1 - share)) - _PRIOR - _ROUNDED if share > 0 else -math.inf


def most_alike(*traits: Trait) -> float:
    """Return what things are worth at most that are not the same, but alike."""
    return sum(_WORTH[trait].alike for trait in traits)


def agreement_needed(trait: Trait, bits: float) -> float:
    """Return how far two must agree at least in one thing for it to be worth so many bits."""
    worth = _WORTH[trait]
    if bits > 0:
        return worth.even + (1 - worth.even) * bits / worth.alike
    if bits <= worth.least:
        return 0.0
    return worth.even - (worth.even - worth.floor) * bits / worth.least


def score(evidence: Sequence[Evidence]) -> Decimal:
    """Return how sure it is, from 0 to 1: odds / (1 + odds), odds = 2 ^ (prior + bits).

    Independent pieces of evidence multiply the odds (Fellegi and Sunter), so their bits add up.
    """
    # A power of a Decimal takes a hundred times as long, and is cut to four places anyway.
    odds = 2.0 ** (_PRIOR + float(sum((each.bits for each in evidence), Decimal(0))))
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
