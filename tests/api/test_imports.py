from __future__ import annotations

from typing import Any

import pytest

from api.engine.masking import OperationFailed
from domain.ids import new_id, public
from domain.leads import Lead
from domain.upload_flow import request_import_upload
from domain.uploads import ImportJob, Upload, UploadChunk, UploadPurpose
from infra.importing.jobs import run_next
from tests.following import following
from tests.world import World

MAPPING = """
[lead]
email = "email"
country = "country"
"""
CONTENT = b'email,country\nann@example.com,IE\nbob@example.com,Eire\n"x",IE\n'
START = """mutation($input: ImportStartInput!) { importStart(input: $input) {
  importJob { id fileName mapping dryRun status progressShare rows createdBy { name }
              createdAt startedAt endedAt }
  userErrors { code message path }
}}"""
CANCEL = """mutation($job: ID!) { importCancel(input: {importJob: $job}) {
  importJob { id status endedAt }  userErrors { code message path }
}}"""
JOB = """query($id: ID!) { importJob(id: $id) {
  status progressShare rows created updated unchanged failed error startedAt endedAt
  errors(first: 1) { totalCount nodes { line column code message row } pageInfo { hasNextPage } }
}}"""
JOBS = "{ importJobs { nodes { id } totalCount } }"
NOW = "2026-03-10T12:00:00Z"


async def upload(world: World, content: bytes = CONTENT, **changes: Any) -> str:
    """Store a file as it would have been sent, and return its public id."""
    values: dict[str, Any] = {
        "id": new_id(),
        "purpose": UploadPurpose.IMPORT,
        "file_name": "leads.csv",
        "created_by": world.marketer.id,
        "created_at": world.now,
        "size": len(content),
        "completed_at": world.now,
    }
    kept = Upload(**{**values, **changes})
    chunk = UploadChunk(id=new_id(), upload_id=kept.id, position=0, content=content)
    async with world.work() as work:
        await work.add(kept)
        await work.add(chunk)
    return public("Upload", kept.id)


async def start(world: World, **given: Any) -> dict[str, Any]:
    given.setdefault("mapping", MAPPING)
    data = await world.data(START, {"input": given}, as_=world.marketer)
    found: dict[str, Any] = data["importStart"]
    return found


async def started(world: World) -> str:
    answer = await start(world, upload=await upload(world))
    assert answer["userErrors"] == []
    job: str = answer["importJob"]["id"]
    return job


async def jobs(world: World) -> int:
    async with world.work() as work:
        return len(await work.find(ImportJob))


async def test_an_upload_is_imported_in_the_background(world: World) -> None:
    answer = await start(world, upload=await upload(world))

    job = answer["importJob"]["id"]
    assert answer == {
        "importJob": {
            "id": job,
            "fileName": "leads.csv",
            "mapping": MAPPING,
            "dryRun": False,
            "status": "QUEUED",
            "progressShare": "0.0000",
            "rows": 0,
            "createdBy": {"name": "Mia"},
            "createdAt": NOW,
            "startedAt": None,
            "endedAt": None,
        },
        "userErrors": [],
    }
    while await run_next(world.database):
        pass
    assert await world.data(JOB, {"id": job}) == {
        "importJob": {
            "status": "DONE",
            "progressShare": "1",
            "rows": 3,
            "created": 1,
            "updated": 0,
            "unchanged": 0,
            "failed": 2,
            "error": None,
            "startedAt": NOW,
            "endedAt": NOW,
            "errors": {
                "totalCount": 2,
                "nodes": [
                    {
                        "line": 3,
                        "column": "country",
                        "code": "INVALID",
                        "message": "A country is given by the two letters of ISO 3166-1.",
                        "row": "bob@example.com,Eire",
                    }
                ],
                "pageInfo": {"hasNextPage": True},
            },
        }
    }
    async with world.work() as work:
        assert [lead.email for lead in await work.find(Lead)] == ["ann@example.com"]


async def test_progress_is_followed_live_until_the_end(world: World) -> None:
    job = await started(world)
    document = "subscription($job: ID!) { importProgress(importJob: $job) { status rows } }"

    async with following(world, document, {"job": job}, as_=world.marketer) as follower:
        assert _progress(await follower.next()) == {"status": "QUEUED", "rows": 0}
        while await run_next(world.database):
            pass
        assert _progress(await follower.after_news()) == {"status": "DONE", "rows": 3}
        with pytest.raises(StopAsyncIteration):
            await follower.next()


@pytest.mark.parametrize("person", ["other_rep", "analyst"])
async def test_who_may_not_import_does_not_follow(world: World, person: str) -> None:
    job = await started(world)
    document = "subscription($job: ID!) { importProgress(importJob: $job) { status rows } }"

    user = getattr(world, person)
    async with following(world, document, {"job": job}, as_=user) as follower:
        with pytest.raises(OperationFailed, match="IMPORT_LEADS"):
            await follower.next()


async def test_a_foreign_import_cannot_be_followed(world: World, other_world: World) -> None:
    job = await started(other_world)
    document = "subscription($job: ID!) { importProgress(importJob: $job) { status rows } }"

    for other in (job, public("ImportJob", new_id())):
        async with following(world, document, {"job": other}, as_=world.marketer) as follower:
            with pytest.raises(OperationFailed, match="There is no such import job"):
                await follower.next()


def _progress(answer: dict[str, Any]) -> Any:
    return answer["data"]["importProgress"]


