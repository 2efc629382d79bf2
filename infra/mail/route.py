"""Where mail goes: to a server that speaks SMTP or, in development, into a folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.headerregistry import Address
from email.utils import parseaddr
from enum import StrEnum
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from email_validator import EmailNotValidError, validate_email

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_LONGEST_NAME = 80


class Security(StrEnum):
    """How the line to the server is protected; each is the scheme of an address."""

    NONE = "smtp"
    STARTTLS = "smtp+starttls"
    TLS = "smtps"


_PORTS = {Security.NONE: 25, Security.STARTTLS: 587, Security.TLS: 465}


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpRoute:
    """A server that takes mail for everywhere, and who we are there."""

    host: str
    port: int
    security: Security
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderRoute:
    """A folder of this machine, which is shown at /dev/mail: for development."""

    folder: Path


MailRoute = SmtpRoute | FolderRoute


def parse_route(url: str) -> MailRoute:
    """Return the route that an address names.

    Raises:
        ValueError: saying what is wrong, and never the address itself, which may hold a password.
    """
    parts = _split(url)
    if parts.scheme == "file":
        if parts.netloc or not parts.path.startswith("/"):
            raise ValueError("must name a folder of this machine: file:///folder")
        return FolderRoute(folder=Path(unquote(parts.path)))
    try:
        security = Security(parts.scheme)
    except ValueError:
        schemes = ", ".join(f"{each}://" for each in Security)
        raise ValueError(f"must begin with one of {schemes}, not {parts.scheme[:20]!r}.") from None
    return _smtp_route(parts, security)


def parse_sender(text: str) -> Address:
    """Return who mail is from: `Acme <sla@acme.example>`, or an address alone.

    Raises:
        ValueError: if there is no such address.
    """
    name, address = parseaddr(text)
    try:
        found = validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise ValueError("must be an e-mail address: Acme <sla@acme.example>") from None
    if any(not character.isprintable() for character in text) or len(name) > _LONGEST_NAME:
        raise ValueError(f"must have a name of one line and at most {_LONGEST_NAME} characters.")
    return Address(name, found.local_part, found.ascii_domain)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("is not an address (URL).") from None
    return parts


def _smtp_route(parts: SplitResult, security: Security) -> SmtpRoute:
    if not parts.hostname:
        raise ValueError("names no server: smtp+starttls://user:password@host:587")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must end with the server's name and port.")
    if (parts.username is None) is not (parts.password is None):
        raise ValueError("must have both a user and a password, or neither.")
    if parts.password and security is Security.NONE and parts.hostname not in _LOOPBACK:
        raise ValueError("would send the password in the clear: use smtp+starttls:// or smtps://")
    return SmtpRoute(
        host=parts.hostname,
        port=parts.port or _PORTS[security],
        security=security,
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )
