import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from infra.refresh_tokens import RefreshTokens
from infra.signing_keys import SigningKeys
from infra.tokens import MAX_LENGTH, AccessClaims, AccessTokens, BadToken, Fault

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


# Forgeries: whoever made these does not hold our key


def hmac_with_public_key(message):
    pem = KEYS.current.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return hmac.digest(pem, message, "sha256")


STRANGER = Ed25519PrivateKey.generate()
STRANGERS = SigningKeys(STRANGER)
OWN_JWK = {"kty": "OKP", "crv": "Ed25519", "x": part(STRANGER.public_key().public_bytes_raw())}


@pytest.mark.parametrize(
    ("token", "answer"),
    [
        (f"{part({**HEADER, 'alg': 'none'})}.{part(CLAIMS)}.", Fault.MALFORMED),
        (forge({**HEADER, "alg": "none"}), Fault.WRONG_ALGORITHM),
        (forge({**HEADER, "alg": "None"}), Fault.WRONG_ALGORITHM),
        # A mac is shorter than a signature; padded to its length it fares no better.
        (forge({**HEADER, "alg": "HS256"}, sign=hmac_with_public_key), Fault.MALFORMED),
        (
            forge({**HEADER, "alg": "HS256"}, sign=lambda m: 2 * hmac_with_public_key(m)),
            Fault.WRONG_ALGORITHM,
        ),
        (forge(sign=lambda m: 2 * hmac_with_public_key(m)), Fault.BAD_SIGNATURE),
        (forge({**HEADER, "alg": "HS512"}), Fault.WRONG_ALGORITHM),
        (forge({**HEADER, "alg": "ES256"}), Fault.WRONG_ALGORITHM),
        (forge({**HEADER, "alg": ["EdDSA"]}), Fault.WRONG_ALGORITHM),
        (forge({k: v for k, v in HEADER.items() if k != "alg"}), Fault.WRONG_ALGORITHM),
        (forge(sign=STRANGER.sign), Fault.BAD_SIGNATURE),
        (forge(sign=lambda _: bytes(64)), Fault.BAD_SIGNATURE),
        (forge({**HEADER, "kid": STRANGERS.current_id}, sign=STRANGER.sign), Fault.UNKNOWN_KEY),
        (forge({**HEADER, "kid": "../../dev/null"}), Fault.UNKNOWN_KEY),
        (forge({**HEADER, "kid": "' OR 1=1 --"}), Fault.UNKNOWN_KEY),
        (forge({**HEADER, "kid": None}), Fault.UNKNOWN_KEY),
        (forge({**HEADER, "kid": ["a"]}), Fault.UNKNOWN_KEY),
        (forge({k: v for k, v in HEADER.items() if k != "kid"}), Fault.UNKNOWN_KEY),
        (forge({**HEADER, "jwk": OWN_JWK}, sign=STRANGER.sign), Fault.UNEXPECTED_HEADER),
        (forge({**HEADER, "jku": "https://evil.example/k"}), Fault.UNEXPECTED_HEADER),
        (forge({**HEADER, "x5u": "https://evil.example/k"}), Fault.UNEXPECTED_HEADER),
        (forge({**HEADER, "x5c": ["MIIB"]}), Fault.UNEXPECTED_HEADER),
        (forge({**HEADER, "crit": ["exp"]}), Fault.UNEXPECTED_HEADER),
        (forge({**HEADER, "crit": ["b64"], "b64": True}), Fault.UNEXPECTED_HEADER),
        (forge({**HEADER, "b64": False}), Fault.UNEXPECTED_HEADER),
        (forge({**HEADER, "zip": "DEF"}), Fault.UNEXPECTED_HEADER),
        (forge({**HEADER, "enc": "A128GCM"}), Fault.UNEXPECTED_HEADER),
        (forge({**HEADER, "cty": "JWT"}), Fault.UNEXPECTED_HEADER),
        (forge({**HEADER, "alg": "Ed25519"}), Fault.WRONG_ALGORITHM),
        (forge({**HEADER, "alg": "RSA-OAEP"}), Fault.WRONG_ALGORITHM),
        (forge({**HEADER, "kid": 0}), Fault.UNKNOWN_KEY),
        (forge({**HEADER, "kid": ""}), Fault.UNKNOWN_KEY),
        (forge({**HEADER, "kid": f"{KEYS.current_id}\x00"}), Fault.UNKNOWN_KEY),
        (forge({**HEADER, "kid": f"x/../{KEYS.current_id}"}), Fault.UNKNOWN_KEY),
        (forge({**HEADER, "kid": KEYS.current_id.upper()}), Fault.UNKNOWN_KEY),
    ],
)
def test_a_forgery_is_refused(token, answer):
    assert fault(token) is answer


