"""`smarketing tenant` and `smarketing import`: putting tenants and their data in."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

tenants = typer.Typer(help="The companies that use this installation.", no_args_is_help=True)
imports = typer.Typer(help="Bring data in from files.", no_args_is_help=True)


@tenants.callback()
def tenant_group() -> None:
    """Keep `create` a command of its own, though it is the only one."""


@tenants.command("create")
def create(
    *,
    slug: Annotated[str, typer.Argument(help="Its short name, in small letters: acme.")],
    name: Annotated[str, typer.Option(help="What people call it.")],
    owner_email: Annotated[str, typer.Option(help="The owner's e-mail address.")],
    owner_name: Annotated[str, typer.Option(help="The owner's name.")],
    password: Annotated[
        str,
        typer.Option(
            help="The owner's password, if he or she has none here yet.",
            envvar="SMARKETING_PASSWORD",
            prompt="Password for the owner",
            hide_input=True,
        ),
    ],
    time_zone: Annotated[str, typer.Option(help="Where its days begin.")] = "UTC",
    currency: Annotated[str, typer.Option(help="What it counts money in.")] = "EUR",
) -> None:
    """Make a tenant with one owner, who can then set up everything else."""
    from infra.accounts import create_tenant
    from infra.cli.environment import database_settings, operator
    from infra.database import Database
    from infra.passwords import Passwords

    settings = database_settings()

    async def run() -> None:
        database = await Database.connect(
            settings.app_database_url, settings.platform_database_url, size=2
        )
        try:
            tenant, owner = await create_tenant(
                database,
                Passwords(),
                slug=slug,
                name=name,
                owner_email=owner_email,
                owner_name=owner_name,
                password=password,
                time_zone=time_zone,
                currency=currency,
                cause=operator("tenant create"),
            )
        finally:
            await database.close()
        typer.echo(f"Made {tenant.slug} ({tenant.name}); {owner.email} is its owner.")

    asyncio.run(run())


@imports.command("leads", help="The same as `file`, by its first name.")
@imports.command("file")
def file_of_rows(
    *,
    file: Annotated[Path, typer.Argument(help="A CSV file.", exists=True, dir_okay=False)],
    tenant: Annotated[str, typer.Option(help="The tenant's short name.")],
    mapping: Annotated[
        Path,
        typer.Option("--map", help="Which column means what (TOML).", exists=True, dir_okay=False),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Try every row and keep nothing.")
    ] = False,
    errors: Annotated[
        Path | None, typer.Option(help="Where rows go that cannot be taken.", dir_okay=False)
    ] = None,
) -> None:
    """Import what the mapping says of a file, or go on with an import that was interrupted.

    That is leads, companies, touches, opportunities or costs.
    """
    from infra.cli.environment import database_settings, operator
    from infra.importing.command import ImportFile, import_file

    wanted = ImportFile(path=file, mapping=mapping, tenant=tenant, dry_run=dry_run, errors=errors)
    code = import_file(
        wanted,
        settings=database_settings(),
        console=Console(highlight=False),
        cause=operator("import file"),
    )
    raise typer.Exit(code=code)
