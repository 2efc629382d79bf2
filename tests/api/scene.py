"""A tenant with one of everything, so that any id an argument takes is there to be given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from typing_extensions import override

from api.context import Context
from api.engine import GraphQLRequest
from domain import handoff_flow
from domain.audit import SYSTEM, AuditEntry, Cause
from domain.consent import ConsentPurpose, ConsentStatus, LegalBasis, not_to_contact
from domain.consenting import record_consent
from domain.goals.targets import Goal, Metric
from domain.ids import PREFIXES, new_id, public
from domain.lead_intake import log_activity
from domain.leads import ActivityKind, Agency, Company, LeadExternalId
from domain.lifecycle import StageEntry
from domain.sla import keeping
from domain.sla.agreement import Commitment
from domain.sla.clocks import SlaClock
from domain.stages import Stage
from domain.uploads import ImportJob, ImportRowError, JobStatus, Upload, UploadChunk, UploadPurpose
from infra.accounts import Accounts
from infra.database import Database, PostgresWork
from infra.outbox import publish_all
from infra.passwords import Passwords
from infra.refusals import told_refusals
from infra.settings import Settings
from infra.signing import UrlSigner
from infra.signing_keys import SigningKeys
from infra.tables import INSTALLATION, metadata
from infra.tokens import AccessTokens
from tests.admission import admission_of
from tests.agreements import a_sla, an_mql, usual_commitments
from tests.api.learning import what_was_learnt
from tests.api.scene_deals import the_campaigns, the_deals, the_doubles
from tests.api.scene_feedback import the_talk
from tests.api.scene_names import named
from tests.api.scene_people import the_people
from tests.api.scene_web import the_web
from tests.api.scene_words import the_words
from tests.world import ENGINE, FakeServices, World, make_world

SETTINGS = Settings.from_env(
    {
        "DATABASE_URL": "postgresql://owner@127.0.0.1/nowhere",
        "SMARKETING_SECRET": "s" * 32,
        "PUBLIC_URL": "https://smarketing.example",
    }
)


class Rehearsal(Database):
    """All works of an operation within one transaction, which is rolled back at the end."""

    def __init__(self, on: Database, connection: Any) -> None:
        super().__init__(on.app, on.platform, clock=on.clock)
        self.commits = 0
        self._connection = connection
        self._one_at_a_time = asyncio.Lock()

    @override
    @asynccontextmanager
    async def work(
        self,
        tenant_id: UUID,
        *,
        by: UUID | None = None,
        read_only: bool = False,
        cause: Cause = SYSTEM,
    ) -> AsyncIterator[PostgresWork]:
        async with self._one_at_a_time, self._connection.transaction():
            followed = None if read_only else cause
            work = PostgresWork(self._connection, tenant_id, await self.now(), by, followed)
            with told_refusals():
                yield work
                await work.flush()
        self.commits += not read_only


@dataclass(slots=True, kw_only=True)
class Scene:
    """A world with one of everything, and its owner in teams of both sides."""

    world: World
    names: dict[str, Any]

    def of(self, kind: str, field: str, name: str, meant: Mapping[str, str]) -> str:
        """Return the id of the thing of a kind that a field of a root field means."""
        for key in (f"{field}.{name}", field, name):
            if self.names.get(meant.get(key, ""), "").startswith(f"{PREFIXES[kind]}_"):
                return str(self.names[meant[key]])
        return str(self.names[kind])

    async def ask(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Execute a document as the owner."""
        return await self.world.ask(document, variables)

    async def rehearse(
        self, document: str, variables: dict[str, Any]
    ) -> tuple[dict[str, Any], int]:
        """Execute a document without keeping what it does; return how often it would commit."""
        async with self.stage() as (stage, context):
            request = GraphQLRequest(query=document, variables=variables)
            response = await ENGINE().execute(request, context)
        answer: dict[str, Any] = orjson.loads(response.body)
        answer.pop("extensions", None)
        return answer, stage.commits

    @asynccontextmanager
    async def stage(self) -> AsyncIterator[tuple[Rehearsal, Context]]:
        """Give a place to act as the owner, of which nothing is kept."""
        async with self.world.database.app.acquire() as connection:
            whole = connection.transaction()
            await whole.start()
            try:
                await connection.execute(f"SELECT app.enter('{self.world.tenant.id}')")
                stage = Rehearsal(self.world.database, connection)
                yield stage, Context(self.services(stage), self.world.actor(), "test")
            finally:
                await whole.rollback()

    def services(self, on: Database) -> Any:
        """Return the services of the world over another database."""
        ours = self.world.services
        more = {name: it for name, it in vars(ours).items() if name != "database"}
        accounts = Accounts(on, ours.passwords, ours.tokens, SETTINGS.public_url)
        return FakeServices(on, **{**more, "accounts": accounts})

    async def fingerprint(self) -> dict[str, str]:
        """Return a digest of all that is stored of the tenant, by table."""
        return await fingerprint(self.world.database, self.world.tenant.id)


async def fingerprint(database: Database, tenant_id: UUID) -> dict[str, str]:
    """Return a digest of all that is stored of a tenant, by table."""
    async with database.work(tenant_id, read_only=True) as work:
        return dict(await work.connection.fetch(_DIGESTS))


# What belongs to a tenant: its wall lets nothing else be seen.
_OWNED = sorted(set(metadata.tables) - INSTALLATION)
_DIGESTS = " UNION ALL ".join(
    f"SELECT '{name}', md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} t"
    for name in _OWNED
)