async def test_a_cancelled_import_stays_cancelled(world: World) -> None:
    job = await started(world)

    assert (await world.data(CANCEL, {"job": job}))["importCancel"] == {
        "importJob": {"id": job, "status": "CANCELLED", "endedAt": NOW},
        "userErrors": [],
    }
    while await run_next(world.database):
        pass
    again = (await world.data(CANCEL, {"job": job}))["importCancel"]
    assert again == {
        "importJob": None,
        "userErrors": [
            {
                "code": "IMPORT_IS_OVER",
                "message": "This import has ended already (CANCELLED).",
                "path": ["importJob"],
            }
        ],
    }
    async with world.work() as work:
        assert await work.find(Lead) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"purpose": UploadPurpose.PERSONA_PHOTO}, "This upload is no file to import."),
        ({"completed_at": None}, "The file has not arrived yet; send it first."),
    ],
)
async def test_what_is_no_complete_file_is_not_imported(
    world: World, changes: Any, message: str
) -> None:
    answer = await start(world, upload=await upload(world, **changes))

    assert answer == {
        "importJob": None,
        "userErrors": [{"code": "NOT_UPLOADED", "message": message, "path": ["upload"]}],
    }
    assert await jobs(world) == 0


async def test_a_file_is_imported_once_and_then_sent_again(world: World) -> None:
    sent = await upload(world)
    await start(world, upload=sent)
    while await run_next(world.database):
        pass

    answer = await start(world, upload=sent)

    assert answer["userErrors"][0]["code"] == "NOT_UPLOADED"
    assert await jobs(world) == 1


async def test_a_file_that_nobody_imports_is_not_kept_for_ever(world: World) -> None:
    broken_off = await upload(world, completed_at=None)
    forgotten, waiting = await upload(world), await upload(world)
    assert (await start(world, upload=waiting))["userErrors"] == []
    world.wait(days=1, minutes=1)
    recent = await upload(world)

    async with world.work() as work:
        mia = world.actor(world.marketer)
        await request_import_upload(work, mia, file_name="next.csv", size=9)

    async with world.work() as work:
        kept = {public("Upload", chunk.upload_id) for chunk in await work.find(UploadChunk)}
    assert kept == {waiting, recent}
    assert not kept & {broken_off, forgotten}
    again = await start(world, upload=forgotten)
    assert [error["message"] for error in again["userErrors"]] == [
        "The file is not kept any more; send it again."
    ]


@pytest.mark.parametrize(
    ("mapping", "errors"),
    [
        ("[lead", [("BAD_MAPPING", ["mapping"])]),
        (
            "[lead]\nemial = 'a'\n[file]\ndelimiter = '#'\n",
            [
                ("BAD_MAPPING", ["mapping", "file", "delimiter"]),
                ("BAD_MAPPING", ["mapping", "lead", "emial"]),
            ],
        ),
        ("\x00", [("INVALID", ["mapping"])]),
        ("#" * 70_000, [("INVALID", ["mapping"])]),
    ],
)
async def test_a_mapping_that_cannot_be_followed_is_refused_at_once(
    world: World, mapping: str, errors: list[Any]
) -> None:
    answer = await start(world, upload=await upload(world), mapping=mapping)

    assert answer["importJob"] is None
    assert sorted((e["code"], e["path"]) for e in answer["userErrors"]) == errors
    assert await jobs(world) == 0


async def test_what_is_not_there_is_not_found(world: World, other_world: World) -> None:
    foreign, job = await upload(other_world), await started(other_world)
    unknown = public("Upload", new_id())

    answers = [await start(world, upload=upload_id) for upload_id in (foreign, unknown)]
    assert (
        answers
        == [
            {
                "importJob": None,
                "userErrors": [
                    {"code": "NOT_FOUND", "message": "There is no such upload.", "path": ["upload"]}
                ],
            }
        ]
        * 2
    )
    for other in (job, public("ImportJob", new_id())):
        cancelled = await world.data(CANCEL, {"job": other})
        assert [e["code"] for e in cancelled["importCancel"]["userErrors"]] == ["NOT_FOUND"]
        assert await world.data(JOB, {"id": other}) == {"importJob": None}
        assert await world.data("query($id: ID!) { node(id: $id) { id } }", {"id": other}) == {
            "node": None
        }
    assert await world.data(JOBS) == {"importJobs": {"nodes": [], "totalCount": 0}}
    assert await other_world.data(JOBS) == {"importJobs": {"nodes": [{"id": job}], "totalCount": 1}}


async def test_an_id_of_another_kind_is_refused_by_name(world: World) -> None:
    lead = public("Lead", new_id())

    answer = await start(world, upload=lead)
    cancelled = (await world.data(CANCEL, {"job": lead}))["importCancel"]

    assert answer["userErrors"][0]["message"] == "expected a upload id, got a lead id"
    assert cancelled["userErrors"][0]["message"] == "expected a import id, got a lead id"


@pytest.mark.parametrize("person", ["other_rep", "analyst"])
async def test_who_may_not_import_may_not_look_either(world: World, person: str) -> None:
    user, job = getattr(world, person), await started(world)
    sent = await upload(world)
    asked = (
        (START, {"input": {"upload": sent, "mapping": MAPPING}}),
        (CANCEL, {"job": job}),
        (JOB, {"id": job}),
        (JOBS, {}),
    )

    for document, variables in asked:
        answer = await world.ask(document, variables, as_=user)
        assert [e["extensions"]["code"] for e in answer["errors"]] == ["FORBIDDEN"]

    assert await jobs(world) == 1
