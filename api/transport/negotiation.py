"""Which media type a client gets, by the order and weights of its Accept header."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from starlette.datastructures import Headers


class MediaType(StrEnum):
    """What an answer can be written in."""

    JSON = "application/json"
    GRAPHQL = "application/graphql-response+json"
    EVENTS = "text/event-stream"


ANSWERS = (MediaType.JSON, MediaType.GRAPHQL, MediaType.EVENTS)
"""In the order of our own preference, where a client has none."""

_SEPARATOR = r"""(?:[^{0}"]|"(?:\\.|[^"\\])*"?)+"""
_RANGES = re.compile(_SEPARATOR.format(","))
_PARAMETERS = re.compile(_SEPARATOR.format(";"))
_WEIGHT = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\Z")


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One range of an Accept header."""

    kind: str
    weight: float
    position: int
    utf8: bool = True

    def matches(self, media: MediaType) -> bool:
        """Tell whether the range includes a media type in UTF-8, the only encoding there is."""
        main = media.partition("/")[0]
        return self.utf8 and self.kind in (media, f"{main}/*", "*/*")

    @property
    def precision(self) -> int:
        """Return how exactly the range speaks: the more exact range decides the weight."""
        return 0 if self.kind == "*/*" else 1 if self.kind.endswith("/*") else 2


def preferred(headers: Headers, among: Sequence[MediaType] = ANSWERS) -> MediaType | None:
    """Return the media type the client likes best, or None where it accepts none of them.

    The highest weight wins; of equal weights, the range that stands first.  Without an Accept
    header it is JSON, as GraphQL over HTTP says for clients from before it.
    """
    accepts = headers.getlist("accept")
    ranges = list(_ranges(",".join(accepts)))
    if not ranges:
        return among[0]
    best: tuple[float, int, int] | None = None
    chosen: MediaType | None = None
    for rank, media in enumerate(among):
        decisive = max(
            (one for one in ranges if one.matches(media)),
            key=lambda one: (one.precision, one.weight, -one.position),
            default=None,
        )
        if decisive is None or decisive.weight == 0:
            continue
        score = (decisive.weight, -decisive.position, -rank)
        if best is None or score > best:
            best, chosen = score, media
    return chosen


def content_type(value: str) -> tuple[str, dict[str, str]]:
    """Split a content type or media range into its lower-case name and its parameters."""
    name, *parameters = _PARAMETERS.findall(value) or [""]
    pairs = (parameter.partition("=") for parameter in parameters)
    return name.strip().lower(), {
        key.strip().lower(): text.strip().strip('"').lower() for key, _, text in pairs
    }


def _ranges(accept: str) -> Iterator[MediaRange]:
    for position, text in enumerate(_RANGES.findall(accept)):
        kind, parameters = content_type(text)
        if kind:
            weight = parameters.get("q", "1")
            yield MediaRange(
                kind="*/*" if kind == "*" else kind,
                weight=float(weight) if _WEIGHT.match(weight) else 0.0,
                position=position,
                utf8=parameters.get("charset", "utf-8") in ("utf-8", "utf8"),
            )
