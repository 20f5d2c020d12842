"""All commands, and how they end."""

from __future__ import annotations

import asyncio
import sys

import typer

from benefit_programs import __version__
from benefit_programs.cli import definitions, jobs, keys, ledger, pools, programs, settings, tenants
from benefit_programs.cli.apply import commands as apply
from benefit_programs.cli.exits import CODES, ExitCode, end_with
from benefit_programs.cli.options import AsJson, DatabaseUrl, DataDir, database_settings
from benefit_programs.cli.output import print_json, print_line
from benefit_programs.cli.serve import serve
from benefit_programs.cli.transfer import export_programs, import_programs
from benefit_programs.cli.verify import verify_database
from benefit_programs.storage.schema import migrate, newest_revision

EXIT_CODES = """\
Exit codes: 0 done; 1 failed; 2 a wrong argument, option or setting; 3 the database can't be used; \
4 the address can't be listened on; 5 what was named doesn't exist; 6 an invariant is broken; \
7 the service refused; 8 no answer of the service; 9 the API key doesn't allow it.
"""

application = typer.Typer(
    name="benefits",
    help="A self-hosted service for benefit programs.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
application.command("serve")(serve)
application.command("worker")(jobs.work)
application.command("verify")(verify_database)
application.command("import-programs")(import_programs)
application.command("export-programs")(export_programs)
application.add_typer(tenants.commands, name="tenants")
application.add_typer(keys.commands, name="keys")
application.add_typer(settings.commands, name="settings")
application.add_typer(jobs.commands, name="jobs")
application.add_typer(definitions.program_definitions, name="program-definitions")
application.add_typer(definitions.pool_definitions, name="pool-definitions")
application.add_typer(programs.commands, name="programs")
application.add_typer(pools.commands, name="pools")
application.add_typer(ledger.balances, name="balances")
application.add_typer(ledger.transactions, name="transactions")
application.add_typer(pools.top)
application.add_typer(apply.commands)


@application.command("migrate")
def migrate_database(
    *, data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: AsJson = False
) -> None:
    """Bring the database to the schema of this version; several at once do no harm."""
    chosen = database_settings(data_dir, database_url)
    if chosen.is_sqlite:
        chosen.sqlite_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    applied = asyncio.run(migrate(chosen.url))
    if as_json:
        print_json({"applied": applied, "revision": newest_revision()})
    elif applied:
        print_line(f"Applied {', '.join(applied)}.")
    else:
        print_line(f"Nothing to do: the schema has revision {newest_revision()}.")


@application.command("version")
def show_version(*, as_json: AsJson = False) -> None:
    """Show the version of the service and of its schema."""
    if as_json:
        print_json({"version": __version__, "schemaRevision": newest_revision()})
    else:
        print_line(f"benefits {__version__}, schema {newest_revision()}")


def main() -> None:
    """Run the command that the arguments name, and end with its code."""
    try:
        application()
    except tuple(CODES) as error:
        sys.exit(end_with(error))
    except KeyboardInterrupt:
        sys.exit(ExitCode.FAILED)
