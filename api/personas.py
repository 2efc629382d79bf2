"""Buyer personas: whom both teams mean when they speak of a buyer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from api.context import Info
from api.errors import mutation, query
from api.filtering import collection, criterion_json
from api.leads import LeadFilter
from api.types import Json, Url
from api.uploads import UploadTicketView, largest_photo, photo_url, ticket_for
from api.views import PAGE_ARGUMENTS, connection, listed, page_of, related, shown, view
from domain import ids, personas
from domain.identity import Permission, User
from domain.lead_details import UNSAID
from domain.leads import Lead
from domain.paging import Listing, ListingsOf, Order, Page
from domain.personas import (
    LeadsByStage,
    OutstandingReaders,
    Persona,
    PersonaAcknowledgement,
    PersonaDetails,
    PersonaVersion,
    StageCount,
    WhoHasYetToRead,
)
from domain.ports import Work
from domain.stages import Stage
from domain.upload_flow import UploadTicket, request_photo_upload


@view(PersonaVersion, description="A persona as it read until the next version.")
class PersonaVersionView:
    number: int = shown("Which version, from 1.")
    name: str = shown("What the persona was called.")
    job_title: str = shown("What such a person does.")
    goals: list[str] = shown("What such a person wants to reach.")
    challenges: list[str] = shown("What stands in the way.")
    buying_questions: list[str] = shown("What such a person asks before buying.")
    criterion: Json | None = shown("Which leads it took, in the form of LeadFilter.")
    criterion_text: str | None = shown("The criterion as a clause of a sentence.")
    changed_at: datetime = shown("When it was written.")
    changed_by = related(
        "api.identity.UserView", User, by="changed_by", description="Who wrote it."
    )


@view(PersonaAcknowledgement, description="A user's word that he or she has read one version.")
class PersonaAcknowledgementView:
    number: int = shown("Which version.")
    acknowledged_at: datetime = shown("When it was said.")
    user = related("api.identity.UserView", User, by="user_id", description="Who said it.")
    persona = related(
        "api.personas.PersonaView", Persona, by="persona_id", description="The persona."
    )


@view(StageCount, description="How many leads are at a stage.")
class StageCountView:
    stage: Stage = shown("The stage.")
    count: int = shown("How many leads are there now.")


@view(OutstandingReaders, description="Active users who have yet to read the current version.")
class OutstandingReadersView:
    count: int = shown("How many there are.")
    users: list[Annotated[UserView, strawberry.lazy("api.identity")]] = shown(  # type: ignore[name-defined]  # noqa: F821  # named lazily, against a circle
        "The first hundred of them by name."
    )


def _leads(  # noqa: PLR0917  # Strawberry passes them by name
    persona: strawberry.Parent[Any],
    info: Info,
    stage: Annotated[
        Stage | None, strawberry.argument(description="Only those at this stage.")
    ] = UNSET,
    first: Any = UNSET,
    after: Any = UNSET,
    last: Any = UNSET,
    before: Any = UNSET,
) -> Any:
    page = page_of(first, after, last, before)
    listing: Listing[Any] = Listing(
        kind=Lead,
        equals={"stage": stage.value} if stage else {},
        order=(Order("created_at", descending=True),),
        page=page,
    )

    async def batch(work: Work, keys: Sequence[UUID]) -> list[Page[Any]]:
        pages = await work.ask(ListingsOf(by="persona_id", parents=tuple(keys), listing=listing))
        return [pages[key] for key in keys]

    return info.context.load_with(f"Persona.leads {stage} {page}", batch, persona.id)


_leads.__annotations__.update(PAGE_ARGUMENTS)


async def _counts(work: Work, keys: Sequence[UUID]) -> list[list[StageCount]]:
    found = await work.ask(LeadsByStage(persona_ids=tuple(keys)))
    return [
        [StageCount(stage=stage, count=found[key].get(stage, 0)) for stage in Stage] for key in keys
    ]


async def _outstanding(work: Work, keys: Sequence[UUID]) -> list[OutstandingReaders]:
    found = await work.ask(WhoHasYetToRead(persona_ids=tuple(keys)))
    return [found[key] for key in keys]


@view(Persona, description="A kind of buyer.  Leads that match its criterion belong to it.")
class PersonaView:
    name: str = shown("What the persona is called.")
    job_title: str = shown("What such a person does.")
    goals: list[str] = shown("What such a person wants to reach.")
    challenges: list[str] = shown("What stands in the way.")
    buying_questions: list[str] = shown("What such a person asks before buying.")
    criterion: Json | None = shown(
        "Which leads belong to it, in the form of LeadFilter; null for none."
    )
    criterion_text: str | None = shown("The criterion as a clause of a sentence.")
    rank: int = shown("Of two personas that a lead matches, the one of lower rank takes it.")
    number: int = shown("The current version, from 1.")
    created_at: datetime = shown("When it was first written.")
    archived_at: datetime | None = shown("When it was taken out of use.")
    is_assigning: bool = shown("Whether leads are still being assigned since its last change.")
    leads = strawberry.field(
        resolver=_leads,
        graphql_type=connection("api.leads.LeadView"),
        description="The leads that belong to it, the newest first.",
    )
    versions = listed(
        PersonaVersionView,
        PersonaVersion,
        by="persona_id",
        description="As it read before, the current version first.",
        order=(Order("number", descending=True),),
    )
    acknowledgements = listed(
        PersonaAcknowledgementView,
        PersonaAcknowledgement,
        by="persona_id",
        description="Who has read which version, the latest first.",
        order=(Order("acknowledged_at", descending=True),),
    )

    @strawberry.field(description="How many of its leads are at each stage, from stranger to fan.")
    async def leads_by_stage(persona: strawberry.Parent[Any], info: Info) -> list[StageCountView]:
        return await info.context.load_with("Persona.leadsByStage", _counts, persona.id)  # type: ignore[no-any-return]  # StageCounts

    @strawberry.field(description="Who has yet to read the current version.")
    async def outstanding(persona: strawberry.Parent[Any], info: Info) -> OutstandingReadersView:
        return await info.context.load_with("Persona.outstanding", _outstanding, persona.id)  # type: ignore[no-any-return]  # OutstandingReaders

    @strawberry.field(
        description="An address that shows its photo for an hour at least; null if it has none."
    )
    async def photo_url(persona: strawberry.Parent[Any], info: Info) -> Url | None:
        if persona.photo_id is None:
            return None
        context = info.context

        async def batch(work: Work, keys: Sequence[UUID]) -> list[str]:
            tenant_id = context.actor.tenant_id
            return [photo_url(context.services, tenant_id, key, now=work.now) for key in keys]

        return await context.load_with("Persona.photoUrl", batch, persona.photo_id)  # type: ignore[no-any-return]  # text


@strawberry.type
class Queries:
    personas = collection(
        PersonaView,
        Persona,
        description="The personas in use, in the order in which they take leads.",
        default=(Order("rank"),),
        equals={"archived_at": None},
    )("personas")

    @query("One persona, or null if there is none of that id.", shows=PersonaView | None)
    async def persona(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> Any:
        return await info.context.load(Persona, ids.expect("Persona", id, path=("id",)))


@strawberry.input(description="A new persona.")
class PersonaCreateInput:
    name: str = shown("What to call the persona.")
    job_title: str = shown("What such a person does.")
    goals: list[str] = shown("What such a person wants to reach; at most 20.", default_factory=list)
    challenges: list[str] = shown("What stands in the way; at most 20.", default_factory=list)
    buying_questions: list[str] = shown(
        "What such a person asks before buying; at most 20.", default_factory=list
    )
    criterion: LeadFilter | None = shown(
        "Which leads belong to it, by who they are: not by stage, owner or persona."
        "  Left out, none do.",
        default=UNSET,
    )
    rank: int | None = shown(
        "Of two personas that a lead matches, the one of lower rank takes it; last, if left out.",
        default=UNSET,
    )

    def details(self) -> PersonaDetails:
        """Return what was said."""
        return PersonaDetails(
            name=self.name,
            job_title=self.job_title,
            goals=self.goals,
            challenges=self.challenges,
            buying_questions=self.buying_questions,
            criterion=criterion_json(self.criterion) if self.criterion else UNSAID,
            rank=UNSAID if self.rank is UNSET or self.rank is None else self.rank,
        )


@strawberry.input(description="What changes about a persona.  What is left out stays.")
class PersonaUpdateInput:
    persona: strawberry.ID = shown("The persona.")
    name: strawberry.Maybe[str] = shown("What to call the persona.", default=None)
    job_title: strawberry.Maybe[str] = shown("What such a person does.", default=None)
    goals: strawberry.Maybe[list[str]] = shown(
        "What such a person wants to reach; at most 20.", default=None
    )
    challenges: strawberry.Maybe[list[str]] = shown(
        "What stands in the way; at most 20.", default=None
    )
    buying_questions: strawberry.Maybe[list[str]] = shown(
        "What such a person asks before buying; at most 20.", default=None
    )
    criterion: strawberry.Maybe[LeadFilter | None] = shown(
        "Which leads belong to it, by who they are; null for none.", default=None
    )
    rank: strawberry.Maybe[int] = shown(
        "Of two personas that a lead matches, the one of lower rank takes it.", default=None
    )

    def details(self) -> PersonaDetails:
        """Return what was said."""
        names = ("name", "job_title", "goals", "challenges", "buying_questions", "rank")
        given: dict[str, Any] = {name: getattr(self, name) for name in names}
        said = {name: some.value for name, some in given.items() if some is not None}
        if self.criterion is not None:
            said["criterion"] = criterion_json(self.criterion.value)
        return PersonaDetails(**said)


@strawberry.input(description="Which persona is taken out of use.")
class PersonaArchiveInput:
    persona: strawberry.ID = shown("The persona.")


@strawberry.input(description="Whose photo is to come.")
class PersonaPhotoUploadInput:
    persona: strawberry.ID = shown("The persona.")


@strawberry.input(description="Which version of which persona you have read.")
class PersonaAcknowledgeInput:
    persona: strawberry.ID = shown("The persona.")
    number: int = shown("The version you have read; it must be the current one.")


@strawberry.type
class Mutations:
    @mutation(PersonaView, "Write a new persona.", needs=Permission.EDIT_PERSONAS)
    async def persona_create(self, info: Info, input: PersonaCreateInput) -> Persona:
        async with info.context.writing() as work:
            return await personas.create_persona(work, info.context.actor, input.details())

    @mutation(
        PersonaView,
        "Change a persona; other words or another criterion are a new version to be read.",
        needs=Permission.EDIT_PERSONAS,
    )
    async def persona_update(self, info: Info, input: PersonaUpdateInput) -> Persona:
        async with info.context.writing() as work:
            id = _id(input.persona)
            return await personas.update_persona(work, info.context.actor, id, input.details())

    @mutation(
        PersonaView,
        "Take a persona out of use; its leads go to the next one they match.",
        needs=Permission.EDIT_PERSONAS,
    )
    async def persona_archive(self, info: Info, input: PersonaArchiveInput) -> Persona:
        async with info.context.writing() as work:
            return await personas.archive_persona(work, info.context.actor, _id(input.persona))

    @mutation(
        PersonaAcknowledgementView,
        "Say that you have read the current version of a persona.",
        needs=Permission.ACKNOWLEDGE_PERSONAS,
    )
    async def persona_acknowledge(
        self, info: Info, input: PersonaAcknowledgeInput
    ) -> PersonaAcknowledgement:
        async with info.context.writing() as work:
            return await personas.acknowledge_persona(
                work, info.context.actor, _id(input.persona), number=input.number
            )

    @mutation(
        UploadTicketView,
        "Learn where to send a persona's photo: a PNG, JPEG, WebP, GIF or AVIF.",
        needs=Permission.EDIT_PERSONAS,
    )
    async def persona_photo_upload(
        self, info: Info, input: PersonaPhotoUploadInput
    ) -> UploadTicket:
        async with info.context.writing() as work:
            upload = await request_photo_upload(work, info.context.actor, _id(input.persona))
        return ticket_for(info, upload, max_bytes=largest_photo(info.context.services))


def _id(text: str) -> UUID:
    return ids.expect("Persona", text, path=("persona",))
