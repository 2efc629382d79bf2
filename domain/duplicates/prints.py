"""What leads are compared by: a print of each, with keys that bring likely ones together."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from enum import StrEnum
from uuid import UUID

from domain.leads import Company, Lead

# Addresses that many people read, and say nothing of one.
_SHARED = frozenset(
    {"admin", "billing", "contact", "hello", "help", "info", "mail", "office", "sales", "support"}
)
# Where dots in an address mean nothing.
_DOTLESS = frozenset({"gmail.com", "googlemail.com"})
_SHORTEST_LOCAL = 5
_SOUNDS = {
    **dict.fromkeys("bfpvw", "1"),
    **dict.fromkeys("cgjkqsxz", "2"),
    **dict.fromkeys("dt", "3"),
    "l": "4",
    **dict.fromkeys("mn", "5"),
    "r": "6",
}


# Longer than that nobody's name tells more about where it stands among others.
_LONGEST_LINE = 100


class Key(StrEnum):
    """What brings leads together that are worth comparing: those that share none are not.

    One mailbox; one telephone; names that sound alike, in either order; the same words before the
    @, wherever the person works; half a name that sounds or begins alike, at one company.
    """

    MAILBOX = "mailbox"
    PHONE = "phone"
    SOUND = "sound_key"
    LOCAL = "local_key"
    WORK_SOUND = "work_sound_key"
    WORK_INITIAL = "work_initial_key"

    @property
    def is_strong(self) -> bool:
        """Whether those that share it are compared whatever they are called."""
        return self in (Key.MAILBOX, Key.PHONE)

    @property
    def line(self) -> str:
        """In which order those stand that share it, so that the likeliest are next to each other.

        By what the key does not tell: where it is the name, by the employer, else by the name.
        """
        return "by_employer" if self in (Key.SOUND, Key.LOCAL) else "by_name"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadPrint:
    """What a lead is compared by: what it says, folded, its keys, and its places in line."""

    lead_id: UUID
    person: str | None = None
    mailbox: str | None = None
    phone: str | None = None
    employer: str | None = None
    domain: str | None = None
    sound_key: str | None = None
    local_key: str | None = None
    work_sound_key: str | None = None
    work_initial_key: str | None = None
    by_name: str = ""
    by_employer: str = ""


def print_of(lead: Lead, company: Company | None) -> LeadPrint:
    """Return what a lead is compared by."""
    given, family = folded(lead.first_name), folded(lead.last_name)
    person = " ".join(part for part in (given, family) if part) or None
    employer = None if company is None else company.normal_name or None
    domain = None if company is None else company.domain
    place, sounds = domain or employer, _sounds(family)
    both = sorted(sound for sound in (_sounds(given), sounds) if sound)
    return LeadPrint(
        lead_id=lead.id,
        person=person,
        mailbox=mailbox(lead.email),
        phone=lead.phone,
        employer=employer,
        domain=domain,
        sound_key=" ".join(both) if len(both) == 2 else None,
        local_key=_local_key(lead.email),
        work_sound_key=f"{place} {sounds}" if place and sounds else None,
        work_initial_key=f"{place} {given[0]}" if place and given else None,
        by_name=_line(person, lead.email),
        by_employer=_line(employer or domain, person),
    )


def folded(text: str | None) -> str | None:
    """Return words as they are compared: small, without accents, signs and spaces too many."""
    if not text:
        return None
    plain = unicodedata.normalize("NFKD", text.casefold().replace("ø", "o").replace("ł", "l"))
    letters = (sign if sign.isalnum() else " " for sign in plain if not unicodedata.combining(sign))
    return " ".join("".join(letters).split()) or None


def mailbox(email: str | None) -> str | None:
    """Return the mailbox that an address leads to: what follows a + is the sender's own affair."""
    if not email or "@" not in email:
        return None
    local, _, domain = email.lower().rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _DOTLESS:
        local = local.replace(".", "")
    return f"{local}@{domain}"


def fingerprint(prints: Sequence[LeadPrint]) -> str:
    """Return a digest of what two leads were compared by, the same whichever comes first."""
    told = sorted(repr(astuple(each)) for each in prints)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _line(*parts: str | None) -> str:
    return " ".join(part for part in parts if part)[:_LONGEST_LINE]


def _local_key(email: str | None) -> str | None:
    """Return the words before the @ in order of the alphabet, without figures."""
    if not email:
        return None
    local = email.lower().rpartition("@")[0].partition("+")[0]
    words = sorted(word for word in re.split(r"[^a-z]+", local) if word)
    key = " ".join(words)
    if key in _SHARED or len(key.replace(" ", "")) < _SHORTEST_LOCAL:
        return None
    return key


def _sounds(words: str | None) -> str | None:
    """Return how the last word sounds, after Soundex; its initial counts by its sound too."""
    if not words:
        return None
    word = words.rpartition(" ")[2]
    codes: list[str] = []
    last = ""
    for sign in word:
        code = _SOUNDS.get(sign, "")
        if code and code != last:
            codes.append(code)
        if sign not in "hw":
            last = code
    vowel = "" if word[0] in _SOUNDS else word[0] if word[0].isdigit() else "0"
    return f"{vowel}{''.join(codes)}"[:5] or word[0]
