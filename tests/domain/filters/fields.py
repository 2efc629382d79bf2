"""A thing like a lead, its fields, and what holds of it and what does not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from domain.filters import Comparator, Compare, FieldType, FilterField, FilterFields


class Stage(StrEnum):
    LEAD = "LEAD"
    MQL = "MQL"
    SAL = "SAL"
    SQL = "SQL"


class Source(StrEnum):
    PAID = "paid_search"
    ORGANIC = "organic"


def a_field(name, attribute, type, **more):
    return FilterField(name=name, attribute=attribute, type=type, description=name, **more)


TITLE = a_field("title", "title", FieldType.TEXT)
SCORE = a_field("score", "score", FieldType.NUMBER)
CREATED_AT = a_field("createdAt", "created_at", FieldType.INSTANT, label="creation")
CLOSE_ON = a_field("closeOn", "close_on", FieldType.DAY)
SUBSCRIBED = a_field("subscribed", "subscribed", FieldType.FLAG)
OWNER = a_field("owner", "owner_id", FieldType.ID, kind="User")
STAGE = a_field("stage", "stage", FieldType.CHOICE, choices=Stage, ordered=True)
SOURCE = a_field("originSource", "origin_source", FieldType.CHOICE, choices=Source)
FIELDS = FilterFields(
    "lead", [TITLE, SCORE, CREATED_AT, CLOSE_ON, SUBSCRIBED, OWNER, STAGE, SOURCE]
)
ANN = UUID("01920000-0000-7000-8000-00000000000a")
BOB = UUID("01920000-0000-7000-8000-00000000000b")
ANN_ID = f"user_{ANN.hex}"
BOB_ID = f"user_{BOB.hex}"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TOKYO = timezone(timedelta(hours=9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    title: str | None = None
    score: int | Decimal | None = None
    created_at: datetime | None = None
    close_on: date | None = None
    subscribed: bool | None = None
    owner_id: UUID | None = None
    stage: Stage | None = None
    origin_source: Source | None = None


A_LEAD = Lead(
    title="VP Sales 50%",
    score=50,
    created_at=NOON,
    close_on=date(2026, 3, 31),
    subscribed=True,
    owner_id=ANN,
    stage=Stage.SAL,
    origin_source=Source.PAID,
)
UNKNOWN = Lead()


def compare(field, op, value):
    return Compare(field, Comparator(op), value)


def nested(levels, innermost):
    """Return a filter of that many levels of objects."""
    return innermost if levels == 1 else {"not": nested(levels - 1, innermost)}


# What holds of A_LEAD, and what does not.
YES = [
    {"title": {"eq": "VP Sales 50%"}},
    {"title": {"ne": "vp sales 50%"}},
    {"title": {"in": ["CEO", "VP Sales 50%"]}},
    {"title": {"notIn": ["CEO", "vp sales 50%"]}},
    {"title": {"contains": "p sAL"}},
    {"title": {"contains": "0%"}},
    {"title": {"startsWith": "vP s"}},
    {"title": {"endsWith": "ES 50%"}},
    {"title": {"isNull": False}},
    {"score": {"eq": 50}},
    {"score": {"eq": "50.0"}},
    {"score": {"ne": 49}},
    {"score": {"lt": "50.01"}},
    {"score": {"lte": 50}},
    {"score": {"gt": 49.5}},
    {"score": {"gte": 50}},
    {"score": {"in": [1, 50]}},
    {"score": {"notIn": [1, 2]}},
    {"createdAt": {"eq": "2026-03-02T13:00:00+01:00"}},
    {"createdAt": {"lt": "2026-03-02T12:00:00.000001Z"}},
    {"createdAt": {"lte": "2026-03-02T12:00:00Z"}},
    {"createdAt": {"gt": "2026-03-02T11:59:59.999999Z"}},
    {"createdAt": {"gte": "2026-03-02t12:00:00z"}},
    {"closeOn": {"eq": "2026-03-31"}},
    {"closeOn": {"lt": "2026-04-01"}},
    {"closeOn": {"gte": "2026-03-31"}},
    {"subscribed": {"eq": True}},
    {"owner": {"eq": ANN_ID}},
    {"owner": {"ne": BOB_ID}},
    {"owner": {"in": [BOB_ID, ANN_ID]}},
    {"owner": {"notIn": [BOB_ID]}},
    {"stage": {"eq": "SAL"}},
    {"stage": {"ne": "MQL"}},
    {"stage": {"lt": "SQL"}},
    {"stage": {"lte": "SAL"}},
    {"stage": {"gt": "MQL"}},
    {"stage": {"gte": "SAL"}},
    {"originSource": {"in": ["organic", "paid_search"]}},
    {"title": {"notIn": []}},
    {"score": {"gte": 50, "lt": 51}, "stage": {"eq": "SAL"}},
    {"and": [{"score": {"eq": 50}}, {"stage": {"eq": "SAL"}}]},
    {"or": [{"score": {"eq": 51}}, {"stage": {"eq": "SAL"}}]},
    {"not": {"score": {"eq": 51}}},
    {"not": {"score": {"eq": 50}, "stage": {"eq": "MQL"}}},
    {"not": {"not": {"score": {"eq": 50}}}},
    {},
]
NO = [
    {"title": {"eq": "vp Sales 50%"}},
    {"title": {"ne": "VP Sales 50%"}},
    {"title": {"in": ["CEO", "vp sales 50%"]}},
    {"title": {"notIn": ["CEO", "VP Sales 50%"]}},
    {"title": {"contains": "V%S"}},
    {"title": {"contains": "_"}},
    {"title": {"startsWith": "sales"}},
    {"title": {"endsWith": "vp"}},
    {"title": {"isNull": True}},
    {"score": {"eq": "50.1"}},
    {"score": {"ne": "50.0"}},
    {"score": {"lt": 50}},
    {"score": {"lte": "49.99"}},
    {"score": {"gt": 50}},
    {"score": {"gte": "50.01"}},
    {"score": {"in": [1, 2]}},
    {"score": {"notIn": [1, 50]}},
    {"createdAt": {"lt": "2026-03-02T12:00:00Z"}},
    {"createdAt": {"lte": "2026-03-02T11:59:59.999999Z"}},
    {"createdAt": {"gt": "2026-03-02T12:00:00Z"}},
    {"createdAt": {"gte": "2026-03-02T12:00:00.000001Z"}},
    {"closeOn": {"gt": "2026-03-31"}},
    {"closeOn": {"lte": "2026-03-30"}},
    {"subscribed": {"eq": False}},
    {"owner": {"eq": BOB_ID}},
    {"stage": {"lt": "SAL"}},
    {"stage": {"lt": "LEAD"}},
    {"stage": {"lte": "MQL"}},
    {"stage": {"gt": "SAL"}},
    {"stage": {"gt": "SQL"}},
    {"stage": {"gte": "SQL"}},
    {"title": {"in": []}},
    {"score": {"gte": 50, "lt": 50}},
    {"score": {"eq": 50}, "stage": {"eq": "MQL"}},
    {"and": [{"score": {"eq": 50}}, {"stage": {"eq": "MQL"}}]},
    {"or": [{"score": {"eq": 51}}, {"stage": {"eq": "MQL"}}]},
    {"not": {"score": {"eq": 50}}},
    {"not": {}},
]
