"""What leads can be filtered by."""

from __future__ import annotations

from dataclasses import fields

from domain.filters import describe, parse
from domain.leads import LEAD_FIELDS, Lead


def test_leads_are_filtered_by_what_they_have_and_all_but_id_and_versions():
    counted = {"id", "version", "derived"}
    assert {each.attribute for each in LEAD_FIELDS} == {
        each.name for each in fields(Lead)
    } - counted


def test_a_criterion_reads_as_people_say_it():
    criterion = {
        "score": {"gte": 50},
        "stage": {"lt": "SAL"},
        "or": [{"email": {"endsWith": ".edu"}}, {"ownerId": {"isNull": True}}],
    }

    assert describe(parse(criterion, LEAD_FIELDS)) == (
        "score is at least 50 and stage is earlier than SAL"
        ' and (e-mail address ends with ".edu" or owner is missing)'
    )
