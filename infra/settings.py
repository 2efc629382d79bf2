"""What the environment tells the service.  Read once, at the start; wrong values are refused."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.headerregistry import Address
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from domain.identity import SessionLives
from infra.edge_limits import DocumentMode, EdgeLimits, Introspection, bounds
from infra.mail.route import FolderRoute, MailRoute, parse_route, parse_sender

APP_ROLE = "smarketing_app"
PLATFORM_ROLE = "smarketing_platform"
_MIN_SECRET_BYTES = 32
_POSTGRES_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
ANY_ORIGIN = "*"
_FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}

Choice = TypeVar("Choice", bound=StrEnum)


class WrongSetting(Exception):
    """A variable of the environment is missing or cannot be right."""

    def __init__(self, variable: str, fault: str) -> None:
        super().__init__(f"{variable} {fault}")
        self.variable = variable


class Environment(StrEnum):
    """Where we run: development makes secrets up, production insists on being given them."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    """How the log is written: `auto` is for people on a terminal and JSON otherwise."""

    AUTO = "auto"
    HUMAN = "human"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, checked.  The addresses of the database hold passwords: never log them."""

    database_url: str = field(repr=False)
    """The owner's: for migrations only."""
    app_database_url: str = field(repr=False)
    platform_database_url: str = field(repr=False)
    secret: bytes = field(repr=False)
    """Signs the addresses of uploads and photos, and makes refresh tokens."""
    signing_keys: str | None = field(repr=False)
    """PEM private keys of the access tokens, the newest first; None: make them up (development)."""
    environment: Environment
    host: str
    port: int
    processes: int
    public_url: str
    allowed_origins: frozenset[str]
    """Whose pages may use the API from a browser, besides our own: `https://app.example`."""
    app_url: str
    """Where people open links from mails: the front end's address, or ours."""
    issuer: str
    trusted_proxies: str
    """Whose word is taken for where requests come from: addresses and networks; empty: nobody's."""
    session_lives: SessionLives
    mail: MailRoute | None
    """None: a folder of this checkout (development)."""
    mail_from: Address
    invitation_days: int
    log_format: LogFormat
    log_level: str
    worker: bool
    pool_size: int
    limits: EdgeLimits
    introspection: Introspection
    trusted_documents: DocumentMode
    max_photo_bytes: int
    request_timeout_seconds: int
    shutdown_seconds: int

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings.

        Raises:
            WrongSetting: naming the variable at fault.
        """
        environment = _choice(environ, "SMARKETING_ENV", Environment, Environment.DEVELOPMENT)
        owner = _database_url(environ, "DATABASE_URL")
        port = _number(environ, "PORT", 8000, at_least=1, at_most=65535)
        public_url = _public_url(environ, environment, f"http://127.0.0.1:{port}")
        return cls(
            database_url=owner,
            app_database_url=_database_url(
                environ, "APP_DATABASE_URL", default=role_url(owner, APP_ROLE)
            ),
            platform_database_url=_database_url(
                environ, "PLATFORM_DATABASE_URL", default=role_url(owner, PLATFORM_ROLE)
            ),
            secret=_secret(environ, "SMARKETING_SECRET"),
            signing_keys=_signing_keys(environ, environment),
            environment=environment,
            host=_given(environ, "HOST") or "127.0.0.1",
            port=port,
            processes=_number(environ, "PROCESSES", 1, at_least=1, at_most=256),
            public_url=public_url,
            allowed_origins=_origins(environ, "ALLOWED_ORIGINS"),
            app_url=_web_url("APP_URL", _given(environ, "APP_URL") or public_url),
            mail=_mail_route(environ, environment),
            mail_from=_mail_from(environ, environment),
            invitation_days=_number(environ, "INVITATION_DAYS", 7, at_least=1, at_most=90),
            issuer=_given(environ, "ISSUER") or public_url,
            trusted_proxies=_trusted_proxies(environ),
            session_lives=_session_lives(environ),
            log_format=_choice(environ, "LOG_FORMAT", LogFormat, LogFormat.AUTO),
            log_level=_log_level(environ),
            worker=_flag(environ, "WORKER", default=True),
            pool_size=_number(environ, "POOL_SIZE", 10, at_least=2, at_most=1000),
            limits=_limits(environ),
            introspection=_introspection(environ, environment),
            trusted_documents=_choice(
                environ, "TRUSTED_DOCUMENTS", DocumentMode, DocumentMode.ALLOW
            ),
            max_photo_bytes=_number(environ, "MAX_PHOTO_BYTES", 5 << 20, at_least=1024),
            request_timeout_seconds=_number(environ, "REQUEST_TIMEOUT_SECONDS", 15, at_least=1),
            shutdown_seconds=_number(environ, "SHUTDOWN_SECONDS", 10, at_least=1),
        )


def _session_lives(environ: Mapping[str, str]) -> SessionLives:
    year = 366 * 24
    idle = _number(environ, "SESSION_IDLE_HOURS", 30 * 24, at_least=1, at_most=year)
    longest = _number(environ, "SESSION_MAX_HOURS", 90 * 24, at_least=1, at_most=year)
    return SessionLives(idle=timedelta(hours=idle), longest=timedelta(hours=longest))


def _trusted_proxies(environ: Mapping[str, str]) -> str:
    """Return addresses and networks with commas between, or `*` for any."""
    given = [part.strip() for part in _given(environ, "TRUSTED_PROXIES").split(",") if part.strip()]
    for part in given:
        try:
            _ = part == "*" or ip_network(part)
        except ValueError as error:
            raise WrongSetting(
                "TRUSTED_PROXIES", f"must be addresses or networks, not {part[:40]!r}."
            ) from error
    return ",".join(given)


def role_url(owner_url: str, role: str) -> str:
    """Return the address by which a role of ours reaches the owner's database.

    Its password follows from the owner's, so that migrations can set it and the service knows it,
    and does not give the owner's away.  Without an owner's password there is none: the server
    trusts the connection itself (a private socket, a certificate).
    """
    parts = urlsplit(owner_url)
    password = role_password(owner_url, role)
    credentials = quote(role, safe="") + (f":{password}" if password else "")
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{credentials}@{host}"))


def role_password(owner_url: str, role: str) -> str | None:
    """Return the password that migrations set for a role of ours; see `role_url`."""
    password = urlsplit(owner_url).password
    if not password:
        return None
    derived = hashlib.scrypt(unquote(password).encode(), salt=role.encode(), n=2**14, r=8, p=1)
    return derived[:24].hex()


def with_local_secrets(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the environment with a secret of this checkout, if it has none: development only.

    Raises:
        WrongSetting: if the secret cannot be kept.
    """
    if _given(environ, "SMARKETING_SECRET") or _given(environ, "SMARKETING_ENV") == "production":
        return dict(environ)
    try:
        return {**environ, "SMARKETING_SECRET": _kept_secret(folder / "secret")}
    except OSError as error:
        fault = f"is not set, and none can be kept in {folder}: {error.strerror}"
        raise WrongSetting("SMARKETING_SECRET", fault) from error


