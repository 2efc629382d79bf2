from __future__ import annotations

import re
import stat
from datetime import timedelta
from email.headerregistry import Address

import pytest

from domain.identity import SessionLives
from infra.edge_limits import DocumentMode, EdgeLimits, Introspection, bounds
from infra.mail.route import Security, SmtpRoute
from infra.settings import (
    APP_ROLE,
    Environment,
    LogFormat,
    Settings,
    WrongSetting,
    role_password,
    role_url,
    with_local_secrets,
)
from tests.conftest import ROOT

SECRET = "s" * 32
OWNER = "postgresql://owner:p%40ss@db.example:5433/crm?sslmode=require"
PEM = "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n"
ENOUGH = {"DATABASE_URL": OWNER, "SMARKETING_SECRET": SECRET}
PRODUCTION = {
    **ENOUGH,
    "SMARKETING_ENV": "production",
    "SIGNING_KEYS": PEM,
    "PUBLIC_URL": "https://sla.example/",
    "MAIL_URL": "smtp+starttls://mailer:hidden@mail.example",
    "MAIL_FROM": "Acme <sla@acme.example>",
}


def test_a_database_and_a_secret_are_enough_for_development():
    assert Settings.from_env(ENOUGH) == Settings(
        database_url=OWNER,
        app_database_url=role_url(OWNER, "smarketing_app"),
        platform_database_url=role_url(OWNER, "smarketing_platform"),
        secret=SECRET.encode(),
        signing_keys=None,
        environment=Environment.DEVELOPMENT,
        host="127.0.0.1",
        port=8000,
        processes=1,
        public_url="http://127.0.0.1:8000",
        allowed_origins=frozenset(),
        app_url="http://127.0.0.1:8000",
        mail=None,
        mail_from=Address("Smarketing", "no-reply", "localhost"),
        invitation_days=7,
        issuer="http://127.0.0.1:8000",
        trusted_proxies="",
        session_lives=SessionLives(idle=timedelta(days=30), longest=timedelta(days=90)),
        log_format=LogFormat.AUTO,
        log_level="info",
        worker=True,
        pool_size=10,
        limits=EdgeLimits(),
        introspection=Introspection.EVERYBODY,
        trusted_documents=DocumentMode.ALLOW,
        max_photo_bytes=5 << 20,
        request_timeout_seconds=15,
        shutdown_seconds=10,
    )


def test_what_is_given_is_taken(tmp_path):
    (tmp_path / "keys.pem").write_text(PEM)
    settings = Settings.from_env(
        {
            **PRODUCTION,
            "APP_DATABASE_URL": "postgres://a@/x?host=/run/pg",
            "PLATFORM_DATABASE_URL": "postgresql+asyncpg://p@/x",
            "SIGNING_KEYS": str(tmp_path / "keys.pem"),
            "HOST": "::1",
            "PORT": " 9000 ",
            "PROCESSES": "4",
            "ALLOWED_ORIGINS": "https://app.example, http://[::1]:5173",
            "ISSUER": "https://id.example",
            "LOG_FORMAT": "JSON",
            "LOG_LEVEL": "Debug",
            "WORKER": "no",
            "TRUSTED_PROXIES": "10.0.0.0/8, 2001:db8::1,",
            "SESSION_IDLE_HOURS": "12",
            "SESSION_MAX_HOURS": "24",
            "APP_URL": "https://app.example/sales/",
            "INVITATION_DAYS": "3",
        }
    )

    assert settings.app_database_url == "postgresql://a@/x?host=/run/pg"
    assert settings.platform_database_url == "postgresql://p@/x"
    assert settings.signing_keys == PEM
    assert (settings.host, settings.port, settings.processes) == ("::1", 9000, 4)
    assert settings.allowed_origins == {"https://app.example", "http://[::1]:5173"}
    assert (settings.public_url, settings.issuer) == ("https://sla.example", "https://id.example")
    assert (settings.log_format, settings.log_level) == (LogFormat.JSON, "debug")
    assert settings.worker is False
    assert settings.trusted_proxies == "10.0.0.0/8,2001:db8::1"
    assert settings.session_lives == SessionLives(
        idle=timedelta(hours=12), longest=timedelta(days=1)
    )
    assert (settings.app_url, settings.invitation_days) == ("https://app.example/sales", 3)
    assert settings.mail == SmtpRoute(
        host="mail.example",
        port=587,
        security=Security.STARTTLS,
        username="mailer",
        password="hidden",
    )
    assert settings.mail_from == Address("Acme", "sla", "acme.example")


