"""Handing messages over, and knowing what it means when that fails."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from typing import Protocol

import aiosmtplib

from infra.mail.route import Security, SmtpRoute

# Shorter than the lease on what is being sent, the whole of it.
SECONDS = 30.0
_LEAVE_SECONDS = 2.0
# "Mailbox name not allowed", RFC 5321.
_NO_SUCH_NAME = 553
# About us, the line and the server, and not about the message.
_ABOUT_US = (aiosmtplib.SMTPException, OSError, TimeoutError)


class Refused(Exception):
    """The server will never take this message.  `code` is the server's."""

    def __init__(self, code: int) -> None:
        super().__init__(f"refused with {code}")
        self.code = code


class NotNow(Exception):
    """The message was not taken, or nobody knows whether it was: another try may help.

    Says what failed, and not whose address it was.
    """


class Delivery(Protocol):
    """Hands one message over."""

    async def deliver(self, message: EmailMessage) -> None:
        """Return when the message is somebody else's to carry on.

        Raises:
            Refused: if it never will be.
            NotNow: if it may be, later.
        """


class SmtpDelivery:
    """Hands messages to a server that speaks SMTP, each over a connection of its own."""

    def __init__(
        self,
        route: SmtpRoute,
        *,
        seconds: float = SECONDS,
        tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self._route = route
        self._seconds = seconds
        self._tls = tls() if route.security is not Security.NONE else None

    async def deliver(self, message: EmailMessage) -> None:
        server = self._server()
        try:
            async with asyncio.timeout(self._seconds):
                await _connect(server)
                await server.send_message(message)
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _meaning(error.recipients[0].code) from None
        except aiosmtplib.SMTPDataError as error:
            raise _meaning(error.code) from None
        except (aiosmtplib.SMTPNotSupported, ValueError):
            # An address that needs SMTPUTF8 where nobody knows it, or that is none.
            raise Refused(_NO_SUCH_NAME) from None
        except _ABOUT_US as error:
            raise NotNow(_fault(error)) from None
        else:
            await _take_leave(server)
        finally:
            server.close()

    def _server(self) -> aiosmtplib.SMTP:
        route = self._route
        return aiosmtplib.SMTP(
            hostname=route.host,
            port=route.port,
            username=route.username,
            password=route.password,
            use_tls=route.security is Security.TLS,
            # Never "if the server offers it": whoever sits between could leave the offer out.
            start_tls=route.security is Security.STARTTLS,
            tls_context=self._tls,
            timeout=self._seconds,
        )


async def _connect(server: aiosmtplib.SMTP) -> None:
    """Connect, protect the line and sign in.  Whatever fails here is no letter's fault."""
    try:
        await server.connect()
    except (*_ABOUT_US, ValueError) as error:  # a bad certificate is a ValueError
        raise NotNow(_fault(error)) from None


async def _take_leave(server: aiosmtplib.SMTP) -> None:
    """Say good-bye.  The message is taken already, whatever becomes of this."""
    with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
        await server.quit(timeout=_LEAVE_SECONDS)


def _meaning(code: int) -> Refused | NotNow:
    """Return what a reply about a message means (RFC 5321, section 4.2.1): 5yz is for good."""
    return Refused(code) if 500 <= code <= 599 else NotNow(f"reply {code}")


def _fault(error: BaseException) -> str:
    """Say what failed: the kind, and the server's number; its words may quote an address."""
    code = getattr(error, "code", None)
    return f"{type(error).__name__} {code}" if isinstance(code, int) else type(error).__name__
