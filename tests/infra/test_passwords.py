import asyncio
import threading
import unicodedata

import pytest
from argon2 import extract_parameters
from argon2.exceptions import Argon2Error
from argon2.profiles import RFC_9106_LOW_MEMORY

from domain.errors import Overloaded
from infra.passwords import Passwords, Verdict, WeakPassword, check_password
from tests.passwords import QUICK

GOOD = "tulips 4 everyone"
EMAIL = "ann.archer@example.com"


@pytest.fixture
def passwords():
    with_threads = Passwords(QUICK)
    yield with_threads
    with_threads.close()


# Which passwords are good enough


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "correct horse battery",
        "gxkqvmzwtpbd",
        "8301746592648",
        "naïve café au lait",
        "パスワードは長いほど良い",
        "archery in the park",
        "summer hats and salty dogs",
        "x" * 100 + "yzabcdef" * 12 + "q!7e",
    ],
)
def test_length_is_all_a_password_needs(password):
    check_password(password, email=EMAIL)


TRIED_FIRST = "This password is among the first that anybody would try."
ABOUT_ME = "The password gives away little more than the e-mail address."


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("", "Choose a password of at least 12 characters."),
        ("tulips4all!", "Choose a password of at least 12 characters."),
        ("abcdefgh ijk lmnop " * 11, "Choose a password of at most 200 characters."),
        ("tulips \ud800 everyone", "The password holds characters that are not text."),
        ("aaaaaaaaaaaaaaaa", TRIED_FIRST),
        ("abababababab", TRIED_FIRST),
        ("123456789012", TRIED_FIRST),
        ("210987654321", TRIED_FIRST),
        ("1234567890qwerty", TRIED_FIRST),
        ("QWERTYUIOPasdf", TRIED_FIRST),
        ("123456123456", TRIED_FIRST),
        ("password1234", TRIED_FIRST),
        ("P@ssw0rd!2026", TRIED_FIRST),
        ("passwordpassword", TRIED_FIRST),
        ("Password.Password1", TRIED_FIRST),
        ("ｐａｓｓｗｏｒｄ１２３４", TRIED_FIRST),
        ("--Welcome-2026--", TRIED_FIRST),
        ("Smarketing2026!", TRIED_FIRST),
        ("correct-horse-battery-staple", TRIED_FIRST),
        ("1q2w3e4r5t6y", TRIED_FIRST),
        (EMAIL, ABOUT_ME),
        ("Ann.Archer@Example.com", ABOUT_ME),
        ("ann.archer2026", ABOUT_ME),
        ("!ann.archer@example.com1", ABOUT_ME),
    ],
)
def test_what_anybody_would_try_first_is_refused(password, message):
    with pytest.raises(WeakPassword) as refusal:
        check_password(password, email=EMAIL)

    assert (refusal.value.code, refusal.value.message, refusal.value.path) == (
        "WEAK_PASSWORD",
        message,
        ("password",),
    )


def test_a_short_mail_name_says_nothing():
    check_password("bob the builder", email="bob@example.com")


# Hashing


async def test_only_the_password_itself_is_right(passwords):
    stored = await passwords.hash(GOOD)

    assert GOOD not in stored
    assert await passwords.verify(GOOD, stored) == Verdict(right=True)
    for wrong in ("", GOOD.upper(), GOOD + " ", GOOD[:-1], "\ud800", "x" * 10_000):
        assert await passwords.verify(wrong, stored) == Verdict(right=False)


async def test_two_people_with_one_password_have_different_hashes(passwords):
    assert await passwords.hash(GOOD) != await passwords.hash(GOOD)


async def test_a_password_is_the_same_from_every_keyboard(passwords):
    composed, decomposed = (
        unicodedata.normalize(form, "crème brûlée daily") for form in ("NFC", "NFD")
    )

    stored = await passwords.hash(composed)

    assert composed != decomposed
    assert await passwords.verify(decomposed, stored) == Verdict(right=True)


async def test_a_hash_from_cheaper_days_is_right_and_outdated(passwords):
    stored = await passwords.hash(GOOD)
    dearer = Passwords(RFC_9106_LOW_MEMORY)

    assert await dearer.verify(GOOD, stored) == Verdict(right=True, outdated=True)
    assert await dearer.verify("wrong " + GOOD, stored) == Verdict(right=False)
    dearer.close()


async def test_nobody_has_no_password(passwords):
    for password in ("", GOOD, "\ud800", "x" * 10_000):
        assert await passwords.verify(password, None) == Verdict(right=False)


async def test_an_unknown_account_costs_the_work_of_a_known_one(passwords):
    """Not timed, which would be a matter of luck: the same parameters are the same work."""
    stored = await passwords.hash(GOOD)

    assert extract_parameters(passwords._nobody) == extract_parameters(stored) == QUICK


async def test_the_default_is_the_recommendation_of_the_rfc():
    passwords = Passwords()

    assert extract_parameters(await passwords.hash(GOOD)) == RFC_9106_LOW_MEMORY
    passwords.close()


async def test_an_unchecked_password_is_not_hashed(passwords):
    for unchecked in ("x" * 201, "\ud800"):
        with pytest.raises(ValueError, match="was not checked"):
            await passwords.hash(unchecked)


async def test_a_burst_of_sign_ins_uses_no_more_than_its_threads():
    passwords = Passwords(QUICK, threads=2)
    before = threading.active_count()

    stored = await asyncio.gather(*(passwords.hash(GOOD) for _ in range(20)))

    assert threading.active_count() - before <= 2
    assert len(set(stored)) == 20
    passwords.close()
    assert threading.active_count() == before


async def test_a_damaged_hash_is_our_fault_not_a_wrong_password(passwords):
    with pytest.raises(Argon2Error, match="Decoding failed"):
        await passwords.verify(GOOD, "$argon2id$damaged")


async def test_only_so_many_wait_and_the_next_is_told_to_come_back():
    passwords, hashing = Passwords(QUICK, threads=1, most_waiting=2), threading.Event()
    passwords._threads.submit(hashing.wait)
    waiting = [asyncio.create_task(passwords.verify(GOOD, None)) for _ in range(3)]
    await asyncio.sleep(0)

    with pytest.raises(Overloaded) as refusal:
        await passwords.verify(GOOD, None)
    hashing.set()

    assert refusal.value.code == "SERVICE_UNAVAILABLE"
    assert await asyncio.gather(*waiting) == [Verdict(right=False)] * 3
    assert await passwords.verify(GOOD, None) == Verdict(right=False)
    passwords.close()


async def test_whoever_goes_away_leaves_his_place():
    passwords, hashing = Passwords(QUICK, threads=1, most_waiting=1), threading.Event()
    passwords._threads.submit(hashing.wait)
    for _ in range(50):
        gone = asyncio.create_task(passwords.verify(GOOD, None))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait([gone])
    hashing.set()

    assert await passwords.verify(GOOD, None) == Verdict(right=False)
    passwords.close()
