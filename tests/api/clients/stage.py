"""The served application with something to see in it, which can be restarted under its clients."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from domain.goals.targets import Goal
from domain.identity import Role
from domain.ids import parse, public
from infra.serving import signing_keys
from infra.tokens import AccessTokens
from tests.api.sites import Site, a_site, accounts_of
from tests.conftest import DatabaseUrls
from tests.passwords import PASSWORD
from tests.ports import free_port
from tests.world import World, enter_directory

FOLDER = Path(__file__).parent
SHORT = timedelta(seconds=2)
PATIENCE = 180


def operation(name: str) -> str:
    """Return the text of an operation that all clients send."""
    return (FOLDER / "operations" / f"{name}.graphql").read_text(encoding="utf-8")


@dataclass
class Stage:
    """A tenant with four leads, a goal of 10, and somebody who can sign in."""

    urls: DatabaseUrls
    world: World
    port: int
    site: Site = field(init=False)
    email: str = ""
    goal: str = ""
    _serving: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    async def open(self) -> None:
        self.site = await self._serving.enter_async_context(a_site(self.urls, port=self.port))

    async def close(self) -> None:
        await self._serving.aclose()

    async def restart(self, target: str) -> None:
        """Stop the service, change the goal's target while nobody listens, and start it again."""
        await self.close()
        _, goal_id = parse(self.goal)
        async with self.world.work() as work:
            goal = await work.get(Goal, goal_id)
            await work.save(replace(goal, target=Decimal(target)))
        await self.open()

    def token(self, given: str, life: timedelta) -> str:
        """Return a token of the same session with another life."""
        settings = self.site.settings
        keys = signing_keys(settings)
        tokens = AccessTokens(keys=keys, issuer=settings.issuer, audience=settings.public_url)
        now = datetime.now(UTC)
        claims = tokens.verify(given, now=now)
        return tokens.issue(
            user_id=claims.user_id,
            tenant_id=claims.tenant_id,
            account_id=claims.account_id,
            session_id=claims.session_id,
            now=now,
            life=life,
        )

    async def furnish(self) -> None:
        """Make the user, the leads and the goal."""
        self.email = f"ada@{self.world.tenant.slug}.example"
        await enter_directory(self.world)
        await accounts_of(self.site.settings, self.world).add_user(
            self.world.actor(), email=self.email, name="Ada", role=Role.ADMIN, password=PASSWORD
        )
        for number in range(4, 0, -1):
            await self._change("leadCreate", {"email": self.lead(number)}, "lead { id }")
        team = public("Team", self.world.marketing.id)
        goal = {"name": "Leads", "metric": "LEADS_CREATED", "target": "10", "team": team}
        period = {"kind": "MONTH", "startsOn": f"{datetime.now(UTC):%Y-%m}-01"}
        made = await self._change("goalCreate", {**goal, "period": period}, "goal { id }")
        self.goal = made["goal"]["id"]

    async def _change(self, name: str, given: dict[str, Any], shown: str) -> dict[str, Any]:
        title = name[0].upper() + name[1:]
        asked = f"{name}(input: $input) {{ {shown} userErrors {{ code }} }}"
        document = f"mutation($input: {title}Input!) {{ {asked} }}"
        told = await self.world.data(document, {"input": given})
        payload: dict[str, Any] = told[name]
        assert payload["userErrors"] == []
        return payload

    def lead(self, number: int) -> str:
        """Return the address of a lead; the first is the newest."""
        return f"lead{number}@{self.world.tenant.slug}.example"

    async def play(self, script: str, **told: str) -> Any:
        """Run a client's script, do what it asks for, and return what it saw."""
        given = {"url": self.url, "email": self.email, "password": PASSWORD, "goal": self.goal}
        process = await asyncio.create_subprocess_exec(
            "node",
            script,
            json.dumps({**given, **told}),
            cwd=FOLDER,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._direct(process)
        except TimeoutError:
            process.kill()
            raise AssertionError((await process.communicate())[1].decode()) from None
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    async def _direct(self, process: asyncio.subprocess.Process) -> Any:
        assert process.stdout
        assert process.stdin
        async for line in process.stdout:
            said = json.loads(line)
            if "report" in said:
                return said["report"]
            answer = await self._answer(**said)
            process.stdin.write(json.dumps(answer).encode() + b"\n")
        assert process.stderr
        raise AssertionError((await process.stderr.read()).decode())

    async def _answer(self, ask: str, token: str = "", target: str = "") -> dict[str, str]:
        match ask:
            case "restart":
                await self.restart(target)
                return {}
            case "short token":
                return {"token": self.token(token, SHORT)}
            case _:
                raise AssertionError(f"nobody knows how to {ask}")


@asynccontextmanager
async def a_stage(urls: DatabaseUrls, world: World) -> AsyncIterator[Stage]:
    """Serve the application with a furnished tenant in it."""
    stage = Stage(urls, world, free_port())
    await stage.open()
    try:
        await stage.furnish()
        yield stage
    finally:
        await stage.close()
