"""What one transaction changes of what is audited, as it was before and as it is after."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import orjson

from domain.audit import (
    AUDITED,
    LEFT_OUT_EVERYWHERE,
    REFERENCES,
    SYSTEM,
    AuditActorKind,
    AuditEffect,
    AuditRecord,
    Cause,
)
from domain.ids import PREFIXES, new_id, public
from infra.rows import per_kind, plain

Place: TypeAlias = tuple[type, UUID]
Difference: TypeAlias = dict[str, Any]

_ALL = frozenset(AUDITED)
_BY_ANYBODY = frozenset(kind for kind, policy in AUDITED.items() if not policy.by_people)


@dataclass(slots=True)
class _Change:
    """One thing before the transaction and after, whatever happened to it in between."""

    before: Any
    after: Any


class _Act:
    """What was changed by one cause, the first things first."""

    def __init__(self, cause: Cause) -> None:
        self.cause = cause
        self.changes: dict[Place, _Change] = {}
        self.noted: list[Place] = []


class Trail:
    """The audited changes of one transaction; without a cause nothing is followed.

    It remembers what was read, which is how a change knows what was there before.
    """

    def __init__(self, cause: Cause | None) -> None:
        self._followed: frozenset[type] = frozenset()
        self._known: dict[Place, Any] = {}
        self._act = _Act(cause or SYSTEM)
        self._joined: list[_Act] = []
        if cause is not None:
            people = cause.actor_kind is not AuditActorKind.SYSTEM
            self._followed = _ALL if people else _BY_ANYBODY

    def follows(self, kind: type) -> bool:
        """Say whether changes of a kind are audited here."""
        return kind in self._followed

    def read(self, kind: type, entities: Iterable[Any]) -> None:
        """Remember what there is."""
        if kind in self._followed:
            for entity in entities:
                self._known[kind, entity.id] = entity

    def unknown(self, kind: type, entities: Iterable[Any]) -> list[UUID]:
        """Return the ids of what is about to be changed, and was not read as it stands."""
        if kind not in self._followed:
            return []
        return [
            entity.id
            for entity in entities
            if getattr(self._known.get((kind, entity.id)), "version", None) != entity.version
        ]

    def added(self, kind: type, entities: Iterable[Any]) -> None:
        """Note what is new."""
        if kind in self._followed:
            for entity in entities:
                self._note((kind, entity.id), None, entity)

    def changed(self, kind: type, entities: Iterable[Any]) -> None:
        """Note what was read before and is now as it is given."""
        if kind in self._followed:
            for entity in entities:
                place = kind, entity.id
                self._note(place, self._known[place], entity)

    def removed(self, kind: type, entities: Iterable[Any]) -> None:
        """Note what is gone."""
        for entity in entities:
            self._note((kind, entity.id), entity, None)

    def noted(self, subject: object) -> None:
        """Note that something was done which changed nothing."""
        self._act.noted.append((type(subject), subject.id))  # type: ignore[attr-defined]  # every entity has an id

    def join(self, part: Trail) -> None:
        """Tell what a part of the same transaction has changed too, as that part's."""
        self._joined += [*part._joined, part._act]
        part._joined, part._act = [], _Act(part._act.cause)

    def take(self, at: datetime) -> list[AuditRecord]:
        """Return a record of everything that is another than before, and begin anew."""
        records = [record for act in (*self._joined, self._act) for record in _records(act, at)]
        self._joined, self._act = [], _Act(self._act.cause)
        return records

    def _note(self, place: Place, before: Any, after: Any) -> None:
        self._known[place] = after
        changes = self._act.changes
        if place in changes:
            changes[place].after = after
        else:
            changes[place] = _Change(before, after)


def _records(act: _Act, at: datetime) -> Iterable[AuditRecord]:
    told: dict[Place, tuple[AuditEffect, list[Difference]]] = {}
    for (kind, id), change in act.changes.items():
        _tell(told, kind, id, change)
    for place in act.noted:
        yield _record(act.cause, at, place, AuditEffect.NOTED, ())
    for place, (effect, differences) in told.items():
        yield _record(act.cause, at, place, effect, differences)


def _tell(
    told: dict[Place, tuple[AuditEffect, list[Difference]]], kind: type, id: UUID, change: _Change
) -> None:
    """Add a change to what is told, unless it comes to nothing."""
    policy, before, after = AUDITED[kind], change.before, change.after
    if policy.decided and _decided(kind, before) == _decided(kind, after):
        return
    if policy.part_of:
        whole, key = policy.part_of
        name = _camel(f"{kind.__name__[0].lower()}{kind.__name__[1:]}")
        part = {"field": name, "before": _whole(kind, before), "after": _whole(kind, after)}
        place = whole, getattr(after or before, key)
        told.setdefault(place, (AuditEffect.CHANGED, []))[1].append(part)
    elif differences := differences_of(kind, None if policy.whole else before, after):
        told.setdefault((kind, id), (_effect(before, after), []))[1].extend(differences)


def _record(
    cause: Cause,
    at: datetime,
    place: Place,
    effect: AuditEffect,
    differences: Sequence[Difference],
) -> AuditRecord:
    return AuditRecord(
        id=new_id(),
        at=at,
        action=cause.action,
        actor_kind=cause.actor_kind,
        actor_id=cause.actor_id,
        actor_name=cause.actor_name,
        session_id=cause.session_id,
        request_id=cause.request_id,
        ip_address=cause.ip_address,
        user_agent=cause.user_agent,
        effect=effect,
        subject_kind=place[0].__name__,
        subject_id=place[1],
        differences=orjson.dumps(differences).decode(),
    )


def differences_of(kind: type, before: Any, after: Any) -> list[Difference]:
    """Return the fields that are another than before, as JSON can hold them.

    Ids are told as clients know them, and a field without a value is left out of what is new.
    """
    found = []
    for attribute, name, refers in _told_fields(kind):
        was = None if before is None else getattr(before, attribute)
        now = None if after is None else getattr(after, attribute)
        if was != now:
            found.append({"field": name, "before": _told(was, refers), "after": _told(now, refers)})
    return found


@per_kind
def _told_fields(kind: type) -> tuple[tuple[str, str, str | None], ...]:
    """Return the fields that are told of: attribute, public name, and what an id points at."""
    left_out = LEFT_OUT_EVERYWHERE | AUDITED[kind].left_out
    return tuple(
        (field.name, _camel(field.name), REFERENCES.get(field.name))
        for field in fields(kind)
        if field.name not in left_out
    )


def _told(value: Any, refers: str | None) -> Any:
    if refers is not None and refers in PREFIXES and isinstance(value, UUID):
        return public(refers, value)
    return plain(value)


def _whole(kind: type, entity: Any) -> Any:
    if entity is None:
        return None
    return {each["field"]: each["after"] for each in differences_of(kind, None, entity)}


def _decided(kind: type, entity: Any) -> object:
    decided = AUDITED[kind].decided
    return decided(entity) if decided and entity is not None else ()


def _effect(before: Any, after: Any) -> AuditEffect:
    if before is None:
        return AuditEffect.ADDED
    return AuditEffect.REMOVED if after is None else AuditEffect.CHANGED


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
