import base64
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.signing import MAX_LENGTH, BadSignature, LinkExpired, Purpose, UrlSigner

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=10)
SIGNER = UrlSigner(b"s" * 32)
PAYLOAD = {"photo": "photo_01929b6e000070008000000000000001", "bytes": 5_000}
TOKEN = SIGNER.sign(Purpose.UPLOAD, PAYLOAD, expires_at=LATER)


def refusal(token, purpose=Purpose.UPLOAD, now=NOON, signer=SIGNER):
    with pytest.raises(BadSignature) as refused:
        signer.verify(purpose, token, now=now)
    return type(refused.value), refused.value.code, refused.value.message


NOT_VALID = (BadSignature, "LINK_NOT_VALID", "This link is not valid.")
EXPIRED = (LinkExpired, "LINK_EXPIRED", "This link has expired; ask for a new one.")


def test_a_link_carries_what_was_signed_until_it_expires():
    last = LATER - timedelta(microseconds=1)

    assert SIGNER.verify(Purpose.UPLOAD, TOKEN, now=last) == PAYLOAD
    assert refusal(TOKEN, now=LATER) == EXPIRED


def test_the_same_payload_and_expiry_give_the_same_link():
    backwards = dict(reversed(PAYLOAD.items()))

    assert SIGNER.sign(Purpose.UPLOAD, backwards, expires_at=LATER) == TOKEN


def test_a_link_for_one_purpose_is_none_for_another():
    assert refusal(TOKEN, purpose=Purpose.PHOTO) == NOT_VALID


def test_a_link_of_another_installation_is_refused():
    assert refusal(TOKEN, signer=UrlSigner(b"t" * 32)) == NOT_VALID


def test_links_outlive_the_secret_when_it_is_replaced():
    after = UrlSigner(b"t" * 32, b"s" * 32)

    assert after.verify(Purpose.UPLOAD, TOKEN, now=NOON) == PAYLOAD
    assert refusal(after.sign(Purpose.UPLOAD, PAYLOAD, expires_at=LATER)) == NOT_VALID


def test_a_longer_life_cannot_be_written_in():
    body, mac = TOKEN.split(".")
    content = json.loads(base64.urlsafe_b64decode(body + "=="))
    content["exp"] += 3600
    changed = base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    assert refusal(f"{changed}.{mac}") == NOT_VALID


@given(st.data())
def test_no_other_spelling_of_a_link_is_taken(data):
    place = data.draw(st.integers(0, len(TOKEN) - 1))
    other = data.draw(st.sampled_from([c for c in map(chr, range(33, 127)) if c != TOKEN[place]]))

    assert refusal(TOKEN[:place] + other + TOKEN[place + 1 :]) == NOT_VALID


@given(st.text() | st.text("abc.=-_", max_size=80))
def test_noise_is_refused_and_breaks_nothing(noise):
    assert refusal(noise) == NOT_VALID


@pytest.mark.parametrize(
    "token",
    ["", ".", TOKEN + "=", TOKEN + "\n", TOKEN[:-1], "a" * MAX_LENGTH + TOKEN, "\ud800", "é.é"],
)
def test_a_misshapen_link_is_refused(token):
    assert refusal(token) == NOT_VALID


@given(
    st.dictionaries(
        st.text(max_size=8),
        st.text(max_size=8) | st.integers(-(2**63), 2**63),
        max_size=4,
    )
)
def test_whatever_is_signed_comes_back(payload):
    token = SIGNER.sign(Purpose.PHOTO, payload, expires_at=LATER)

    assert SIGNER.verify(Purpose.PHOTO, token, now=NOON) == payload


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        ({"share": Decimal("0.5")}, "text and integers only"),
        ({"nested": {"a": 1}}, "text and integers only"),
        ({"long": "x" * MAX_LENGTH}, "must be short"),
    ],
)
def test_a_payload_is_small_and_plain(payload, complaint):
    with pytest.raises(ValueError, match=complaint):
        SIGNER.sign(Purpose.PHOTO, payload, expires_at=LATER)


@pytest.mark.parametrize("secrets", [(b"s" * 31,), (b"s" * 32, b"short"), (b"",)])
def test_a_short_secret_is_refused_at_the_start(secrets):
    with pytest.raises(ValueError, match="a secret needs 32 bytes"):
        UrlSigner(*secrets)


def test_an_instant_without_a_zone_is_not_taken():
    with pytest.raises(ValueError, match="time zone"):
        SIGNER.sign(Purpose.PHOTO, {}, expires_at=LATER.replace(tzinfo=None))
    with pytest.raises(ValueError, match="time zone"):
        SIGNER.verify(Purpose.UPLOAD, TOKEN, now=NOON.replace(tzinfo=None))
