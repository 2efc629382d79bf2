"""Telephone numbers and domains in the one form they are kept in, and why they cannot be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from domain.errors import Invalid
from domain.ports import Question


class PhoneFault(Enum):
    """Why a text is no telephone number."""

    NOT_A_NUMBER = auto()
    NO_REGION = auto()


@dataclass(frozen=True, slots=True)
class WrittenPhone:
    """A telephone number as somebody wrote it, and the country it was written in, if known."""

    text: str
    region: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhonesOf(Question[Sequence[str | PhoneFault]]):
    """Telephone numbers in the form of E.164 (`+4930123456`), without an extension, in order."""

    written: tuple[WrittenPhone, ...]


@dataclass(frozen=True, slots=True)
class DomainForm:
    """The domain that was registered, of which a host is part; None where there is none.

    `is_free` where everybody can have an e-mail address, `is_reserved` where nobody can: names
    kept for examples and for networks at home (RFC 2606 and 6761).
    """

    registrable: str | None
    is_free: bool = False
    is_reserved: bool = False

    @property
    def employer(self) -> str | None:
        """The domain of the company that people work for who have an e-mail address there."""
        return None if self.is_free or self.is_reserved else self.registrable


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainsOf(Question[Mapping[str, DomainForm]]):
    """The registered domains of URLs, hosts and e-mail addresses, by how they were written."""

    written: frozenset[str]


class BadPhone(Invalid):
    """Not a telephone number, or one that could be of any country."""

    code = "BAD_PHONE"

    def __init__(self, fault: PhoneFault) -> None:
        super().__init__(
            "Write the number with + and the code of its country, or say the country of the lead."
            if fault is PhoneFault.NO_REGION
            else "This is not a telephone number that can be called.",
            path=("phone",),
        )
