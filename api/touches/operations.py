"""Touches are told, one by one or many at once; visitors are listed, and become people."""

from __future__ import annotations

from collections.abc import Sequence

import strawberry

from api.context import Info
from api.errors import mutation
from api.filtering import collection, filter_input
from api.touches.inputs import (
    TouchesRecordInput,
    TouchRecordInput,
    VisitorIdentifyInput,
    details_of,
    details_of_row,
)
from api.touches.views import RecordedTouchView, TouchView, VisitorView
from api.writing import written
from domain import touch_intake
from domain.identity import Permission
from domain.paging import Order
from domain.touch_intake import VISITOR_FIELDS, RecordedTouch
from domain.touches import Touch, Visitor

VisitorFilter = filter_input(VISITOR_FIELDS)


@strawberry.type
class Queries:
    visitors = collection(
        VisitorView,
        Visitor,
        description="Browsers that were seen, the newest first.",
        default=(Order("first_seen_at", descending=True),),
        fields=VISITOR_FIELDS,
        filter=VisitorFilter,
    )("visitors")


@strawberry.type
class Mutations:
    @mutation(
        TouchView,
        "Keep that a buyer met us.  One of an external id that is known is not taken twice.",
        needs=Permission.EDIT_LEADS,
    )
    async def touch_record(self, info: Info, input: TouchRecordInput) -> Touch:
        actor, details = info.context.actor, details_of(input)
        return await written(info, lambda work: touch_intake.record_touch(work, actor, details))

    @mutation(
        RecordedTouchView,
        "Keep up to 500 touches; a bad row spoils no other.",
        needs=Permission.EDIT_LEADS,
        shows="rows",
        many=True,
    )
    async def touches_record(
        self, info: Info, input: TouchesRecordInput
    ) -> Sequence[RecordedTouch]:
        actor = info.context.actor
        return await written(
            info,
            lambda work: touch_intake.record_touches(
                work, actor, [details_of_row(row) for row in input.rows]
            ),
        )

    @mutation(
        VisitorView,
        "Say whose browser it is.  What it did while nobody knew becomes that lead's; what it did"
        " as another's stays.",
        needs=Permission.EDIT_LEADS,
    )
    async def visitor_identify(self, info: Info, input: VisitorIdentifyInput) -> Visitor:
        actor, key = info.context.actor, input.lead.key()
        return await written(
            info,
            lambda work: touch_intake.identify_visitor(work, actor, input.visitor, key),
        )