async def make_scene(database: Database, clock: dict[str, datetime], passwords: Passwords) -> Scene:
    """Store a tenant with one of everything."""
    tokens = AccessTokens(keys=SigningKeys.generate(), issuer="us", audience="api")
    accounts = Accounts(database, passwords, tokens, SETTINGS.public_url)
    world = await make_world(
        database,
        clock,
        settings=SETTINGS,
        signer=UrlSigner(SETTINGS.secret),
        tokens=tokens,
        passwords=passwords,
        accounts=accounts,
        **admission_of(accounts),
    )
    names = {**await the_people(world), **await the_words(world), **await _things(world)}
    names |= await _promises(world, names)
    names |= named(*await the_web(world, names))
    names |= await the_campaigns(world, names)
    names |= await the_deals(world, names)
    names |= named(*await the_talk(world, names))
    names |= {kind: public(kind, new_id()) for kind in ("EvidenceRow", "Figures", "Leak")}
    async with world.work() as work:
        entry = (await work.find(AuditEntry, subject_id=world.owner.id))[0]
    names |= named(entry)
    await publish_all(database, world.tenant.id)
    return Scene(world=world, names=names)


async def _things(world: World) -> dict[str, Any]:
    made: dict[str, Any] = {"created_by": world.owner.id, "created_at": world.now}
    goal = Goal(
        id=new_id(),
        name="Goal",
        metric=Metric.MQLS,
        team_id=world.marketing.id,
        starts_on=a_sla(world).starts_on,
        ends_on=a_sla(world).ends_on,
        target=Decimal(10),
        **made,
    )
    upload = Upload(
        id=new_id(),
        purpose=UploadPurpose.IMPORT,
        file_name="leads.csv",
        size=6,
        completed_at=world.now,
        **made,
    )
    chunk = UploadChunk(id=new_id(), upload_id=upload.id, position=0, content=b"email\n")
    job = ImportJob(
        id=new_id(),
        file_name="leads.csv",
        fingerprint="f",
        mapping="",
        dry_run=False,
        status=JobStatus.QUEUED,
        **made,
    )
    fault = ImportRowError(
        id=new_id(), job_id=job.id, line=2, column="email", code="INVALID", message="No address."
    )
    async with world.work() as work:
        await work.add_all([goal, upload, chunk, job, fault])
    return named(goal, upload, job, fault)


async def _promises(world: World, names: Mapping[str, Any]) -> dict[str, Any]:
    sla = a_sla(world)
    company = Company(id=new_id(), name="Initech", created_at=world.now, domain="initech.example")
    proposal = a_sla(
        world,
        period=(date(2026, 6, 1), date(2026, 7, 1)),
        sales_signed_by=None,
        sales_signed_at=None,
    )
    persona_id = UUID(hex=names["Persona"][-32:])
    told: dict[str, Any] = {
        "company_id": company.id,
        "owner_id": world.rep.id,
        "persona_id": persona_id,
    }
    lead = an_mql(world.now, stage=Stage.VISITOR, **told)
    qualified, handed, accepted, forbidden, buying = (an_mql(world.now, **told) for _ in range(5))
    external = LeadExternalId(
        id=new_id(), lead_id=lead.id, source="crm", value="4711", created_at=world.now
    )
    entry = StageEntry(
        id=new_id(),
        lead_id=lead.id,
        stage=Stage.VISITOR,
        previous=None,
        entered_at=world.now,
        recorded_at=world.now,
    )
    rep, marketer = world.actor(world.rep), world.actor(world.marketer)
    async with world.work() as work:
        await work.add_all([sla, proposal])
        await work.add_all([*usual_commitments(sla), *usual_commitments(proposal)])
        people = [lead, qualified, handed, accepted, buying]
        await work.add_all([company, *people, external, entry])
        await work.add(not_to_contact(forbidden, reason="Asked us to.", at=world.now))
        activity = await log_activity(
            work, rep, lead.id, kind=ActivityKind.CALL, agency=Agency.HUMAN, answered=False
        )
        consent = await record_consent(
            work,
            rep,
            lead.id,
            purpose=ConsentPurpose.EMAIL,
            status=ConsentStatus.GRANTED,
            basis=LegalBasis.CONSENT,
            source="form",
        )
    async with world.work() as work:
        owner = world.rep.id
        handoff = await handoff_flow.hand_off(work, marketer, handed.id, owner_id=owner)
        for taken in (accepted, buying):
            await handoff_flow.hand_off(work, marketer, taken.id, owner_id=owner)
            await handoff_flow.accept_lead(work, rep, taken.id)
    async with world.work() as work:
        clocks = await work.find(SlaClock, handoff_id=handoff.id)
        paused = await keeping.pause_clock(work, rep, clocks[1].id, reason="On holiday.")
        commitment = await work.get(Commitment, clocks[0].commitment_id)
    return {
        **named(*await what_was_learnt(world, sla)),
        **await the_doubles(world),
        "paused clock": public("SlaClock", paused.id),
        "qualified lead": public("Lead", qualified.id),
        "handed lead": public("Lead", handed.id),
        "accepted lead": public("Lead", accepted.id),
        "forbidden lead": public("Lead", forbidden.id),
        "buying lead": public("Lead", buying.id),
        "proposal": public("Sla", proposal.id),
        **named(sla, commitment, company, lead, activity, consent, entry, handoff, clocks[0]),
    }