@pytest.mark.parametrize(
    "secret",
    [
        KEYS.current.public_key().public_bytes_raw(),
        KEYS.current_id.encode(),
        json.dumps(KEYS.jwks()["keys"][0]).encode(),
        b"",
    ],
    ids=["raw", "name", "jwk", "empty"],
)
@pytest.mark.parametrize("alg", ["HS256", "HS512", "EdDSA"])
def test_what_is_public_is_no_secret_to_sign_with(secret, alg):
    def mac(message):
        return hmac.digest(secret, message, "sha512")  # as long as our signatures are

    assert fault(forge({**HEADER, "alg": alg}, sign=mac)) is (
        Fault.BAD_SIGNATURE if alg == "EdDSA" else Fault.WRONG_ALGORITHM
    )


def test_a_signature_of_another_curve_is_refused():
    # ES256 signatures are 64 bytes as well.
    message = f"{part(HEADER)}.{part(CLAIMS)}"
    es256 = jwt.get_algorithm_by_name("ES256")
    signature = es256.sign(message.encode(), generate_private_key(SECP256R1()))

    assert fault(f"{message}.{part(signature)}") is Fault.BAD_SIGNATURE


@pytest.mark.parametrize("claim", sorted(CLAIMS))
def test_a_changed_claim_breaks_the_signature(claim):
    header, _, signature = forge().split(".")

    assert fault(f"{header}.{part({**CLAIMS, claim: CLAIMS[claim] * 2})}.{signature}") is (
        Fault.BAD_SIGNATURE
    )


def test_a_changed_header_breaks_the_signature():
    _, claims, signature = forge().split(".")
    reordered = part(dict(reversed(HEADER.items())))

    assert fault(f"{reordered}.{claims}.{signature}") is Fault.BAD_SIGNATURE


@given(st.data())
def test_no_other_spelling_of_a_token_is_taken(data):
    token = forge()
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from([c for c in map(chr, range(33, 127)) if c != token[place]]))

    with pytest.raises(BadToken):
        TOKENS.verify(token[:place] + other + token[place + 1 :], now=NOON)


@given(st.text() | st.text("eyJ.-_A=", max_size=200))
def test_noise_is_refused_and_breaks_nothing(noise):
    with pytest.raises(BadToken):
        TOKENS.verify(noise, now=NOON)


# Tokens we did sign, and that still must not open this door


def without(claim):
    return {name: value for name, value in CLAIMS.items() if name != claim}


