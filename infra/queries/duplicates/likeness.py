"""How far two leads agree; and which of many are worth weighing at all, in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rapidfuzz import fuzz, process
from rapidfuzz.distance import JaroWinkler
from rapidfuzz.utils import default_process

from domain.duplicates import Evidence, LeadPrint, Match, Trait, weighed
from domain.duplicates.scoring import agreement_needed, bits_of, most_alike

# Names that agree less than that with their words in order are not alike by their beginnings.
LEAST_ALIKE = 0.3
# Two mailboxes are never as good as one, and less so at two places.
NEXT_TO_ONE, ELSEWHERE = 0.99, 0.95
# What may speak for two leads that share no strong key, their names aside.
_ASIDE = most_alike(Trait.EMAIL, Trait.COMPANY)
_ADDRESS, _NAME = most_alike(Trait.EMAIL), most_alike(Trait.NAME)


@dataclass(frozen=True, slots=True)
class Card:
    """A print as it is compared: words are put in order once, not for every comparison.

    Nobody without a `person` has a name to be `turned`.
    """

    print: LeadPrint
    person: str | None
    turned: str
    words: str
    place: str
    employer: str | None


def card_of(each: LeadPrint) -> Card:
    """Return a print as it is compared."""
    local, _, place = (each.mailbox or "").rpartition("@")
    return Card(
        each,
        each.person,
        _in_order(each.person or ""),
        _in_order(default_process(local)),
        place,
        None if each.employer is None else _in_order(each.employer),
    )


def least_alike(needed: float) -> float:
    """Return how far the names of two must agree that share no strong key."""
    return agreement_needed(Trait.NAME, needed - _ASIDE)


class Block:
    """Prints that share a key, in line: one of them is compared with many of them at once.

    Those that cannot come to the bits that it takes are not weighed.  No pair is lost by that: of
    two that share no strong key, the names must make up for what all else can be worth at most.
    """

    def __init__(self, cards: Sequence[Card], *, needed: float, strong: bool) -> None:
        self._cards = cards
        self._needed = needed
        self._strong = strong
        self._names = [card.person for card in cards]
        self._turned = [card.turned or None for card in cards]
        self._least = least_alike(needed)

    def matches(self, one: Card, start: int, end: int) -> Iterator[Match]:
        """Yield those from `start` up to `end` with which one may come to the bits it takes."""
        for place in self._worth_weighing(one, start, end):
            other = self._cards[place]
            if _bits(one, other, self._needed) >= self._needed:
                yield Match((one.print, other.print), evidence_of(one, other))

    def _worth_weighing(self, one: Card, start: int, end: int) -> Sequence[int]:
        if self._strong or self._least <= 0:
            return range(start, end)
        names, turned = self._names[start:end], self._turned[start:end]
        nameless = self._needed <= _ASIDE
        if one.person is None:
            return range(start, end) if nameless else ()
        alike = process.extract(
            one.person,
            names,
            scorer=JaroWinkler.normalized_similarity,
            score_cutoff=self._least,
            limit=None,
        )
        alike += process.extract(
            one.turned, turned, scorer=fuzz.ratio, score_cutoff=100 * self._least, limit=None
        )
        found = {start + place for _, _, place in alike}
        if nameless:
            found |= {start + place for place, name in enumerate(names) if name is None}
        return sorted(found)


def evidence_of(one: Card, other: Card) -> tuple[Evidence, ...]:
    """Return in what two leads agree and how far; of what one of them does not say, nothing."""
    return tuple(
        weighed(trait, Decimal(str(round(agreement, 4))))
        for trait, agreement in (
            (Trait.EMAIL, _mailboxes(one, other)),
            (Trait.PHONE, _phones(one, other)),
            (Trait.NAME, _names(one, other)),
            (Trait.COMPANY, _companies(one, other)),
        )
        if agreement is not None
    )


def _bits(one: Card, other: Card, needed: float) -> float:
    """Return what it is all worth, roughly, or less than is needed once that is sure.

    Most namesakes are told apart by where they work, so that is looked at first.
    """
    found = _worth(Trait.COMPANY, _companies(one, other)) + _worth(Trait.PHONE, _phones(one, other))
    differs = one.print.mailbox != other.print.mailbox
    if differs and found + _NAME + _ADDRESS < needed:
        return found
    found += _worth(Trait.NAME, _names(one, other))
    if differs and found + _ADDRESS < needed:
        return found
    return found + _worth(Trait.EMAIL, _mailboxes(one, other))


def _worth(trait: Trait, agreement: float | None) -> float:
    return 0.0 if agreement is None else bits_of(trait, agreement)


def _in_order(words: str) -> str:
    return " ".join(sorted(words.split()))


def _phones(one: Card, other: Card) -> float | None:
    mine, theirs = one.print.phone, other.print.phone
    return None if mine is None or theirs is None else float(mine == theirs)


def _mailboxes(one: Card, other: Card) -> float | None:
    """Return how alike two mailboxes are that are not the same: by the words before the @."""
    if one.print.mailbox is None or other.print.mailbox is None:
        return None
    if one.print.mailbox == other.print.mailbox:
        return 1.0
    alike = min(fuzz.ratio(one.words, other.words) / 100, NEXT_TO_ONE)
    return alike * (1 if one.place == other.place else ELSEWHERE)


def _names(one: Card, other: Card) -> float | None:
    """Return how alike two names are, in whichever order their parts stand.

    A slip near the end of a long name weighs less than one at its beginning.
    """
    if one.person is None or other.person is None:
        return None
    turned = fuzz.ratio(one.turned, other.turned) / 100
    if turned <= LEAST_ALIKE:
        return turned
    return max(turned, JaroWinkler.normalized_similarity(one.person, other.person))


def _companies(one: Card, other: Card) -> float | None:
    """Return how alike two companies are: by their domain, and where one has none by name."""
    if one.print.domain is not None and one.print.domain == other.print.domain:
        return 1.0
    if one.employer is None or other.employer is None:
        return None
    return fuzz.ratio(one.employer, other.employer) / 100
