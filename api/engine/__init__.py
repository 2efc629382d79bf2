"""Prepares, limits and executes GraphQL operations, and shares subscriptions.

Knows the schema and no transport.
"""

from api.engine.cohorts import Kind, SubscriptionKinds
from api.engine.documents import Documents
from api.engine.events import Payload
from api.engine.execution import (
    Engine,
    GraphQLRequest,
    GraphQLResponse,
    Operation,
    OperationContext,
)
from api.engine.gauges import Gauges
from api.engine.holding import held_on
from api.engine.limits import Limits
from api.engine.masking import (
    ErrorCode,
    FormattedError,
    Mask,
    OperationFailed,
    mask,
    refusal,
    unavailable,
)

__all__ = [
    "Documents",
    "Engine",
    "ErrorCode",
    "FormattedError",
    "Gauges",
    "GraphQLRequest",
    "GraphQLResponse",
    "Kind",
    "Limits",
    "Mask",
    "Operation",
    "OperationContext",
    "OperationFailed",
    "Payload",
    "SubscriptionKinds",
    "held_on",
    "mask",
    "refusal",
    "unavailable",
]