@pytest.mark.parametrize("claim", sorted(CLAIMS))
def test_no_claim_may_be_missing_or_null(claim):
    assert fault(forge(claims=without(claim))) is Fault.BAD_CLAIM
    assert fault(forge(claims={**CLAIMS, claim: None})) is Fault.BAD_CLAIM


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({"iss": "https://evil.example"}, Fault.WRONG_ISSUER),
        ({"iss": "https://smarketing.example/"}, Fault.WRONG_ISSUER),
        ({"iss": ["https://smarketing.example"]}, Fault.BAD_CLAIM),
        ({"aud": "another-api"}, Fault.WRONG_AUDIENCE),
        ({"aud": ["smarketing-api", "another-api"]}, Fault.BAD_CLAIM),
        ({"aud": "smarketing-api "}, Fault.WRONG_AUDIENCE),
        ({"sub": "ann@example.com"}, Fault.BAD_CLAIM),
        ({"sub": 7}, Fault.BAD_CLAIM),
        ({"sub": str(USER).upper()}, Fault.BAD_CLAIM),
        ({"sub": f"{{{USER}}}"}, Fault.BAD_CLAIM),
        ({"tid": ""}, Fault.BAD_CLAIM),
        ({"tid": [str(TENANT)]}, Fault.BAD_CLAIM),
        ({"acc": USER.hex}, Fault.BAD_CLAIM),
        ({"sid": "x"}, Fault.BAD_CLAIM),
        ({"jti": "1"}, Fault.BAD_CLAIM),
        ({"exp": str(CLAIMS["exp"])}, Fault.BAD_CLAIM),
        ({"exp": float(CLAIMS["exp"])}, Fault.BAD_CLAIM),
        ({"exp": True}, Fault.BAD_CLAIM),
        ({"iat": True, "exp": 2}, Fault.BAD_CLAIM),
        ({"exp": CLAIMS["iat"]}, Fault.BAD_CLAIM),
        ({"exp": CLAIMS["iat"] - 1}, Fault.BAD_CLAIM),
        ({"exp": CLAIMS["iat"] + 901}, Fault.LIFE_TOO_LONG),
        ({"exp": 10**300}, Fault.LIFE_TOO_LONG),
        ({"iat": -(10**300)}, Fault.LIFE_TOO_LONG),
        ({"iat": -(10**300), "exp": -(10**300) + 1}, Fault.EXPIRED),
        ({"iat": 10**300, "exp": 10**300 + 1}, Fault.NOT_YET_VALID),
        ({"iat": CLAIMS["iat"] + 31, "exp": CLAIMS["exp"] + 31}, Fault.NOT_YET_VALID),
        ({"iat": CLAIMS["iat"] - 930, "exp": CLAIMS["iat"] - 30}, Fault.EXPIRED),
        ({"nbf": CLAIMS["iat"] + 31}, Fault.NOT_YET_VALID),
        ({"nbf": "now"}, Fault.BAD_CLAIM),
        ({"nbf": None}, Fault.BAD_CLAIM),
    ],
)
def test_a_claim_must_be_of_its_type_and_for_us_and_now(changed, answer):
    assert fault(forge(claims={**CLAIMS, **changed})) is answer


@pytest.mark.parametrize("type", ["JWT", "rt+jwt", "at+JWT", "application/at+jwt", "", None, 1])
def test_only_an_access_token_gives_access(type):
    assert fault(forge({**HEADER, "typ": type})) is Fault.WRONG_TYPE


def test_a_token_without_a_type_is_refused():
    assert fault(forge({k: v for k, v in HEADER.items() if k != "typ"})) is Fault.WRONG_TYPE


TWICE = json.dumps(CLAIMS)[:-1].encode() + b', "sub": "' + str(TENANT).encode() + b'"}'
TWO_KEYS = json.dumps(HEADER)[:-1].encode() + b', "kid": "x"}'


@pytest.mark.parametrize(
    "token",
    [
        forge(claims=TWICE),
        forge(header=TWO_KEYS),
        forge(claims=json.dumps({**CLAIMS, "x": float("nan")}).encode()),
        forge(claims=[CLAIMS]),
        forge(claims=b"null"),
        forge(claims=b"\xff\xfe"),
        forge(claims=b"{"),
        forge(claims=b"[" * 1000),
        forge(header=b"[" * 1000),
        forge(header=b"[]"),
        forge(header=b"\xff"),
        # In UTF-8 and in nothing else (RFC 8725, 3.7).
        forge(header=json.dumps(HEADER).encode("utf-16")),
        forge(header=json.dumps(HEADER).encode("utf-32-le")),
        forge(claims=json.dumps(CLAIMS).encode("utf-16")),
        forge(claims=b"\xef\xbb\xbf" + json.dumps(CLAIMS).encode()),
        # Within another, encrypted, and in the other serialisation (7515, 7516, 7519).
        forge(claims=forge().encode()),
        forge(claims=json.dumps(forge()).encode()),
        ".".join([*forge().split(".")[:2], "", "", forge().split(".")[2]]),
        json.dumps(
            dict(zip(("protected", "payload", "signature"), forge().split("."), strict=True))
        ),
        forge(claims=b'{"exp": ' + b"9" * 5000 + b"}")[:MAX_LENGTH],
        # A refresh token is none.
        RefreshTokens(b"s" * 32).first(TENANT, SESSION).text,
        forge() + "=",
        forge() + "\n",
        " " + forge(),
        "Bearer " + forge(),
        forge() + "." + part(b"x" * 64),
        forge().replace(".", ".."),
        "." * 3,
        "",
        "\x00",
        "é.é.é",
        "\ud800",
    ],
)
def test_a_misshapen_token_is_refused(token):
    assert fault(token) is Fault.MALFORMED


def test_an_overlong_token_is_refused_unread():
    token = forge(claims={**CLAIMS, "x": "x" * MAX_LENGTH})

    assert fault(token) is Fault.TOO_LONG


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
