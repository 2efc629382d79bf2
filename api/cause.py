"""Where a request comes from, for the audit log."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from domain.audit import Cause


def cause_of(connection: HTTPConnection, request_id: str) -> Cause:
    """Return where a request or socket comes from.

    The address is the other end's, or what a trusted proxy says of it: that is the server's to
    find out, which puts it in place of the proxy's own.
    """
    client = connection.client
    return Cause.over(
        request_id=request_id,
        ip_address=client.host if client else None,
        user_agent=connection.headers.get("user-agent"),
    )
