"""Passwords: which are good enough, and argon2id for the rest of their life.

Source: docs/sources.md, "Passwords" (NIST SP 800-63B, RFC 9106).
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import unicodedata
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import TypeVar

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY

from domain.errors import DomainError, Overloaded

T = TypeVar("T")

MIN_LENGTH = 12
MAX_LENGTH = 200

# Fewer than these many different characters, or left beside one's own e-mail address, is no secret.
_MIN_DIFFERENT = 5
_MIN_BESIDE_EMAIL = 6

# A password whose letters only spell one of these, however decorated, is among the first guessed.
_FIRST_GUESSES = frozenset(
    """
    abc abcd abcdef access account admin adminadmin administrator asdf asdfgh asdfghjkl autumn
    azerty azertyuiop baseball batman changeit changeme charlie company computer contrasena
    correcthorsebatterystaple default donald dragon flower football freedom guest haslo hello
    helloworld hubspot hunter iloveyou jesus jordan letmein liverpool login loveme lozinka
    marketing master michael monkey motdepasse mustang mypassword ninja nopassword parola pass
    passphrase passw password passwort princess qazwsx qazwsxedc querty qwer qwerty qwertyuiop
    qwertz root salasana sales salesforce samsung secret senha shadow smarketing soccer spring
    starwars summer sunshine superman test testing testtest thisismypassword trustno trustnoone
    user welcome whatever winter zaq zxcvbn zxcvbnm
    """.split()  # noqa: SIM905 - a list of eighty literals would fill the screen
)
_ROWS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "1234567890qwertyuiopasdfghjklzxcvbnm",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
)
_LOOKALIKES = str.maketrans("@4301!$57", "aaeoiisst")
_REPEATED = re.compile(r"(.+?)\1+")


class WeakPassword(DomainError):
    """The password is too short, too long, or one of the first that anybody would try."""

    code = "WEAK_PASSWORD"

    def __init__(self, message: str, path: Sequence[str | int] = ("password",)) -> None:
        super().__init__(message, path=path)


def check_password(password: str, *, email: str, path: Sequence[str | int] = ("password",)) -> None:
    """Refuse a password that would be guessed.  No rule asks for digits, capitals or signs.

    Raises:
        WeakPassword: for a length outside 12 to 200, or a first guess: a well-known password
            however decorated, a run along the keyboard, the account's own e-mail address.
    """
    if (fault := _fault(password, email)) is not None:
        raise WeakPassword(fault, path)


def _fault(password: str, email: str) -> str | None:
    if len(password) < MIN_LENGTH:
        return f"Choose a password of at least {MIN_LENGTH} characters."
    if len(password) > MAX_LENGTH:
        return f"Choose a password of at most {MAX_LENGTH} characters."
    if _octets(password) is None:
        return "The password holds characters that are not text."
    folded = unicodedata.normalize("NFKC", password).casefold()
    if _is_first_guess(folded):
        return "This password is among the first that anybody would try."
    if _is_about(folded, email.casefold()):
        return "The password gives away little more than the e-mail address."
    return None


def _is_first_guess(folded: str) -> bool:
    unit = _REPEATED.fullmatch(folded)
    return (
        len(set(folded)) < _MIN_DIFFERENT
        or _is_run(unit[1] if unit else folded)
        or not _FIRST_GUESSES.isdisjoint(_words(folded))
    )


def _is_run(folded: str) -> bool:
    return any(folded in row or folded[::-1] in row for row in _ROWS)


def _words(folded: str) -> set[str]:
    """Return what is left of a password without its decoration: `p@ssw0rd-2026!` is `password`."""
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", folded)
    letters = {re.sub(r"[\W\d_]", "", text) for text in (folded, core.translate(_LOOKALIKES))}
    units = (_REPEATED.fullmatch(word) for word in letters)
    return letters | {unit[1] for unit in units if unit}


def _is_about(folded: str, email: str) -> bool:
    local = email.partition("@")[0]
    names = [name for name in (email, local) if len(name) >= 4]
    return any(
        name in folded and len(folded.replace(name, "")) < _MIN_BESIDE_EMAIL for name in names
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a password was right, and whether its hash should be made anew with it."""

    right: bool
    outdated: bool = False


_WRONG = Verdict(right=False)


class Passwords:
    """Hashes and verifies off the event loop, a few at a time.

    Each takes 64 MiB and some tenth of a second on purpose, so a burst of sign-ins must queue
    here and not on the processor and the memory that everything else needs.  The queue is short:
    who would wait longer than anybody does is told to come back.
    """

    def __init__(
        self,
        parameters: Parameters = RFC_9106_LOW_MEMORY,
        *,
        threads: int = 2,
        most_waiting: int = 50,
    ) -> None:
        self._hasher = PasswordHasher.from_parameters(parameters)
        self._nobody = _hash_of_nothing(parameters)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._places = BoundedSemaphore(threads + most_waiting)

    async def hash(self, password: str) -> str:
        """Return what to store.  Whether the password is good enough was asked before."""
        octets = _octets(password)
        if octets is None or len(password) > MAX_LENGTH:
            raise ValueError("the password was not checked before it was hashed")
        return await self._in_thread(lambda: self._hasher.hash(octets))

    async def verify(self, password: str, stored: str | None) -> Verdict:
        """Say whether a password is the one behind a stored hash.

        `None` stands for an account that does not exist or has no password.  It costs the same
        work as a wrong password, so the time taken does not tell who has an account.
        """
        octets = _octets(password) if len(password) <= MAX_LENGTH else None
        if stored is None or octets is None:
            stored, octets = self._nobody, octets or b""
        return await self._in_thread(lambda: self._verdict(stored, octets))

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    def _verdict(self, stored: str, octets: bytes) -> Verdict:
        try:
            self._hasher.verify(stored, octets)
        except VerifyMismatchError:
            return _WRONG
        return Verdict(right=True, outdated=self._hasher.check_needs_rehash(stored))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if not self._places.acquire(blocking=False):
            raise Overloaded("Too many people are signing in just now; try again in a moment.")
        job = self._threads.submit(work)
        # When it is done, and not when the caller goes: a thread that hashes cannot be stopped.
        job.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(job)


def _octets(password: str) -> bytes | None:
    """Return a password as it is hashed, the same from every keyboard; None if it is not text."""
    try:
        return unicodedata.normalize("NFKC", password).encode()
    except UnicodeEncodeError:
        return None


def _hash_of_nothing(parameters: Parameters) -> str:
    """Return a hash that takes as long to verify as any and belongs to no password."""
    salt, digest = (
        base64.b64encode(os.urandom(length)).rstrip(b"=").decode()
        for length in (parameters.salt_len, parameters.hash_len)
    )
    costs = f"m={parameters.memory_cost},t={parameters.time_cost},p={parameters.parallelism}"
    return f"$argon2id$v={parameters.version}${costs}${salt}${digest}"
