"""What an access token is, and which are accepted."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from infra.signing_keys import SigningKeys
from infra.tokens import AccessClaims, AccessTokens, BadToken, Fault
from tests.infra.tokens.issuing import (
    ACCOUNT,
    CLAIMS,
    HEADER,
    KEYS,
    NOON,
    SAID,
    SESSION,
    TENANT,
    TOKENS,
    USER,
    fault,
    forge,
    issue,
)

# What is accepted


def test_a_token_says_what_was_put_in_for_fifteen_minutes():
    claims = TOKENS.verify(issue(NOON + timedelta(microseconds=700_000)), now=NOON)

    assert claims == AccessClaims(
        user_id=USER,
        tenant_id=TENANT,
        account_id=ACCOUNT,
        session_id=SESSION,
        token_id=claims.token_id,
        issued_at=NOON,
        expires_at=NOON + timedelta(minutes=15),
    )
    assert claims.token_id.version == 7


def test_every_token_has_an_id_of_its_own():
    ids = {TOKENS.verify(issue(), now=NOON).token_id for _ in range(50)}

    assert len(ids) == 50


def test_the_header_names_type_algorithm_and_key_and_no_more():
    assert jwt.get_unverified_header(issue()) == HEADER


def test_others_can_check_our_tokens_with_the_published_keys():
    [published] = KEYS.jwks()["keys"]
    now = datetime.now(UTC).replace(microsecond=0)

    claims = jwt.decode(
        issue(now), jwt.PyJWK(published), audience="smarketing-api", issuer=TOKENS.issuer
    )

    assert claims == {
        **CLAIMS,
        "jti": claims["jti"],
        "iat": int(now.timestamp()),
        "exp": int(now.timestamp()) + 900,
    }


def test_claims_from_a_later_release_do_not_matter():
    assert TOKENS.verify(forge(claims={**CLAIMS, "amr": ["pwd"]}), now=NOON) == SAID


def test_a_token_signed_before_the_keys_were_rotated_still_counts():
    old, token = KEYS, issue()
    rotated = SigningKeys(Ed25519PrivateKey.generate(), (old.current.public_key(),))
    after = AccessTokens(keys=rotated, issuer=TOKENS.issuer, audience=TOKENS.audience)

    assert after.verify(token, now=NOON).user_id == USER


def test_a_token_signed_with_a_retired_key_does_not():
    retired = AccessTokens(
        keys=SigningKeys.generate(), issuer=TOKENS.issuer, audience=TOKENS.audience
    )

    assert fault(issue(), tokens=retired) is Fault.UNKNOWN_KEY


@pytest.mark.parametrize(
    ("after", "answer"),
    [
        (timedelta(seconds=-31), Fault.NOT_YET_VALID),
        (timedelta(seconds=-30), None),
        (timedelta(minutes=15), None),
        (timedelta(minutes=15, seconds=29, microseconds=999_999), None),
        (timedelta(minutes=15, seconds=30), Fault.EXPIRED),
        (timedelta(days=4000), Fault.EXPIRED),
    ],
)
def test_clocks_may_differ_by_half_a_minute_and_no_more(after, answer):
    token = forge()

    if answer is None:
        assert TOKENS.verify(token, now=NOON + after) == SAID
    else:
        assert fault(token, now=NOON + after) is answer


# What is our own fault


@pytest.mark.parametrize(
    "life", [timedelta(0), timedelta(seconds=-1), timedelta(minutes=15, seconds=1)]
)
def test_no_token_is_issued_for_longer_than_would_be_taken(life):
    with pytest.raises(ValueError, match="lives from a second to"):
        issue(life=life)


def test_an_instant_without_a_zone_is_not_taken():
    naive = NOON.replace(tzinfo=None)

    with pytest.raises(ValueError, match="time zone"):
        issue(naive)
    with pytest.raises(ValueError, match="time zone"):
        TOKENS.verify(forge(), now=naive)


def test_a_refusal_does_not_repeat_the_token():
    token = forge(claims={**CLAIMS, "exp": None})

    with pytest.raises(BadToken) as refusal:
        TOKENS.verify(token, now=NOON)

    assert str(refusal.value) == "BAD_CLAIM: exp"
