"""`smarketing limits`: the bounds in force here, and one tenant's own."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from infra.cli.faults import CommandFailed

commands = typer.Typer(help="What may be asked for, and how much of it.", no_args_is_help=True)
_SET = "UPDATE directory SET cost_quota = $2 WHERE slug = $1"
_OWN = "SELECT slug, cost_quota FROM directory WHERE cost_quota IS NOT NULL ORDER BY slug"


@commands.command()
def show() -> None:
    """Print every bound as this environment has it, and the tenants that have their own."""
    import asyncpg

    from infra.cli.environment import database_settings
    from infra.edge_limits import bounds

    settings = database_settings()
    for name, bound in bounds().items():
        value = getattr(settings.limits, name)
        own = "" if value == bound.default else f"  (usually {bound.default:,})"
        typer.echo(f"{bound.variable:<30} {value:>13,}{own}")

    async def read() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(settings.database_url, timeout=10)
        try:
            return await connection.fetch(_OWN)
        finally:
            await connection.close()

    for slug, quota in asyncio.run(read()):
        typer.echo(f"{'COST_PER_TENANT of ' + slug:<30} {quota:>13,}")


@commands.command("set")
def set_(
    *,
    tenant: Annotated[str, typer.Option(help="The tenant's short name.")],
    cost: Annotated[
        int, typer.Option(help="Cost a minute; 0: what COST_PER_TENANT says.", min=0, max=10**9)
    ],
) -> None:
    """Give one tenant a bucket of its own size.  It counts within ten seconds."""
    import asyncpg

    from infra.cli.environment import database_settings

    async def write() -> str:
        connection = await asyncpg.connect(database_settings().database_url, timeout=10)
        try:
            done: str = await connection.execute(_SET, tenant, cost or None)
        finally:
            await connection.close()
        return done

    if asyncio.run(write()) == "UPDATE 0":
        raise CommandFailed(f"There is no tenant {tenant[:80]!r}.")
    typer.echo(f"{tenant}: {f'{cost:,} a minute' if cost else 'as everybody'}.")
