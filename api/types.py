"""Scalars and small types that every feature shares."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, NewType

import strawberry
from email_validator import EmailNotValidError, validate_email
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.types.scalar import ScalarDefinition

from api.views import shown
from domain.errors import Invalid
from domain.identity import CURRENCIES, UnknownCurrency
from domain.sla.calendar import is_time_zone
from domain.values import Money, minor_digits

EmailAddress = NewType("EmailAddress", str)
TimeZone = NewType("TimeZone", str)
Url = NewType("Url", str)
CountryCode = NewType("CountryCode", str)
Currency = NewType("Currency", str)
Json = NewType("Json", object)

# RFC 5321, section 4.5.3.1.3, without the angle brackets.
_LONGEST_EMAIL = 254
_DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DURATION = re.compile(r"P(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?)?", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,30}(\.\d{1,12})?", re.ASCII)


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise GraphQLError(f"A {name} is written as a string, not {type(value).__name__}.")
    return value


def _read_instant(value: Any) -> datetime:
    text = _text(value, "DateTime")
    if _DATE_TIME.fullmatch(text):
        try:
            fraction = re.sub(r"(\.\d{6})\d+", r"\1", text.upper())
            return datetime.fromisoformat(fraction).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise GraphQLError(
        f"{text[:40]!r} is not a DateTime: write it as RFC 3339 does, 2026-11-22T09:00:00Z."
    )


def _write_instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _read_day(value: Any) -> date:
    text = _text(value, "Date")
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise GraphQLError(f"{text[:40]!r} is not a Date: write it as 2026-11-22.")


def _read_duration(value: Any) -> timedelta:
    text = _text(value, "Duration")
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        raise GraphQLError(
            f"{text[:40]!r} is not a Duration: write it in days, hours and minutes as ISO 8601"
            " does, P1DT2H30M."
        )
    days, hours, minutes = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)


def _write_duration(value: timedelta) -> str:
    minutes, seconds = divmod(int(value.total_seconds()), 60)
    days, minutes = divmod(minutes, 1440)
    hours, minutes = divmod(minutes, 60)
    clock = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if n)
    text = (f"{days}D" if days else "") + (f"T{clock}" if clock else "")
    return f"P{text}" if text else "PT0M"


def _read_decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise GraphQLError("A Decimal is a number, best written as a string.")
    text = repr(value) if isinstance(value, float) else str(value)
    try:
        if _DECIMAL.fullmatch(text):
            return Decimal(text)
    except InvalidOperation:
        pass
    raise GraphQLError(
        f"{text[:40]!r} is not a Decimal of at most 30 digits and 12 decimal places."
    )


def _write_decimal(value: Decimal | int) -> str:
    return format(Decimal(value), "f")


def _read_email(value: Any) -> str:
    text = _text(value, "EmailAddress").strip()
    # The library reads character by character to the end before it looks at the length.
    if len(text) > _LONGEST_EMAIL:
        raise GraphQLError(f"An EmailAddress has at most {_LONGEST_EMAIL} characters.")
    try:
        found = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise GraphQLError(f"{text[:80]!r} is not an EmailAddress: {error}") from None
    return found.normalized.lower()


def _read_zone(value: Any) -> str:
    text = _text(value, "TimeZone")
    if not is_time_zone(text):
        raise GraphQLError(f"{text[:60]!r} is not a TimeZone of the IANA database.")
    return text


def _read_pattern(name: str, pattern: str, like: str) -> Callable[[Any], str]:
    compiled = re.compile(pattern, re.ASCII)

    def read(value: Any) -> str:
        text = _text(value, name)
        if not compiled.fullmatch(text):
            raise GraphQLError(f"{text[:60]!r} is not a {name}: write it as {like}.")
        return text

    return read


def _read_json(value: Any) -> Any:
    return value


def _scalar(
    name: str,
    description: str,
    read: Callable[[Any], Any],
    write: Callable[[Any], Any] = str,
    by: str | None = None,
) -> ScalarDefinition:
    return ScalarDefinition(
        name=name,
        description=description,
        specified_by_url=by,
        serialize=write,
        parse_value=read,
        parse_literal=None,
    )


SCALARS: Mapping[object, ScalarDefinition] = {
    datetime: _scalar(
        "DateTime",
        "An instant as RFC 3339 writes it, always in UTC: 2026-11-22T09:00:00Z.",
        _read_instant,
        _write_instant,
        "https://scalars.graphql.org/andimarek/date-time.html",
    ),
    date: _scalar(
        "Date",
        "A day: 2026-11-22.",
        _read_day,
        date.isoformat,
        "https://scalars.graphql.org/andimarek/local-date.html",
    ),
    timedelta: _scalar(
        "Duration",
        "A length of time in days, hours and minutes: P1DT2H30M.",
        _read_duration,
        _write_duration,
        "https://www.rfc-editor.org/rfc/rfc3339#appendix-A",
    ),
    Decimal: _scalar(
        "Decimal",
        "An exact number, answered as a string.  Shares run from 0 to 1.",
        _read_decimal,
        _write_decimal,
    ),
    EmailAddress: _scalar(
        "EmailAddress",
        "An e-mail address, kept in small letters.",
        _read_email,
        by="https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address",
    ),
    TimeZone: _scalar(
        "TimeZone",
        "A time zone's name in the IANA database: Europe/Dublin.",
        _read_zone,
        by="https://www.iana.org/time-zones",
    ),
    Url: _scalar(
        "URL",
        "An absolute address on the web.",
        _read_pattern("URL", r"https?://\S{1,2000}", "https://example.com/"),
        by="https://url.spec.whatwg.org/",
    ),
    CountryCode: _scalar(
        "CountryCode",
        "A country by the two letters of ISO 3166-1: IE.",
        _read_pattern("CountryCode", r"[A-Z]{2}", "IE"),
        by="https://www.iso.org/iso-3166-country-codes.html",
    ),
    Currency: _scalar(
        "Currency",
        "A currency by the three letters of ISO 4217: EUR.",
        _read_pattern("Currency", r"[A-Z]{3}", "EUR"),
        by="https://www.iso.org/iso-4217-currency-codes.html",
    ),
    Json: _scalar(
        "JSON",
        "Any JSON value.  A criterion has the form of its filter input, such as LeadFilter.",
        _read_json,
        lambda value: value,
        "https://www.rfc-editor.org/rfc/rfc8259",
    ),
}

CONFIG = StrawberryConfig(scalar_map=dict(SCALARS))


@strawberry.type(name="Money", description="An amount of money.")
class MoneyView:
    @strawberry.field(description="How much, in units of the currency: 12.50.")
    def amount(money: strawberry.Parent[Any]) -> Decimal:
        return Decimal(money.minor).scaleb(-minor_digits(money.currency))

    currency: Currency = shown("Of which currency.")


@strawberry.input(description="An amount of money.")
class MoneyInput:
    amount: Decimal = shown("How much, in units of the currency: 12.50.")
    currency: Currency = shown("Of which currency.")

    def money(self, path: tuple[str | int, ...]) -> Money:
        """Return the amount in minor units.

        Raises:
            UnknownCurrency: if ISO 4217 has no such currency.
            Invalid: if it has more decimal places than the currency, or does not fit.
        """
        if self.currency not in CURRENCIES:
            raise UnknownCurrency(self.currency, path=(*path, "currency"))
        minor = self.amount.scaleb(minor_digits(self.currency))
        if minor != minor.to_integral_value() or abs(minor) >= 2**63:
            raise Invalid(f"{self.amount} is not an amount of {self.currency}.", path=path)
        return Money(int(minor), self.currency)
