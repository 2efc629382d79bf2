"""The audit log's rules: the hash of an entry, and what is audited at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_type_hints
from uuid import UUID

import pytest

from domain.audit import (
    AUDITED,
    GENESIS,
    LEFT_OUT_EVERYWHERE,
    NOT_AUDITED,
    REFERENCES,
    AuditActorKind,
    AuditEffect,
    AuditEntry,
    AuditRecord,
    Cause,
    FieldChange,
    Head,
    digest_of,
    next_hash,
)
from domain.identity import Actor
from domain.ids import PREFIXES
from infra.tables import TABLES, plain_type

TENANT = UUID("018f0000-0000-7000-8000-000000000001")
RECORD = AuditRecord(
    id=UUID("018f0000-0000-7000-8000-000000000002"),
    at=datetime(2026, 3, 10, 12, 0, 0, 250, tzinfo=UTC),
    action="teamUpdate",
    actor_kind=AuditActorKind.USER,
    actor_id=UUID("018f0000-0000-7000-8000-000000000003"),
    actor_name="Zoë",
    session_id=None,
    request_id="r1",
    ip_address="192.0.2.7",
    user_agent=None,
    effect=AuditEffect.CHANGED,
    subject_kind="Team",
    subject_id=UUID("018f0000-0000-7000-8000-000000000004"),
    differences='[{"field":"name","before":"North","after":"South"}]',
)
# The entry by the words of docs/adr, written out by hand: what a third party would hash.
WRITTEN_OUT = (
    "1:1,"
    "36:018f0000-0000-7000-8000-000000000001,"
    "36:018f0000-0000-7000-8000-000000000002,"
    "27:2026-03-10T12:00:00.000250Z,"
    "10:teamUpdate,"
    "4:USER,"
    "36:018f0000-0000-7000-8000-000000000003,"
    "4:Zoë,"
    "-,"
    "2:r1,"
    "9:192.0.2.7,"
    "-,"
    "7:CHANGED,"
    "4:Team,"
    "36:018f0000-0000-7000-8000-000000000004,"
    '51:[{"field":"name","before":"North","after":"South"}],'
)
ANN = Actor(
    tenant_id=TENANT,
    user_id=TENANT,
    permissions=frozenset(),
    name="Ann",
    session_id=RECORD.id,
)
# Fields that hold a secret, or what a secret is recognised by.
SECRETS = {"digest", "password_hash", "secret", "token", "account_id", "content"}


def test_a_digest_is_of_the_record_as_it_is_written_out() -> None:
    assert digest_of(TENANT, RECORD) == hashlib.sha256(WRITTEN_OUT.encode()).digest()


def test_a_hash_covers_the_one_before_the_number_and_the_digest() -> None:
    digest = digest_of(TENANT, RECORD)

    assert next_hash(GENESIS, 1, digest) == (
        hashlib.sha256(b"\0" * 32 + b"\0\0\0\0\0\0\0\1" + digest).digest()
    )


def test_a_head_is_noted_by_its_number_and_hash() -> None:
    assert Head(2, bytes(32)).anchor == f"2:{'00' * 32}"


def other_values() -> Iterator[tuple[str, Any]]:
    """Return every field of a record with another value."""
    for field in fields(AuditRecord):
        value = getattr(RECORD, field.name)
        match value:
            case datetime():
                yield field.name, value + timedelta(microseconds=1)
            case AuditActorKind() | AuditEffect():
                yield field.name, next(each for each in type(value) if each is not value)
            case UUID():
                yield field.name, UUID(int=value.int + 1)
            case None if field.name == "session_id":
                yield field.name, RECORD.id
            case None:
                yield field.name, ""
            case str():
                yield field.name, value + " "


OTHERS = dict(other_values())


@pytest.mark.parametrize(("name", "value"), OTHERS.items(), ids=OTHERS)
def test_no_field_can_change_without_the_digest(name: str, value: Any) -> None:
    assert digest_of(TENANT, replace(RECORD, **{name: value})) != digest_of(TENANT, RECORD)


def test_no_two_records_are_encoded_alike() -> None:
    """Text cannot move from one field into the next, and nothing differs from the empty text."""
    texts = {
        digest_of(TENANT, replace(RECORD, request_id=one, ip_address=two))
        for one, two in [
            ("ab", "c"),
            ("a", "bc"),
            ("", "abc"),
            (None, "abc"),
            ("-", "bc"),
            (",", ""),
        ]
    }
    assert len(texts) == 6
    assert digest_of(RECORD.id, RECORD) != digest_of(TENANT, RECORD)


def test_the_same_instant_in_another_zone_has_the_same_digest() -> None:
    there = RECORD.at.astimezone(timezone(timedelta(hours=5, minutes=30)))

    assert digest_of(TENANT, replace(RECORD, at=there)) == digest_of(TENANT, RECORD)


def test_an_entry_tells_its_changes_and_who_did_it() -> None:
    told = {field.name: getattr(RECORD, field.name) for field in fields(RECORD)}
    entry = AuditEntry(**told, number=1, previous_hash=GENESIS, hash=GENESIS)
    by_key = replace(entry, actor_kind=AuditActorKind.API_KEY)

    assert entry.changes == (FieldChange(field="name", before="North", after="South"),)
    assert (entry.user_id, entry.api_key_id) == (RECORD.actor_id, None)
    assert (by_key.user_id, by_key.api_key_id) == (None, RECORD.actor_id)


# Where from


@pytest.mark.parametrize(
    ("actor", "kind", "id"),
    [
        (ANN, AuditActorKind.USER, TENANT),
        (replace(ANN, user_id=None, api_key_id=RECORD.id), AuditActorKind.API_KEY, RECORD.id),
        (replace(ANN, user_id=None), AuditActorKind.SYSTEM, None),
    ],
    ids=["user", "key", "nobody"],
)
def test_an_origin_knows_whose_it_is(actor: Actor, kind: AuditActorKind, id: UUID | None) -> None:
    place = Cause.over(request_id="r1", ip_address="192.0.2.7", user_agent="curl/8")

    assert place.doing("teamUpdate").by(actor) == Cause(
        action="teamUpdate",
        actor_kind=kind,
        actor_id=id,
        actor_name="Ann",
        session_id=RECORD.id,
        request_id="r1",
        ip_address="192.0.2.7",
        user_agent="curl/8",
    )


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (None, None),
        ("", None),
        ("\r\n\x00\x1b[31m", "[31m"),
        ("x" * 1000, "x" * 300),
    ],
    ids=["none", "empty", "controls", "long"],
)
def test_of_a_user_agent_only_what_can_be_shown_is_kept(sent: str | None, kept: str | None) -> None:
    assert Cause.over(request_id="", ip_address=None, user_agent=sent).user_agent == kept


# What is audited


def test_every_kind_is_audited_or_has_a_reason_not_to_be() -> None:
    own = {AuditEntry}
    assert AUDITED.keys() | NOT_AUDITED.keys() == TABLES.keys() - own
    assert AUDITED.keys() & NOT_AUDITED.keys() == set()
    assert all(len(reason) > 10 for reason in NOT_AUDITED.values())


@pytest.mark.parametrize("kind", AUDITED, ids=[kind.__name__ for kind in AUDITED])
def test_no_secret_is_in_the_log(kind: Any) -> None:
    names = {field.name for field in fields(kind)}
    told = names - AUDITED[kind].left_out - LEFT_OUT_EVERYWHERE

    assert told & SECRETS == set()
    assert AUDITED[kind].left_out <= names


@pytest.mark.parametrize("kind", AUDITED, ids=[kind.__name__ for kind in AUDITED])
def test_every_id_in_the_log_says_what_it_is_the_id_of(kind: Any) -> None:
    left_out = AUDITED[kind].left_out | LEFT_OUT_EVERYWHERE
    ids = {name for name, hint in get_type_hints(kind).items() if plain_type(hint)[0] is UUID}

    assert {REFERENCES[name] for name in ids - left_out} <= PREFIXES.keys()


@pytest.mark.parametrize("kind", AUDITED, ids=[kind.__name__ for kind in AUDITED])
def test_every_subject_has_an_id_that_clients_know(kind: type) -> None:
    part_of = AUDITED[kind].part_of

    assert (part_of[0] if part_of else kind).__name__ in PREFIXES
    assert part_of is None or part_of[1] in {field.name for field in fields(kind)}  # type: ignore[arg-type]  # an entity
