"""What leads are compared by."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.duplicates import LeadPrint, mailbox, print_of
from domain.duplicates.prints import fingerprint, folded
from domain.ids import new_id
from domain.leads import Company, Lead
from domain.stages import Stage

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
ACME = Company(id=new_id(), name="Acme, Inc.", domain="acme.example", created_at=AT)


def a_lead(**said: str) -> Lead:
    return Lead(
        id=new_id(),
        stage=Stage.VISITOR,
        stage_entered_at=AT,
        created_at=AT,
        updated_at=AT,
        **said,  # type: ignore[arg-type]  # texts only
    )


@pytest.mark.parametrize(
    ("email", "kept"),
    [
        ("Ann@Acme.example", "ann@acme.example"),
        ("ann+fair@acme.example", "ann@acme.example"),
        ("+1@acme.example", "+1@acme.example"),
        ("a.n.n@gmail.com", "ann@gmail.com"),
        ("a.n.n@acme.example", "a.n.n@acme.example"),
        ("nobody", None),
        (None, None),
    ],
)
def test_an_address_leads_to_a_mailbox(email: str | None, kept: str | None) -> None:
    assert mailbox(email) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  Renée  O’Brien ", "renee o brien"),
        ("Jørgen Łukasz", "jorgen lukasz"),
        ("MÜLLER-LÜDENSCHEIDT", "muller ludenscheidt"),
        ("李雷", "李雷"),
        ("—", None),
        ("", None),
    ],
)
def test_words_are_folded(text: str, kept: str | None) -> None:
    assert folded(text) == kept


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        # Names that sound alike, in whatever spelling.
        (
            {"first_name": "Jon", "last_name": "Smith"},
            {"first_name": "John", "last_name": "Smyth"},
            {"sound_key"},
        ),
        (
            {"first_name": "Catherine", "last_name": "Meyer"},
            {"first_name": "Kathrin", "last_name": "Maier"},
            {"sound_key"},
        ),
        (
            {"first_name": "Ann", "last_name": "Lee"},
            {"first_name": "Lee", "last_name": "Ann"},
            {"sound_key"},
        ),
        # The same words before the @, at another company.
        (
            {"email": "ann.lee@acme.example"},
            {"email": "lee_ann2@other.example"},
            {"local_key"},
        ),
        # What many read tells nobody.
        ({"email": "info@acme.example"}, {"email": "info@other.example"}, set()),
        ({"email": "al@acme.example"}, {"email": "al@other.example"}, set()),
        # The same mailbox.
        (
            {"email": "ann.lee+x@acme.example"},
            {"email": "ann.lee@acme.example"},
            {"mailbox", "local_key"},
        ),
        ({"first_name": "Ann"}, {"first_name": "Ann"}, set()),
    ],
)
def test_likely_ones_share_a_key(
    one: dict[str, str], other: dict[str, str], shared: set[str]
) -> None:
    assert _shared(print_of(a_lead(**one), None), print_of(a_lead(**other), None)) == shared


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (
            {"first_name": "Bob", "last_name": "Miller"},
            {"first_name": "Robert", "last_name": "Miller"},
            {"work_sound_key"},
        ),
        (
            {"first_name": "Ann", "last_name": "Lee"},
            {"first_name": "Ann", "last_name": "Poe"},
            {"work_initial_key"},
        ),
    ],
)
def test_colleagues_share_a_key_by_half_a_name(
    one: dict[str, str], other: dict[str, str], shared: set[str]
) -> None:
    assert _shared(print_of(a_lead(**one), ACME), print_of(a_lead(**other), ACME)) == shared


def test_a_fingerprint_changes_with_what_is_compared_and_with_nothing_else() -> None:
    ann, bob = (print_of(a_lead(first_name=name, last_name="Lee"), ACME) for name in ("Ann", "Bob"))

    assert fingerprint([ann, bob]) == fingerprint([bob, ann])
    assert fingerprint([ann, replace(bob, person="rob lee")]) != fingerprint([ann, bob])


def _shared(one: LeadPrint, other: LeadPrint) -> set[str]:
    names = ("mailbox", "phone", "sound_key", "local_key", "work_sound_key", "work_initial_key")
    values = {name: getattr(one, name) for name in names}
    return {name for name in names if values[name] and values[name] == getattr(other, name)}
