"""Tokens we did sign, and that still must not open this door."""

import json

import pytest

from infra.refresh_tokens import RefreshTokens
from infra.tokens import MAX_LENGTH, Fault
from tests.infra.tokens.issuing import CLAIMS, HEADER, SESSION, TENANT, USER, fault, forge, part


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
