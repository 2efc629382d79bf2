"""Why leads are not merged, or a merge is not undone."""

from __future__ import annotations

from collections.abc import Sequence

from domain.errors import DomainError, Invalid
from domain.leads import Lead

MOST_LOSERS = 10


class MergeWithItself(Invalid):
    """A lead cannot be merged into itself."""

    code = "MERGE_WITH_ITSELF"

    def __init__(self, position: int) -> None:
        super().__init__(
            "This is the lead that the others are merged into.", path=("losers", position)
        )


class LosersMiscounted(Invalid):
    """A merge takes one lead at least and only so many at most."""

    code = "LOSERS_MISCOUNTED"

    def __init__(self, given: int) -> None:
        super().__init__(
            f"A merge takes 1 to {MOST_LOSERS} leads into another, not {given}.", path=("losers",)
        )


class AlreadyMerged(DomainError):
    """The lead is part of another already."""

    code = "ALREADY_MERGED"

    def __init__(self, into: Lead, *, path: Sequence[str | int]) -> None:
        super().__init__("This lead was merged into another; name that one.", path=path)
        self.into = into


class AlreadyUnmerged(DomainError):
    """The merge was undone before."""

    code = "ALREADY_UNMERGED"

    def __init__(self) -> None:
        super().__init__("This merge was undone already.", path=("merge",))


class MergedSince(DomainError):
    """Another merge was made on top of this one, which has to be undone first."""

    code = "MERGED_SINCE"

    def __init__(self) -> None:
        super().__init__(
            "The lead was merged with others since; undo that merge first.", path=("merge",)
        )


class ChangedSince(DomainError):
    """What happened since cannot be told apart: nobody can say whose it would be."""

    code = "CHANGED_SINCE"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}, so the leads cannot be told apart any more.", path=("merge",))
