"""Attribution models: those that everybody has, and those of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from api.context import Info
from api.errors import mutation, query
from api.filtering import enum
from api.leads.inputs import or_none
from api.views import related, shown, view
from api.writing import written
from domain import attribution, ids
from domain.attribution import (
    AnchorShare,
    AttributionModel,
    BuiltInModel,
    CreditSpread,
    TouchAnchor,
    models_in_use,
)
from domain.identity import Permission, User

enum(
    TouchAnchor,
    "A touch that stands out on the way from stranger to customer.",
    FIRST="The first one.",
    LAST="The last one.",
    LEAD_CREATION="The last one by the time the lead became known.",
    DEAL_CREATION="The last one by the time the opportunity was opened.",
    CLOSE="The last one by the time the deal was closed; missing while it is open.",
)
enum(
    CreditSpread,
    "How the touches that are no anchors share what is left to them.",
    EVEN="All get the same.",
    DECAY="Half as much for each half-life of age.",
)
enum(
    BuiltInModel,
    "The models that every tenant has.",
    FIRST="All to the first touch.",
    LAST="All to the last touch.",
    LAST_NON_DIRECT="All to the last touch that came by a known road.",
    LINEAR="The same to every touch.",
    U_FIRST_LEAD="40 % each to the first touch and the one that made the lead, 20 % to the others.",
    U_FIRST_LAST="40 % each to the first touch and the last, 20 % to the others.",
    W_SHAPED="30 % each to the first touch and those that made the lead and the deal.",
    FULL_PATH="22.5 % each to the first touch and those that made lead and deal and closed it.",
    TIME_DECAY="To every touch, half as much for each week of age.",
)


@view(AnchorShare, name="AttributionAnchor", description="What an anchor gets.")
class AnchorShareView:
    anchor: TouchAnchor = shown("Which touch.")
    share: Decimal = shown("Which share of the deal, 0 to 1.")


@view(
    AttributionModel,
    description="How the credit for a deal is shared out among the touches before it.  It never"
    " changes, so figures that name it mean the same for ever.",
)
class AttributionModelView:
    name: str = shown("What people call it.")
    built_in: BuiltInModel | None = shown("Which of those that everybody has; null for one's own.")
    anchors: list[AnchorShareView] = shown("The touches that stand out, and what they get.")
    rest_share: Decimal = shown("What all other touches get together.")
    spread: CreditSpread = shown("How those share it.")
    half_life_days: int | None = shown("The days in which a decay halves.")
    skips_direct: bool = shown(
        "Whether touches by no known road are left out, unless there are no others."
    )
    created_at: datetime = shown("When it was made.")
    archived_at: datetime | None = shown("When it was put away; null before.")
    is_computing: bool = shown("Whether it has yet to see some of the opportunities there are.")
    computed_share: Decimal = shown("How many of them it has seen, 0 to 1.")
    created_by = related("api.identity.UserView", User, by="created_by", description="Who made it.")


@strawberry.input(
    one_of=True, description="Which attribution model is meant: exactly one of these."
)
class AttributionModelRef:
    id: strawberry.Maybe[strawberry.ID] = shown("One of one's own, by its id.", default=None)
    built_in: strawberry.Maybe[BuiltInModel] = shown("One that everybody has.", default=None)

    def key(self, path: Sequence[str | int] = ("model",)) -> UUID | BuiltInModel:
        """Return what tells the model to the domain."""
        if self.id is not None:
            return ids.expect("AttributionModel", self.id.value, path=(*path, "id"))
        if self.built_in is None:
            raise ValueError("GraphQL lets exactly one key of a @oneOf input through")
        return self.built_in.value


@strawberry.input(description="What an anchor gets.")
class AttributionAnchorInput:
    anchor: TouchAnchor = shown("Which touch.")
    share: Decimal = shown("Which share of the deal, above 0 and at most 1.")


@strawberry.input(description="A model of one's own: its shares must sum to exactly 1.")
class AttributionModelCreateInput:
    name: str = shown("What to call it.")
    anchors: list[AttributionAnchorInput] = shown("What stands out, each at most once.")
    rest_share: Decimal = shown("What all other touches get together.", default=Decimal(0))
    spread: CreditSpread = shown("How those share it.", default=CreditSpread.EVEN)
    half_life_days: int | None = shown(
        "The days in which a decay halves, 1 to 365; for DECAY only.", default=UNSET
    )
    skips_direct: bool = shown("Whether to leave out touches by no known road.", default=False)


@strawberry.input(description="Which attribution model is put away.")
class AttributionModelArchiveInput:
    model: strawberry.ID = shown("Which one of your own.")


@strawberry.type
class Queries:
    @query(
        "The attribution models in use: those that everybody has, then your own.",
        shows=list[AttributionModelView],
    )
    async def attribution_models(self, info: Info) -> Any:
        async with info.context.work() as work:
            return await models_in_use(work)


@strawberry.type
class Mutations:
    @mutation(
        AttributionModelView,
        "Make an attribution model of your own; it is computed for all deals in the background.",
        needs=Permission.DEFINE_ATTRIBUTION,
    )
    async def attribution_model_create(
        self, info: Info, input: AttributionModelCreateInput
    ) -> AttributionModel:
        return await written(
            info,
            lambda work: attribution.create_model(
                work,
                info.context.actor,
                name=input.name,
                anchors=[AnchorShare(each.anchor, each.share) for each in input.anchors],
                rest_share=input.rest_share,
                spread=input.spread,
                half_life_days=or_none(input.half_life_days),
                skips_direct=input.skips_direct,
            ),
        )

    @mutation(
        AttributionModelView,
        "Put an attribution model of your own away; what it credited is forgotten.",
        needs=Permission.DEFINE_ATTRIBUTION,
    )
    async def attribution_model_archive(
        self, info: Info, input: AttributionModelArchiveInput
    ) -> AttributionModel:
        model_id = ids.expect("AttributionModel", input.model, path=("model",))
        async with info.context.writing() as work:
            return await attribution.archive_model(work, info.context.actor, model_id)
