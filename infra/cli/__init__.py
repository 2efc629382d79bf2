"""The command `smarketing`.  What goes wrong is told in one line, and shows in the exit code."""

from __future__ import annotations

import gc
import os
import signal
import sys
from typing import Annotated

import typer
from rich.console import Console

from infra import __version__
from infra.cli import audit, data, documents, explorer, keys, limits, schema, service
from infra.cli.faults import explained

STARTING = (10_000, 10, 10)

app = typer.Typer(
    name="smarketing",
    help="Service level agreements between marketing and sales.",
    no_args_is_help=True,
    # Local values hold passwords and people's data.
    pretty_exceptions_show_locals=False,
)
service.register(app)
app.add_typer(data.tenants, name="tenant")
app.add_typer(data.imports, name="import")
app.add_typer(audit.commands, name="audit")
app.add_typer(keys.commands, name="keys")
app.add_typer(schema.commands, name="schema")
app.add_typer(documents.commands, name="documents")
app.add_typer(limits.commands, name="limits")
app.add_typer(explorer.commands, name="explorer")


@app.command()
def doctor(
    *,
    serving: Annotated[
        bool, typer.Option(help="Look also at the port that the service would listen on.")
    ] = True,
) -> None:
    """Say what is missing on this machine, and how to get it."""
    from infra.checkout import ROOT
    from infra.doctor import examine

    console, ill = Console(highlight=False), False
    for finding in examine(os.environ, root=ROOT, serving=serving):
        ill = ill or finding.advice is not None
        mark = "[red]✗[/]" if finding.advice else "[green]✓[/]"
        console.print(mark, finding.what)
        if finding.advice:
            console.print(" ", finding.advice, markup=False)
    raise typer.Exit(code=int(ill))


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """Run the command line."""
    # What loading makes, stays: looking for garbage in it takes a sixth of the time to start.
    gc.set_threshold(*STARTING)
    # So that whoever stops us lets us put things away, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        found = explained(error)
        if found is None:
            raise
        words, code = found
        Console(stderr=True, highlight=False).print(words, markup=False, style="red")
        sys.exit(code)
