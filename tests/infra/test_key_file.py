"""One signing key follows another, and nobody is signed out by it."""

import stat
from datetime import UTC, datetime, timedelta

import pytest

from domain.ids import new_id
from infra.key_file import LAST_TOKENS, KeyFile, KeyPart, WrongStep
from infra.signing_keys import SigningKeys
from infra.tokens import AccessTokens, BadToken, Fault

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SIGNS, NEXT, RETIRED = KeyPart


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys" / "signing.pem"


def first(path):
    KeyFile.read(path).added().write()
    return KeyFile.read(path)


def names(file):
    return [name for name, _ in file.listed]


def parts(file):
    return [part for _, part in file.listed]


def step(path, step, **more):
    """Take a step and return the file as the next process reads it."""
    getattr(KeyFile.read(path), step)(**more).write()
    return KeyFile.read(path)


def tokens(path):
    """Return what a process that starts now issues and takes."""
    return AccessTokens(keys=SigningKeys.from_file(path), issuer="us", audience="api")


def issued(process):
    ids = {name: new_id() for name in ("user_id", "tenant_id", "account_id", "session_id")}
    return process.issue(now=NOON, **ids)


def taken(process, token):
    try:
        process.verify(token, now=NOON)
    except BadToken as error:
        return error.fault
    return True


def test_the_first_key_signs_and_is_its_owners_alone(path):
    file = first(path)

    assert parts(file) == [SIGNS]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["signing.pem"]


def test_a_key_is_next_then_signs_then_has_signed_and_is_gone(path):
    (old,) = names(first(path))

    added = step(path, "added")
    rotated = step(path, "rotated")
    pruned = step(path, "pruned", unchanged_for=LAST_TOKENS)

    (_, new) = names(added)
    assert added.listed == [(old, SIGNS), (new, NEXT)]
    assert rotated.listed == [(new, SIGNS), (old, RETIRED)]
    assert pruned.listed == [(new, SIGNS)]


def test_the_private_half_of_what_has_signed_is_not_kept(path):
    first(path)
    step(path, "added")
    step(path, "rotated")

    assert path.read_text().count("BEGIN PRIVATE KEY") == 1
    assert path.read_text().count("BEGIN PUBLIC KEY") == 1


def test_at_no_step_does_one_process_refuse_what_another_has_just_signed(path):
    first(path)
    before = tokens(path)
    step(path, "added")
    with_next = tokens(path)
    step(path, "rotated")
    after = tokens(path)
    step(path, "pruned", unchanged_for=LAST_TOKENS)
    at_the_end = tokens(path)

    # While the processes restart one after the other, those of two steps run at once.
    for one, other in ((before, with_next), (with_next, after), (after, at_the_end)):
        assert taken(one, issued(other)) is True
    for one, other in ((before, with_next), (with_next, after)):
        assert taken(other, issued(one)) is True
    assert taken(after, issued(before)) is True
    # What comes of skipping a step, and of a key that is gone.
    assert taken(before, issued(after)) is Fault.UNKNOWN_KEY
    assert taken(at_the_end, issued(before)) is Fault.UNKNOWN_KEY


def test_the_next_key_is_published_ahead_of_what_it_signs(path):
    first(path)
    file = step(path, "added")

    published = [key["kid"] for key in tokens(path).keys.jwks()["keys"]]

    assert published == names(file)


@pytest.mark.parametrize(
    ("taken_before", "wrong", "more", "message"),
    [
        ([], "rotated", {}, "There is no next key; add one, and let every process learn of it."),
        (["added"], "added", {}, "There is a next key already; rotate to it first."),
        (
            ["added", "rotated"],
            "pruned",
            {"unchanged_for": timedelta(minutes=1)},
            "The last tokens may still be good; wait 15 minutes more.",
        ),
    ],
)
def test_a_step_too_early_changes_nothing(path, taken_before, wrong, more, message):
    first(path)
    for each in taken_before:
        step(path, each)
    before = path.read_bytes()

    with pytest.raises(WrongStep) as refusal:
        step(path, wrong, **more)

    assert str(refusal.value) == message
    assert path.read_bytes() == before


def test_keys_follow_each_other_for_ever(path):
    first(path)
    for _ in range(5):
        step(path, "added")
        step(path, "rotated")

    file = KeyFile.read(path)

    assert parts(file) == [SIGNS, *[RETIRED] * 5]
    assert len(set(names(file))) == 6
