import base64
import json
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from infra.signing_keys import _WEAK, SigningKeys, thumbprint

# The example key of RFC 8032, section 7.1, named in RFC 8037, appendix A.3.
EXAMPLE = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")


def private_pem(key, encryption=None):
    return key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()
    ).decode()


def public_pem(key):
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_a_key_is_named_by_its_thumbprint():
    key = Ed25519PublicKey.from_public_bytes(EXAMPLE)

    assert thumbprint(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_the_first_key_signs_and_the_others_still_count():
    new, old, next_one = (Ed25519PrivateKey.generate() for _ in range(3))
    text = private_pem(new) + private_pem(old) + public_pem(next_one.public_key())

    keys = SigningKeys.from_pem(text)

    assert keys.current.private_bytes_raw() == new.private_bytes_raw()
    assert list(keys.public) == [thumbprint(key.public_key()) for key in (new, old, next_one)]
    assert keys.current_id == thumbprint(new.public_key())


def test_line_ends_may_be_spelt_out():
    keys = SigningKeys.generate()

    assert SigningKeys.from_pem(keys.pem().replace("\n", "\\n")).current_id == keys.current_id


def test_the_key_set_shows_public_halves_only():
    new, old = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    keys = SigningKeys(new, (old.public_key(),))

    def published(key):
        x = base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).rstrip(b"=").decode()
        kid = thumbprint(key.public_key())
        return {
            "kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "alg": "EdDSA", "use": "sig",
        }  # fmt: skip

    assert json.loads(json.dumps(keys.jwks())) == {"keys": [published(new), published(old)]}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no PEM key found"),
        ("not a key", "no PEM key found"),
        (public_pem(Ed25519PrivateKey.generate().public_key()), "must be a private key"),
        (private_pem(ec.generate_private_key(ec.SECP256R1())), "must be Ed25519"),
        (private_pem(ed448.Ed448PrivateKey.generate()), "must be Ed25519"),
        (
            private_pem(Ed25519PrivateKey.generate(), BestAvailableEncryption(b"pass")),
            "cannot read the PEM block ENCRYPTED PRIVATE KEY",
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
            "cannot read the PEM block PRIVATE KEY",
        ),
    ],
    ids=["empty", "no pem", "public first", "p-256", "ed448", "encrypted", "damaged"],
)
def test_no_other_key_is_taken(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        SigningKeys.from_pem(text)


@pytest.mark.parametrize("sign", [0x00, 0x80])
@pytest.mark.parametrize("y", sorted(_WEAK), ids=lambda y: y.hex()[:4])
def test_a_key_for_which_anybody_could_sign_is_refused(y, sign):
    weak = Ed25519PublicKey.from_public_bytes(y[:-1] + bytes([y[-1] | sign]))
    text = private_pem(Ed25519PrivateKey.generate()) + public_pem(weak)

    with pytest.raises(ValueError, match="small order"):
        SigningKeys.from_pem(text)


def test_under_a_weak_key_anybody_could_sign_indeed():
    """What the refusal is for: the library itself takes this forgery."""
    identity = Ed25519PublicKey.from_public_bytes(b"\x01" + bytes(31))

    identity.verify(b"\x01" + bytes(63), b"whatever was never signed")


def test_a_development_key_is_made_once_and_is_its_owners_alone(tmp_path):
    path = tmp_path / "local" / "signing.pem"

    first, second = (SigningKeys.for_development(path) for _ in range(2))

    assert first.current_id == second.current_id
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_processes_that_start_together_get_the_same_development_key(tmp_path):
    path = tmp_path / "signing.pem"

    with ThreadPoolExecutor(8) as starters:
        made = list(starters.map(lambda _: SigningKeys.for_development(path), range(32)))

    assert {keys.current_id for keys in made} == {SigningKeys.from_file(path).current_id}
    assert list(tmp_path.iterdir()) == [path]
