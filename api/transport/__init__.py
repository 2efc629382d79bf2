"""GraphQL over HTTP, server-sent events and WebSocket, each by its protocol.

Knows the engine and sessions, not the schema.
"""

from api.engine import Gauges
from api.transport.crowd import Crowd, CrowdLimits, Who
from api.transport.gate import Gate, address_of
from api.transport.http import HttpEndpoint, HttpSettings
from api.transport.sessions import Authenticate, Session, Shutdown, Unauthenticated
from api.transport.shedding import Shedding, Turns
from api.transport.sse import StreamSettings
from api.transport.websocket import SocketEndpoint, SocketSettings

__all__ = [
    "Authenticate",
    "Crowd",
    "CrowdLimits",
    "Gate",
    "Gauges",
    "HttpEndpoint",
    "HttpSettings",
    "Session",
    "Shedding",
    "Shutdown",
    "SocketEndpoint",
    "SocketSettings",
    "StreamSettings",
    "Turns",
    "Unauthenticated",
    "Who",
    "address_of",
]
