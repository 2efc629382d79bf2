from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.briefs import BriefedAsset, next_stage, open_questions, opener, suggested
from domain.content import AssetKind, ContentAsset, JourneyStage
from domain.ids import new_id
from domain.personas import Persona
from domain.stages import Stage
from tests.agreements import an_mql

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HELGA = Persona(
    id=new_id(),
    name="Helga",
    job_title="Head of IT",
    goals=("Sleep at night.",),
    challenges=("No budget",),
    buying_questions=("What does it cost?", "Who runs it?", "Is it safe?", "How long?"),
    criterion=None,
    rank=1,
    number=3,
    created_at=NOON,
)


def an_asset(title: str, **more: Any) -> ContentAsset:
    values: dict[str, Any] = {"kind": AssetKind.ARTICLE, "created_at": NOON, **more}
    return ContentAsset(id=new_id(), title=title, **values)


def read(asset: ContentAsset, at: datetime = NOON) -> BriefedAsset:
    return BriefedAsset(
        asset_id=asset.id,
        title=asset.title,
        kind=asset.kind,
        topic=asset.topic,
        journey_stage=asset.journey_stage,
        times=1,
        last_at=at,
    )


@pytest.mark.parametrize(
    ("stage", "been", "wanted"),
    [
        (Stage.MQL, [], JourneyStage.AWARENESS),
        (Stage.MQL, [None], JourneyStage.AWARENESS),
        (Stage.MQL, [JourneyStage.AWARENESS], JourneyStage.CONSIDERATION),
        (Stage.SQL, [JourneyStage.CONSIDERATION, JourneyStage.AWARENESS], JourneyStage.DECISION),
        (Stage.SQL, [JourneyStage.DECISION], JourneyStage.DECISION),
        (Stage.CUSTOMER, [JourneyStage.AWARENESS], JourneyStage.RETENTION),
    ],
)
def test_the_next_step_follows_the_furthest_that_was_read(
    stage: Stage, been: list[JourneyStage | None], wanted: JourneyStage
) -> None:
    assert next_stage(stage, [read(an_asset("x", journey_stage=each)) for each in been]) is wanted


def test_the_suggestion_is_unread_for_the_persona_and_on_the_topic_and_says_so() -> None:
    known = an_asset("Read", topic="costs")
    others = an_asset("Other persona's", persona_id=new_id(), topic="costs")
    newest = an_asset("Newest", created_at=NOON + timedelta(days=1))
    topical = an_asset("On costs", topic="costs")
    hers = an_asset("Hers", persona_id=HELGA.id, topic="costs", url="https://acme.example/hers")
    history = [read(known)]

    def best(*assets: ContentAsset) -> str | None:
        found = suggested(assets, history, persona=HELGA, stage=JourneyStage.DECISION)
        return None if found is None else found.title

    assert best(known, others) is None
    assert best(known, others, newest, topical) == "On costs"
    assert best(newest) == "Newest"
    found = suggested(
        [newest, topical, hers, others], history, persona=HELGA, stage=JourneyStage.DECISION
    )
    assert found is not None
    assert (found.title, found.url) == ("Hers", "https://acme.example/hers")
    assert found.reason == (
        "Not read yet; for the stage DECISION; made for Helga; on costs, which was read about last."
    )


def test_what_is_not_known_is_asked_then_what_such_a_buyer_asks() -> None:
    bare = an_mql(NOON, first_name="Ada")
    assert open_questions(bare, None) == (
        "What does this person do in the company?",
        "Which company is it?",
        "In which country is it?",
        "What kind of buyer is it?",
        "How did the person find us?",
    )
    known = an_mql(
        NOON,
        job_title="Head",
        company_id=new_id(),
        country="IE",
        persona_id=HELGA.id,
        origin_source="fair",
    )
    assert open_questions(known, HELGA) == HELGA.buying_questions[:3]


def test_an_opener_says_nothing_that_is_not_known() -> None:
    ada, nobody = an_mql(NOON, first_name="Ada"), an_mql(NOON)
    video = read(an_asset("The tour", kind=AssetKind.VIDEO), datetime(2026, 3, 3, 23, tzinfo=UTC))
    assert opener(nobody, None, []) == "Hello.  What can we do for you?"
    assert opener(ada, HELGA, []) == (
        'Hello Ada.  Is "Sleep at night" something you want to reach?'
    )
    assert opener(ada, None, [video]) == (
        'Hello Ada, you watched "The tour" on 3 March.  What made you look at it?'
    )
    assert opener(ada, HELGA, [video, read(an_asset("Older"))]) == (
        'Hello Ada, you watched "The tour" on 3 March.'
        '  Is "Sleep at night" something you want to reach?'
    )