def _kept_secret(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Written aside and linked: of two processes at once, one wins and both read the same.
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # the other one won
        finally:
            draft.unlink()
    return path.read_text()


def _given(environ: Mapping[str, str], variable: str) -> str:
    return environ.get(variable, "").strip()


def _number(
    environ: Mapping[str, str],
    variable: str,
    default: int,
    *,
    at_least: int,
    at_most: int = 1 << 40,
) -> int:
    text = _given(environ, variable)
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise WrongSetting(variable, f"must be a whole number, not {text[:40]!r}.")
    if not at_least <= int(text) <= at_most:
        raise WrongSetting(variable, f"must be from {at_least} to {at_most}, not {text}.")
    return int(text)


def _limits(environ: Mapping[str, str]) -> EdgeLimits:
    read = {
        name: _number(
            environ, bound.variable, bound.default, at_least=bound.at_least, at_most=bound.at_most
        )
        for name, bound in bounds().items()
    }
    return EdgeLimits(**read)


def _introspection(environ: Mapping[str, str], environment: Environment) -> Introspection:
    open_here = environment is Environment.DEVELOPMENT
    default = Introspection.EVERYBODY if open_here else Introspection.KNOWN
    return _choice(environ, "INTROSPECTION", Introspection, default)


def _choice(
    environ: Mapping[str, str], variable: str, kind: type[Choice], default: Choice
) -> Choice:
    text = _given(environ, variable)
    try:
        return kind(text.lower()) if text else default
    except ValueError:
        raise WrongSetting(
            variable, f"must be one of {', '.join(kind)}, not {text[:40]!r}."
        ) from None


def _flag(environ: Mapping[str, str], variable: str, *, default: bool) -> bool:
    text = _given(environ, variable).lower()
    if not text:
        return default
    if text not in _FLAGS:
        raise WrongSetting(variable, f"must be one of {', '.join(_FLAGS)}, not {text[:40]!r}.")
    return _FLAGS[text]


def _log_level(environ: Mapping[str, str]) -> str:
    level = (_given(environ, "LOG_LEVEL") or "info").lower()
    if level not in {"debug", "info", "warning", "error"}:
        raise WrongSetting("LOG_LEVEL", "must be one of debug, info, warning, error.")
    return level


def _secret(environ: Mapping[str, str], variable: str) -> bytes:
    secret = _given(environ, variable).encode()
    if not secret:
        raise WrongSetting(variable, "is not set; make one with `openssl rand -base64 48`.")
    if len(secret) < _MIN_SECRET_BYTES:
        raise WrongSetting(
            variable, f"has {len(secret)} bytes, and must have {_MIN_SECRET_BYTES} or more."
        )
    return secret


def _signing_keys(environ: Mapping[str, str], environment: Environment) -> str | None:
    """Return PEM text, from the variable itself or from the file it names."""
    given = _given(environ, "SIGNING_KEYS")
    if not given and environment is Environment.DEVELOPMENT:
        return None
    if not given:
        raise WrongSetting(
            "SIGNING_KEYS",
            "is not set: a file of Ed25519 private keys in PEM, the newest first; "
            "make one with `smarketing keys add --file …`.",
        )
    pem = given if given.startswith("-----BEGIN ") else _contents("SIGNING_KEYS", Path(given))
    if "-----BEGIN PRIVATE KEY-----" not in pem:
        raise WrongSetting("SIGNING_KEYS", "holds no PEM private key (-----BEGIN PRIVATE KEY-----)")
    return pem


def _contents(variable: str, path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise WrongSetting(variable, f"names a file that cannot be read: {error}") from error


def _split(variable: str, url: str) -> SplitResult:
    # The address itself stays out of the message: it may hold a password.
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise WrongSetting(variable, "is not an address (URL).") from error
    return parts


def _database_url(environ: Mapping[str, str], variable: str, default: str = "") -> str:
    url = _given(environ, variable) or default
    if not url:
        raise WrongSetting(variable, "is not set: postgresql://user:password@host:5432/database")
    parts = _split(variable, url)
    if parts.scheme not in _POSTGRES_SCHEMES:
        raise WrongSetting(variable, f"must begin with postgresql://, not {parts.scheme[:20]!r}.")
    if not parts.username:
        raise WrongSetting(variable, "names no user: postgresql://user:password@host/database")
    if not parts.path.strip("/"):
        raise WrongSetting(variable, "names no database: postgresql://user:password@host/database")
    return urlunsplit(parts._replace(scheme="postgresql"))


def _public_url(environ: Mapping[str, str], environment: Environment, default: str) -> str:
    url = _given(environ, "PUBLIC_URL")
    if not url and environment is Environment.PRODUCTION:
        raise WrongSetting("PUBLIC_URL", "is not set: the address people type, https://…")
    return _web_url("PUBLIC_URL", url or default)


def _web_url(variable: str, url: str) -> str:
    parts = _split(variable, url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise WrongSetting(variable, f"must be an http or https address, not {url[:80]!r}.")
    return urlunsplit(parts._replace(path=parts.path.rstrip("/"), query="", fragment=""))


def _origins(environ: Mapping[str, str], variable: str) -> frozenset[str]:
    """Read origins as browsers spell them: a scheme, a host in small letters, perhaps a port."""
    origins = [origin.strip() for origin in _given(environ, variable).split(",") if origin.strip()]
    for origin in origins:
        parts = _split(variable, origin)
        spelled = f"{parts.scheme}://{parts.netloc.lower()}"
        known = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
        if origin != ANY_ORIGIN and not (known and origin == spelled):
            raise WrongSetting(
                variable,
                f"must list origins such as https://app.example, or be *, not {origin[:80]!r}.",
            )
    return frozenset(origins)


def _mail_route(environ: Mapping[str, str], environment: Environment) -> MailRoute | None:
    url = _given(environ, "MAIL_URL")
    if not url and environment is Environment.DEVELOPMENT:
        return None
    if not url:
        raise WrongSetting("MAIL_URL", "is not set: smtp+starttls://user:password@host:587")
    try:
        route = parse_route(url)
    except ValueError as error:
        raise WrongSetting("MAIL_URL", str(error)) from None
    if isinstance(route, FolderRoute) and environment is Environment.PRODUCTION:
        raise WrongSetting("MAIL_URL", "must name a mail server in production, not a folder.")
    return route


def _mail_from(environ: Mapping[str, str], environment: Environment) -> Address:
    text = _given(environ, "MAIL_FROM")
    if not text and environment is Environment.DEVELOPMENT:
        return Address("Smarketing", "no-reply", "localhost")
    if not text:
        raise WrongSetting("MAIL_FROM", "is not set: who mail is from, Acme <sla@acme.example>")
    try:
        return parse_sender(text)
    except ValueError as error:
        raise WrongSetting("MAIL_FROM", str(error)) from None
