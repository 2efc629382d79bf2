"""A tenant with one of everything, so that any id an argument takes is there to be given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import orjson
from typing_extensions import override

from api.context import Context
from api.engine import GraphQLRequest
from domain import handoff_flow
from domain.attribution import BY_KIND, BuiltInModel
from domain.audit import SYSTEM, AuditEntry, Cause
from domain.campaigns import CampaignAsset, CampaignCost
from domain.consent import ConsentPurpose, ConsentStatus, LegalBasis, not_to_contact
from domain.consenting import record_consent
from domain.customers import Customer, CustomerStep, RevenueEvent, RevenueKind, record_revenue
from domain.duplicates import DuplicateCandidate, DuplicateRules, Trait, weighed
from domain.duplicates.scanning import DuplicateScan
from domain.exchange import set_rate
from domain.goals.targets import Goal, Metric
from domain.identity import ApiKey, Board, Role, Session, TeamMember, User
from domain.ids import PREFIXES, new_id, public
from domain.lead_intake import log_activity
from domain.leads import ActivityKind, Agency, Company, ExternalId, Lead, LeadExternalId
from domain.lifecycle import StageDefinition, StageEntry
from domain.merging import merge_leads
from domain.opportunities import (
    OpportunityDetails,
    OpportunityStep,
    lose_opportunity,
    open_opportunity,
    pipeline,
    win_opportunity,
)
from domain.personas import Persona, PersonaAcknowledgement, PersonaVersion, Photo
from domain.sla import keeping
from domain.sla.agreement import Commitment
from domain.sla.clocks import SlaClock
from domain.stages import Side, Stage
from domain.uploads import ImportJob, ImportRowError, JobStatus, Upload, UploadChunk, UploadPurpose
from domain.values import Money
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
from tests.admission import a_reset, admission_of, an_invitation
from tests.agreements import a_sla, an_mql, usual_commitments
from tests.api.learning import what_was_learnt
from tests.api.scene_feedback import the_talk
from tests.api.scene_web import the_web
from tests.passwords import PASSWORD
from tests.sessions import begun
from tests.world import ENGINE, FakeServices, World, enter_directory, make_world

SETTINGS = Settings.from_env(
    {
        "DATABASE_URL": "postgresql://owner@127.0.0.1/nowhere",
        "SMARKETING_SECRET": "s" * 32,
        "PUBLIC_URL": "https://smarketing.example",
    }
)
FIRST_PROMISE = {"score": {"gte": 1}}


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
    names = {**await _people(world), **await _words(world), **await _things(world)}
    names |= await _promises(world, names)
    names |= _named(*await the_web(world, names))
    names |= await _campaigns(world, names)
    names |= await _deals(world, names)
    names |= _named(*await the_talk(world, names))
    names |= {kind: public(kind, new_id()) for kind in ("EvidenceRow", "Figures", "Leak")}
    async with world.work() as work:
        entry = (await work.find(AuditEntry, subject_id=world.owner.id))[0]
    names |= _named(entry)
    await publish_all(database, world.tenant.id)
    return Scene(world=world, names=names)


async def _people(world: World) -> dict[str, Any]:
    await enter_directory(world)
    account = f"account@{world.tenant.slug}.example"
    accounts: Accounts = world.services.accounts
    await accounts.add_user(
        world.actor(), email=account, name="Guest", role=Role.ANALYST, password=PASSWORD
    )
    guest = await accounts.sign_in(email=account, password=PASSWORD)
    session = await _signed_in(world, world.owner)
    made: dict[str, Any] = {"name": "N", "created_by": None, "created_at": world.now}
    key = ApiKey(id=new_id(), role=Role.MEMBER, digest=new_id().hex, **made)
    board = Board(id=new_id(), digest=new_id().hex, **made)
    invitation, token = an_invitation(world)
    by_the_rep, _ = an_invitation(world, invited_by=world.rep.id)
    member = TeamMember(
        id=new_id(), team_id=world.sales.id, user_id=world.owner.id, created_at=world.now
    )
    async with world.work() as work:
        await work.add_all([key, board, member, invitation, by_the_rep])
    return {
        "account": account,
        "refresh token": guest.refresh_token,
        "invitation token": token,
        "reset token": await a_reset(world, account),
        "analyst": public("User", world.analyst.id),
        "owner": public("User", world.owner.id),
        "marketing": public("Team", world.marketing.id),
        **_named(world.tenant, world.rep, world.sales, world.calendar, world.hours),
        **_named(member, key, board, session, invitation),
    }


async def _signed_in(world: World, user: User) -> Session:
    """Give a user an account, and a session in which they ask from now on."""
    hashed = await world.services.passwords.hash(PASSWORD)
    platform, account = world.database.platform, (user.account_id, user.email, hashed, world.now)
    await platform.execute("INSERT INTO accounts VALUES ($1, $2, $3, $4)", *account)
    belongs = (user.account_id, world.tenant.id, user.id)
    await platform.execute("INSERT INTO memberships VALUES ($1, $2, $3)", *belongs)
    session = await begun(world, user)
    world.sessions[user.id] = session.id
    return session


async def _words(world: World) -> dict[str, Any]:
    proposed = StageDefinition(
        id=new_id(),
        stage=Stage.MQL,
        number=1,
        words="Worth a call.",
        owner_side=Side.MARKETING,
        criterion=FIRST_PROMISE,
        effective_at=world.now,
        proposed_by=world.marketer.id,
        proposed_at=world.now,
        marketing_signed_by=world.marketer.id,
        marketing_signed_at=world.now,
    )
    agreed = replace(
        proposed,
        id=new_id(),
        stage=Stage.PROSPECT,
        sales_signed_by=world.rep.id,
        sales_signed_at=world.now,
    )
    told: dict[str, Any] = {
        "name": "Fiona",
        "job_title": "Founder",
        "goals": (),
        "challenges": (),
        "buying_questions": (),
        "criterion": FIRST_PROMISE,
        "number": 1,
    }
    persona = Persona(id=new_id(), rank=1, created_at=world.now, **told)
    version = PersonaVersion(
        id=new_id(), persona_id=persona.id, changed_by=None, changed_at=world.now, **told
    )
    read = PersonaAcknowledgement(
        id=new_id(),
        persona_id=persona.id,
        user_id=world.rep.id,
        number=1,
        acknowledged_at=world.now,
    )
    photo = Photo(
        id=new_id(),
        content_type="image/webp",
        width=1,
        height=1,
        content=b"x",
        created_at=world.now,
    )
    async with world.work() as work:
        await work.add_all([proposed, agreed, persona, version, read, photo])
    names = {"proposed definition": public("StageDefinition", proposed.id)}
    return names | _named(agreed, persona, version, read, photo)


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
    return _named(goal, upload, job, fault)


async def _campaigns(world: World, names: Mapping[str, Any]) -> dict[str, Any]:
    campaign_id, asset_id = (UUID(hex=names[kind][-32:]) for kind in ("Campaign", "ContentAsset"))
    member = CampaignAsset(
        id=new_id(), campaign_id=campaign_id, asset_id=asset_id, added_at=world.now
    )
    cost = CampaignCost(
        id=new_id(),
        campaign_id=campaign_id,
        on=date(2026, 3, 3),
        amount_minor=100_000,
        currency="EUR",
        recorded_at=world.now,
    )
    model = replace(
        BY_KIND[BuiltInModel.LINEAR], id=new_id(), name="Ours", built_in=None, created_at=world.now
    )
    async with world.work() as work:
        await work.add_all([member, cost, model])
        lead = await work.get(Lead, UUID(hex=names["Lead"][-32:]))
        await work.save(replace(lead, campaign_id=campaign_id))
    return _named(member, cost, model)


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
        **_named(*await what_was_learnt(world, sla)),
        **await _doubles(world),
        "paused clock": public("SlaClock", paused.id),
        "qualified lead": public("Lead", qualified.id),
        "handed lead": public("Lead", handed.id),
        "accepted lead": public("Lead", accepted.id),
        "forbidden lead": public("Lead", forbidden.id),
        "buying lead": public("Lead", buying.id),
        "proposal": public("Sla", proposal.id),
        **_named(sla, commitment, company, lead, activity, consent, entry, handoff, clocks[0]),
    }


async def _deals(world: World, names: Mapping[str, Any]) -> dict[str, Any]:
    """Store deals of the buying lead: one open, one lost, and one won by a customer."""
    actor, lead_id = world.actor(world.rep), UUID(hex=names["buying lead"][-32:])
    marketer = world.actor(world.marketer)
    async with world.work() as work:
        first, second, *rest = await pipeline(work)
        opened, lost, won = [
            await open_opportunity(
                work,
                actor,
                lead_id,
                OpportunityDetails(
                    name="Deal", amount=Decimal(5), currency="EUR", external_id=name
                ),
            )
            for name in (ExternalId("crm", "4711"), None, None)
        ]
        await lose_opportunity(work, actor, lost.id, reason="No budget.")
        await win_opportunity(work, actor, won.id)
        more, kind = Money(1, "EUR"), RevenueKind.EXPANSION
        mistake = await record_revenue(work, actor, lead=lead_id, kind=kind, amount=more)
        rate = await set_rate(
            work, marketer, currency="CHF", rate=Decimal(1), starts_on=date(2026, 1, 1)
        )
        kinds = (Customer, CustomerStep, RevenueEvent, OpportunityStep)
        made = [(await work.find(kind))[0] for kind in kinds]
    return {
        "all stages": [public("PipelineStage", stage.id) for stage in (first, second, *rest)],
        "first stage": public("PipelineStage", first.id),
        "lost opportunity": public("Opportunity", lost.id),
        "mistaken revenue": public("RevenueEvent", mistake.id),
        "won opportunity": public("Opportunity", won.id),
        "accepted handoff": public("Handoff", cast(UUID, opened.handoff_id)),
        **_named(second, opened, rate, *made),
    }


async def _doubles(world: World) -> dict[str, Any]:
    """Two leads that may be one person, two that were, and a scan that is waited for."""
    younger, elder, double = (an_mql(world.now, stage=Stage.VISITOR) for _ in range(3))
    lead_id, other_id = sorted((younger.id, elder.id), reverse=True)
    pair = DuplicateCandidate(
        id=new_id(),
        lead_id=lead_id,
        other_id=other_id,
        score=Decimal("0.9"),
        evidence=(weighed(Trait.NAME, Decimal(1)),),
        fingerprint="f",
        found_at=world.now,
    )
    rules = DuplicateRules(id=world.tenant.id)
    # Claimed for so long that no worker takes it out of the scene.
    scan = DuplicateScan(
        id=new_id(),
        status=JobStatus.RUNNING,
        created_at=world.now,
        claimed_until=world.now + timedelta(days=1),
    )
    async with world.work() as work:
        await work.add_all([younger, elder, double])
        await work.add_all([pair, rules, scan])
    async with world.work() as work:
        merge = await merge_leads(work, world.actor(), elder.id, [double.id])
    return {
        "younger lead": public("Lead", lead_id),
        "elder lead": public("Lead", other_id),
        "merged lead": public("Lead", elder.id),
        **_named(pair, rules, scan, merge),
    }


def _named(*things: Any) -> dict[str, str]:
    """Return the ids of things by their kinds."""
    return {type(thing).__name__: public(type(thing).__name__, thing.id) for thing in things}
