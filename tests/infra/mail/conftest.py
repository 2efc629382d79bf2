"""A real mail server, which does as it is told, and a queue with nothing else in it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from infra.database import Database
from infra.mail.queue import MailQueue
from tests.admission import SECRET
from tests.fixtures import clock, database, other_world, session_database, world

__all__ = ["clock", "database", "other_world", "session_database", "world"]

Answer = Callable[[SMTP, Envelope], Awaitable[str]]


async def taken(server: SMTP, envelope: Envelope) -> str:
    return "250 taken"


@dataclass
class PostOffice:
    """A mail server that keeps what it takes, and answers as the test wants."""

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    to: list[str] = field(default_factory=list)
    on_rcpt: str = "250 fine"
    on_data: Answer = taken
    users: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802  # called by this name
        self, server: SMTP, session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.on_rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.on_rcpt

    async def handle_DATA(  # noqa: N802  # called by this name
        self, server: SMTP, session: Any, envelope: Envelope
    ) -> str:
        answer = await self.on_data(server, envelope)
        if answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.to += envelope.rcpt_tos
            self.messages.append(message_from_bytes(envelope.content, policy=default))
        return answer

    def authenticate(self, *arguments: Any) -> AuthResult:
        given = arguments[-1]
        self.users.append((given.login, given.password))
        right = (given.login, given.password) == (b"mailer", b"right")
        return AuthResult(success=right, handled=False)


@asynccontextmanager
async def a_post_office(**options: Any) -> AsyncIterator[PostOffice]:
    """Serve on a free port, in the loop of the tests."""
    office = PostOffice()
    listening_tls = options.pop("listening_tls", None)
    made: list[SMTP] = []

    def connected() -> SMTP:
        made.append(SMTP(office, hostname="post.example", authenticator=office.authenticate,
                         **options))  # fmt: skip
        return made[-1]

    server = await asyncio.get_running_loop().create_server(
        connected, "127.0.0.1", 0, ssl=listening_tls
    )
    office.port = server.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        server.close()
        for connection in made:
            # A transport that is closed has forgotten its TLS in some versions of Python.
            with suppress(AttributeError):
                connection.transport.abort()
        await asyncio.sleep(0)


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with a_post_office(enable_SMTPUTF8=True) as office:
        yield office


@pytest.fixture
async def queue(database: Database) -> MailQueue:
    """The queue, empty."""
    await database.platform.execute("DELETE FROM mails")
    return MailQueue(database, SECRET)


@dataclass(frozen=True)
class Tls:
    """A certificate for 127.0.0.1: how the server shows it, and who believes it."""

    serving: ssl.SSLContext
    trusting: ssl.SSLContext


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    folder: Path = tmp_path_factory.mktemp("tls")
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "post.example")])
    place = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(place, critical=False)
        .sign(key, SHA256())
    )
    path = folder / "both.pem"
    path.write_bytes(
        certificate.public_bytes(Encoding.PEM)
        + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(path)
    trusting = ssl.create_default_context(cafile=str(path))
    return Tls(serving, trusting)