@pytest.mark.parametrize(
    ("variable", "value", "fault"),
    [
        ("DATABASE_URL", "", "is not set: postgresql://user:password@host:5432/database"),
        ("DATABASE_URL", "mysql://u@h/d", "must begin with postgresql://, not 'mysql'."),
        ("DATABASE_URL", "postgresql://h/d", "names no user"),
        ("DATABASE_URL", "postgresql://u@h", "names no database"),
        ("DATABASE_URL", "postgresql://u:secret@h:no/d", "is not an address (URL)."),
        ("APP_DATABASE_URL", "x", "must begin with postgresql://, not ''."),
        ("PORT", "http", "must be a whole number, not 'http'."),
        ("PORT", "0", "must be from 1 to 65535, not 0."),
        ("PORT", "65536", "must be from 1 to 65535, not 65536."),
        ("PORT", "٨", "must be a whole number, not '٨'."),
        ("PROCESSES", "9" * 5000, f"must be a whole number, not '{'9' * 40}'."),
        ("SMARKETING_ENV", "test", "must be one of development, production, not 'test'."),
        ("SMARKETING_SECRET", "", "is not set; make one with `openssl rand -base64 48`."),
        ("SMARKETING_SECRET", "short", "has 5 bytes, and must have 32 or more."),
        ("SIGNING_KEYS", "", "is not set: a file of Ed25519 private keys in PEM"),
        ("SIGNING_KEYS", "/nowhere/keys.pem", "names a file that cannot be read"),
        ("SIGNING_KEYS", "-----BEGIN CERTIFICATE-----", "holds no PEM private key"),
        ("PUBLIC_URL", "", "is not set: the address people type, https://…"),
        ("PUBLIC_URL", "ftp://x", "must be an http or https address, not 'ftp://x'."),
        ("APP_URL", "app.example", "must be an http or https address, not 'app.example'."),
        ("INVITATION_DAYS", "91", "must be from 1 to 90, not 91."),
        ("MAIL_URL", "", "is not set: smtp+starttls://user:password@host:587"),
        ("MAIL_URL", "imap://u:secret@h", "must begin with one of smtp://, smtp+starttls://"),
        ("MAIL_URL", "file:///tmp", "must name a mail server in production, not a folder."),
        ("MAIL_FROM", "", "is not set: who mail is from, Acme <sla@acme.example>"),
        ("MAIL_FROM", "Acme", "must be an e-mail address: Acme <sla@acme.example>"),
        ("LOG_FORMAT", "xml", "must be one of auto, human, json, not 'xml'."),
        ("LOG_LEVEL", "loud", "must be one of debug, info, warning, error."),
        *(
            ("ALLOWED_ORIGINS", origin, "must list origins such as https://app.example, or be *")
            for origin in (
                "app.example",
                "https://app.example/",
                "https://App.example",
                "https://u@app.example",
                "https://app.example,null",
                "ftp://app.example",
            )
        ),
        ("TRUSTED_PROXIES", "proxy.example", "must be addresses or networks, not 'proxy.example'."),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "must be addresses or networks, not '10.0.0.1/8'."),
        ("SESSION_IDLE_HOURS", "0", "must be from 1 to 8784, not 0."),
        ("SESSION_MAX_HOURS", "8785", "must be from 1 to 8784, not 8785."),
        ("WORKER", "maybe", "must be one of 1, true, yes, 0, false, no, not 'maybe'."),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_gives_no_secret_away(variable, value, fault):
    with pytest.raises(WrongSetting) as refusal:
        Settings.from_env({**PRODUCTION, variable: value})

    assert refusal.value.variable == variable
    assert str(refusal.value).startswith(f"{variable} {fault}")
    assert "secret@" not in str(refusal.value)


def test_settings_in_a_traceback_hold_no_secret():
    shown = repr(Settings.from_env(PRODUCTION))

    assert "p%40ss" not in shown
    assert "hidden" not in shown
    assert SECRET not in shown
    assert "BEGIN" not in shown


def test_a_roles_password_follows_from_the_owners_and_is_another():
    password = role_password(OWNER, APP_ROLE)

    assert password is not None
    assert len(password) == 48
    assert password != role_password(OWNER, "smarketing_platform")
    assert password != role_password("postgresql://owner:other@h/d", APP_ROLE)
    assert role_url(OWNER, APP_ROLE) == (
        f"postgresql://smarketing_app:{password}@db.example:5433/crm?sslmode=require"
    )


def test_without_an_owners_password_the_roles_have_none():
    owner = "postgresql://smarketing@/smarketing?host=%2Ftmp%2Fpg"

    assert role_password(owner, APP_ROLE) is None
    assert role_url(owner, APP_ROLE) == ("postgresql://smarketing_app@/smarketing?host=%2Ftmp%2Fpg")


def test_a_checkout_keeps_its_secret(tmp_path):
    folder = tmp_path / ".local"

    first = with_local_secrets({"PORT": "1"}, folder)

    assert with_local_secrets({"PORT": "1"}, folder) == first
    assert first.keys() == {"PORT", "SMARKETING_SECRET"}
    assert len(first["SMARKETING_SECRET"]) == 64
    assert [path.name for path in folder.iterdir()] == ["secret"]
    assert stat.S_IMODE((folder / "secret").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "environ", [{"SMARKETING_SECRET": SECRET}, {"SMARKETING_ENV": "production"}]
)
def test_no_secret_is_made_up_where_one_is_given_or_in_production(environ, tmp_path):
    assert with_local_secrets(environ, tmp_path) == environ
    assert list(tmp_path.iterdir()) == []


def test_a_secret_that_cannot_be_kept_is_refused(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(WrongSetting, match="SMARKETING_SECRET is not set, and none can be kept in"):
        with_local_secrets({}, tmp_path / "file")


def test_whoever_runs_it_can_read_what_can_be_set() -> None:
    source = (ROOT / "infra" / "settings.py").read_text()
    settings = set(re.findall(r'environ, "([A-Z_]+)"', source)) | {
        each.variable for each in bounds().values()
    }
    told = "".join((ROOT / page).read_text() for page in ("README.md", "docs/limits.md"))

    assert len(settings) > 40
    assert sorted(each for each in settings if f"`{each}`" not in told) == []
