"""Made-up people and the companies they work for, the same every time for the same seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from domain.lead_details import LeadDetails, NamedCompany

_FIRST = (
    *("Aoife", "Bruno", "Chiara", "Deniz", "Elin", "Farid", "Greta", "Hugo", "Ines", "Jonas"),
    *("Katya", "Liam", "Marta", "Nils", "Oana", "Pavel", "Quinn", "Rosa", "Sven", "Tomas"),
    *("Uma", "Vera", "Wim", "Xenia", "Yara", "Zoltan", "Amara", "Benoit", "Carmen", "Dario"),
)
_LAST = (
    *("Almeida", "Berg", "Costa", "Dahl", "Esposito", "Fischer", "Garcia", "Hansen", "Ivanov"),
    *("Jensen", "Kovacs", "Lindqvist", "Moreau", "Novak", "Okafor", "Petrov", "Quist", "Rossi"),
    *("Silva", "Tanaka", "Urban", "Vasquez", "Weber", "Xu", "Yilmaz", "Zimmermann", "Byrne"),
)
_TRADES = (
    *("Bakery", "Bikes", "Books", "Ceramics", "Coffee", "Dental", "Flowers", "Furniture"),
    *("Garden", "Glass", "Joinery", "Lighting", "Logistics", "Optics", "Outdoor", "Pets"),
    *("Print", "Robotics", "Roofing", "Textiles", "Toys", "Travel", "Vintners", "Yachts"),
)
_TITLES = ("Owner", "Head of Operations", "Buyer", "Managing Director", "Marketing Lead", "CTO")

# Where leads come from, how often, and how promising they are on arrival.
ORIGINS = (
    ("paid_search", "cpc", "autumn-offer", 28, 12),
    ("organic_search", "organic", None, 26, 8),
    ("social", "social", "founders-series", 18, 2),
    ("referral", "partner", None, 9, 16),
    ("email", "newsletter", "monthly-digest", 11, 0),
    ("event", "trade-fair", "expo", 8, 14),
)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody about to become known, and how good a lead he or she will turn out to be."""

    details: LeadDetails
    promise: int


def newcomers(chance: random.Random) -> Newcomer:
    """Return the next person who fills in a form."""
    first, last = chance.choice(_FIRST), chance.choice(_LAST)
    company = f"{chance.choice(_LAST)} {chance.choice(_TRADES)}"
    domain = company.lower().replace(" ", "-") + ".example"
    source, medium, campaign, _, lift = chance.choices(
        ORIGINS, weights=[origin[3] for origin in ORIGINS]
    )[0]
    promise = max(5, min(100, round(chance.gauss(46 + lift, 17))))
    serial = f"{chance.randrange(16**4):04x}"
    return Newcomer(
        LeadDetails(
            email=f"{first}.{last}.{serial}@{domain}".lower(),
            first_name=first,
            last_name=last,
            job_title=chance.choice(_TITLES),
            country=chance.choice(("DE", "IE", "FR", "NL", "PT", "SE")),
            company=NamedCompany(name=company, domain=domain),
            origin_source=source,
            origin_medium=medium,
            origin_campaign=campaign,
            score=promise // 3,
        ),
        promise,
    )


def under_another_address(person: Newcomer) -> Newcomer:
    """Return somebody who comes a second time, and gives another of his or her addresses."""
    known = person.details
    name, _, domain = str(known.email).partition("@")
    first, last, _ = name.split(".")
    return replace(person, details=replace(known, email=f"{first[0]}.{last}.{first}@{domain}"))
