"""Public holidays of a country or one of its parts, from the `holidays` library's lists."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from functools import lru_cache

from domain.sla.calendars import UnknownPlace

_MOST_HINTS = 5


@lru_cache(maxsize=256)
def public_holidays(
    country: str, subdivision: str | None, *, first_year: int, last_year: int
) -> Mapping[date, str]:
    """Return the holidays of a place with their names, as far as their list goes.

    Raises:
        UnknownPlace: if there is no list for the country, or the country has no such part.
    """
    import holidays  # Slow to load, and most processes never need it.

    countries = holidays.list_supported_countries(include_aliases=False)
    if country not in countries:
        raise UnknownPlace("country", country, _closest(country, list(countries)))
    parts = countries[country]
    if subdivision is not None and subdivision not in parts:
        raise UnknownPlace("subdivision", subdivision, _closest(subdivision, parts))
    # Lists that follow the moon say, in a warning, how many years of it are foreseen.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        found = holidays.country_holidays(
            country,
            subdiv=subdivision,
            years=range(first_year, last_year + 1),
            # Without one, the names are in the language of whoever started the server.
            language="en_US",
        )
    return dict(sorted(found.items()))


def _closest(code: str, known: list[str]) -> list[str]:
    """Return the known codes most like one, or all of them if they are few."""
    if len(known) <= _MOST_HINTS:
        return known
    return get_close_matches(code.upper(), known, n=_MOST_HINTS, cutoff=0.5) or known[:_MOST_HINTS]
