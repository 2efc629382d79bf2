"""A key of ours, what a token of it says, and what others make of it."""

import base64
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from infra.signing_keys import SigningKeys
from infra.tokens import AccessClaims, AccessTokens, BadToken

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
USER = UUID("01929b6e-0000-7000-8000-000000000001")
TENANT = UUID("01929b6e-0000-7000-8000-000000000002")
ACCOUNT = UUID("01929b6e-0000-7000-8000-000000000003")
SESSION = UUID("01929b6e-0000-7000-8000-000000000004")
TOKEN = UUID("01929b6e-0000-7000-8000-000000000005")
KEYS = SigningKeys.generate()
TOKENS = AccessTokens(keys=KEYS, issuer="https://smarketing.example", audience="smarketing-api")
HEADER = {"alg": "EdDSA", "typ": "at+jwt", "kid": KEYS.current_id}
CLAIMS = {
    "iss": "https://smarketing.example",
    "aud": "smarketing-api",
    "sub": str(USER),
    "tid": str(TENANT),
    "acc": str(ACCOUNT),
    "sid": str(SESSION),
    "jti": str(TOKEN),
    "iat": int(NOON.timestamp()),
    "exp": int(NOON.timestamp()) + 900,
}
SAID = AccessClaims(
    user_id=USER,
    tenant_id=TENANT,
    account_id=ACCOUNT,
    session_id=SESSION,
    token_id=TOKEN,
    issued_at=NOON,
    expires_at=NOON + timedelta(minutes=15),
)


def issue(now=NOON, **more):
    return TOKENS.issue(
        user_id=USER, tenant_id=TENANT, account_id=ACCOUNT, session_id=SESSION, now=now, **more
    )


def part(content):
    octets = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def forge(header=HEADER, claims=CLAIMS, sign=KEYS.current.sign):
    """Put a token together by hand, as somebody who owns a key would."""
    signed = f"{part(header)}.{part(claims)}"
    return f"{signed}.{part(sign(signed.encode()))}"


def fault(token, now=NOON, tokens=TOKENS):
    with pytest.raises(BadToken) as refusal:
        tokens.verify(token, now=now)
    return refusal.value.fault
