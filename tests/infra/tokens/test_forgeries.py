"""Forgeries: whoever made these does not hold our key."""

import hmac
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from infra.signing_keys import SigningKeys
from infra.tokens import BadToken, Fault
from tests.infra.tokens.issuing import CLAIMS, HEADER, KEYS, NOON, TOKENS, fault, forge, part


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
