"""Attribution models as data: what share goes to which touches of a buyer's way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID


class TouchAnchor(StrEnum):
    """A touch that stands out on the way from stranger to customer."""

    FIRST = "FIRST"
    LAST = "LAST"
    LEAD_CREATION = "LEAD_CREATION"
    DEAL_CREATION = "DEAL_CREATION"
    CLOSE = "CLOSE"


class CreditSpread(StrEnum):
    """How the touches that are no anchors share what is left to them."""

    EVEN = "EVEN"
    DECAY = "DECAY"


class BuiltInModel(StrEnum):
    """The models that every tenant has."""

    FIRST = "FIRST"
    LAST = "LAST"
    LAST_NON_DIRECT = "LAST_NON_DIRECT"
    LINEAR = "LINEAR"
    U_FIRST_LEAD = "U_FIRST_LEAD"
    U_FIRST_LAST = "U_FIRST_LAST"
    W_SHAPED = "W_SHAPED"
    FULL_PATH = "FULL_PATH"
    TIME_DECAY = "TIME_DECAY"


@dataclass(frozen=True, slots=True)
class AnchorShare:
    """What an anchor gets: a share of 0-1."""

    anchor: TouchAnchor
    share: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributionModel:
    """How the credit for a deal is shared out among the touches before it.

    The anchors' shares and `rest_share`, which goes to all other touches, sum to 1.  With DECAY a
    touch `half_life_days` older than another gets half of what that one gets.  `skips_direct`
    leaves out touches by no known road, unless there are no others.

    A model never changes: figures that name it mean the same for ever.  `computing_after` is the
    last opportunity it was computed for, None once it has seen all; the counts are its progress.
    """

    id: UUID
    name: str
    anchors: tuple[AnchorShare, ...]
    rest_share: Decimal
    spread: CreditSpread
    created_at: datetime
    half_life_days: int | None = None
    skips_direct: bool = False
    built_in: BuiltInModel | None = None
    created_by: UUID | None = None
    archived_at: datetime | None = None
    computing_after: UUID | None = None
    computed_count: int = 0
    opportunity_count: int = 0
    version: int = 1

    @property
    def is_computing(self) -> bool:
        return self.computing_after is not None

    @property
    def computed_share(self) -> Decimal:
        """How much of the tenant's opportunities it has been computed for."""
        if not self.is_computing or not self.opportunity_count:
            return Decimal(1)
        share = Decimal(self.computed_count) / self.opportunity_count
        return min(share, Decimal(1)).quantize(Decimal("0.0001"))


# Where the computing of a model begins.
FIRST_OPPORTUNITY = UUID(int=0)
# Built-in models have the same ids with every tenant, and are older than any of them.
_MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)


def _built_in(
    number: int,
    kind: BuiltInModel,
    name: str,
    anchors: Mapping[TouchAnchor, str],
    rest: str = "0",
    half_life_days: int | None = None,
) -> AttributionModel:
    return AttributionModel(
        id=UUID(int=number),
        name=name,
        anchors=tuple(AnchorShare(anchor, Decimal(share)) for anchor, share in anchors.items()),
        rest_share=Decimal(rest),
        spread=CreditSpread.EVEN if half_life_days is None else CreditSpread.DECAY,
        half_life_days=half_life_days,
        skips_direct=kind is BuiltInModel.LAST_NON_DIRECT,
        built_in=kind,
        created_at=_MADE_AT,
    )


_F, _L, _D = TouchAnchor.FIRST, TouchAnchor.LEAD_CREATION, TouchAnchor.DEAL_CREATION
BUILT_IN_MODELS: tuple[AttributionModel, ...] = (
    _built_in(1, BuiltInModel.FIRST, "First touch", {_F: "1"}),
    _built_in(2, BuiltInModel.LAST, "Last touch", {TouchAnchor.LAST: "1"}),
    _built_in(3, BuiltInModel.LAST_NON_DIRECT, "Last non-direct touch", {TouchAnchor.LAST: "1"}),
    _built_in(4, BuiltInModel.LINEAR, "Linear", {}, "1"),
    _built_in(
        5,
        BuiltInModel.U_FIRST_LEAD,
        "U-shaped, first and lead creation",
        {_F: "0.4", _L: "0.4"},
        "0.2",
    ),
    _built_in(
        6,
        BuiltInModel.U_FIRST_LAST,
        "U-shaped, first and last",
        {_F: "0.4", TouchAnchor.LAST: "0.4"},
        "0.2",
    ),
    _built_in(7, BuiltInModel.W_SHAPED, "W-shaped", {_F: "0.3", _L: "0.3", _D: "0.3"}, "0.1"),
    _built_in(
        8,
        BuiltInModel.FULL_PATH,
        "Full path",
        {_F: "0.225", _L: "0.225", _D: "0.225", TouchAnchor.CLOSE: "0.225"},
        "0.1",
    ),
    _built_in(9, BuiltInModel.TIME_DECAY, "Time decay, 7 days", {}, "1", half_life_days=7),
)
BY_KIND: Mapping[BuiltInModel, AttributionModel] = {
    model.built_in: model for model in BUILT_IN_MODELS if model.built_in is not None
}
