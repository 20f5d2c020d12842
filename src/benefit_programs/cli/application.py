"""All commands, and how they end."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from benefit_programs import __version__
from benefit_programs.cli.exits import ExitCode
from benefit_programs.cli.streams import ensure_streams, write_out

EXIT_CODES = """\
Exit codes: 0 done; 1 failed; 2 a wrong argument, option or setting; 3 the database can't be used; \
4 the address can't be listened on; 5 what was named doesn't exist; 6 an invariant is broken; \
7 the service refused; 8 no answer of the service; 9 the API key doesn't allow it.
"""

COMMANDS = {
    "serve": ("serve:commands", "Run the service until Ctrl+C or SIGTERM."),
    "worker": (
        "jobs:top",
        "Do background jobs until Ctrl+C or SIGTERM. PostgreSQL only.",
    ),
    "health": (
        "health:commands",
        "Ask the server or worker of this machine whether it is ready: 0 if so, 1 if not.",
    ),
    "verify": (
        "verify:commands",
        "Check every invariant of the ledger, also beside a running server; changes nothing.",
    ),
    "doctor": (
        "doctor.command:commands",
        "Say what is wrong with settings, database and work, and what to do. Changes nothing.",
    ),
    "backup": (
        "copies:commands",
        "Copy a SQLite database into a new file, also beside a running server, and verify it.",
    ),
    "restore": (
        "copies:commands",
        "Replace the SQLite database by a copy. No server may have it open.",
    ),
    "import-programs": (
        "transfer:commands",
        "Create the programs of a file with their balances. Run it again to continue after a stop.",
    ),
    "export-programs": (
        "transfer:commands",
        "Write the programs that haven't ended into a file, with their balances; changes nothing.",
    ),
    "migrate": (
        "versions:commands",
        "Migrate the database to the schema of this version. Several may run at once.",
    ),
    "version": ("versions:commands", "Show the version of the service and of its schema."),
    "tenants": ("tenants:commands", "Make and list tenants."),
    "keys": ("keys:commands", "Make, list and revoke API keys."),
    "demo": (
        "demo:commands",
        "Make a sample studio in a sandbox, and print a link to look at it in the console.",
    ),
    "console": ("console:commands", "Say who may use the pages of the console."),
    "agents": ("agents:commands", "Let agents look after members, by the Model Context Protocol."),
    "settings": ("settings:commands", "Read and change the settings of a tenant."),
    "clock": ("clock:commands", "Read the clock of a sandbox, and set it forward."),
    "jobs": ("jobs:commands", "Look at background jobs, and mend them."),
    "program-definitions": (
        "definitions:program_definitions",
        "Look at program definitions, make and delete them.",
    ),
    "pool-definitions": ("definitions:pool_definitions", "Look at pool definitions."),
    "beneficiaries": (
        "beneficiaries:commands",
        "What is kept of somebody who has programs: export it, erase it, or give it to a member.",
    ),
    "people": (
        "people:commands",
        "Say who beneficiaries are, one by one or from a file, and find them by name.",
    ),
    "programs": (
        "programs:commands",
        "Provision programs, look at them, and let them live and end.",
    ),
    "scheduled-changes": (
        "scheduled_changes:commands",
        "Look at changes that wait for their date, and withdraw them.",
    ),
    "pools": ("pools:commands", "Look at pools."),
    "reservations": (
        "reservations:commands",
        "Hold credits for items, and spend or release them later.",
    ),
    "balances": ("ledger:balances", "Look at balances, and change them by hand."),
    "lots": (
        "lots:commands",
        "Grant credits of their own, see when credits expire, and change that.",
    ),
    "transactions": ("ledger:transactions", "Look at the record of changes."),
    "statement": (
        "statements:top",
        "Show what a pool's credits came from and went to; as CSV, each transaction.",
    ),
    "statements": (
        "statements:top",
        "Show what became of the credits of many pools, by periods.",
    ),
    "members": ("statements:members", "Look at what members have."),
    "audit": ("audit:commands", "Find out who changed what, when and why."),
    "webhooks": (
        "webhooks:commands",
        "Have events told to URLs, and see what became of it.",
    ),
    "events": ("events:commands", "Read what has happened, as lines of JSON."),
    "redeem": ("pools:top", "Spend credits of a pool on an item of one of its benefits."),
    "redeem-eligible": (
        "returns:commands",
        "Redeem an item from whichever benefit pays: credits that expire soonest come first.",
    ),
    "move-redemption": (
        "returns:commands",
        "Let another pool of the same beneficiary pay for a redemption.",
    ),
    "cancel-redemption": (
        "pools:top",
        "Cancel a redemption or some of its items, and give the credits back.",
    ),
    "cancel-by-reference": (
        "returns:commands",
        "Cancel all redemptions and reservations with an external reference.",
    ),
    "eligible": (
        "pools:top",
        "List the benefits that can pay for an item now, the oldest pool first.",
    ),
    "apply": (
        "apply.commands:commands",
        "Create and change definitions, items and webhooks so that a namespace looks like a file.",
    ),
    "export": (
        "apply.commands:commands",
        "Write the definitions, items and webhooks of a namespace as a file for `benefits apply`.",
    ),
    "definitions-schema": (
        "apply.commands:commands",
        "Print the JSON Schema of the file, for editors.",
    ),
}
"""Where each command or group of commands is, and what the list of all says about it.

To load them all takes most of a second, which nobody should wait for who asks for the list or has
the shell complete a word. So the list is made from this, and a command is loaded to be used.
"""


class Commands(TyperGroup):
    """The commands. Each is only a name and a line of help until it is used."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        name, _, rest = super().resolve_command(ctx, args)
        return name, name and load_command(name), rest


def load_command(name: str) -> Any:
    module, _, typers = COMMANDS[name][0].partition(":")
    whole = typer.Typer()
    whole.add_typer(getattr(import_module(f"benefit_programs.cli.{module}"), typers))
    return get_group(whole).commands[name]


application = typer.Typer(
    name="benefits",
    cls=Commands,
    help="A self-hosted service for benefit programs.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _show_version(asked: bool) -> None:  # noqa: FBT001 - called by position
    if asked:
        sys.stdout.write(f"benefits {__version__}\n")
        raise typer.Exit


@application.callback()
def before_every_command(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_show_version, help="Show the version and end."
        ),
    ] = False,
) -> None:
    """A self-hosted service for benefit programs."""
    del version


for _name, (_, _about) in COMMANDS.items():
    application.command(_name, help=_about)(lambda: None)


GARBAGE_THRESHOLD = 100_000
"""How many new objects call for a search for garbage while a command is loaded.

Nearly all that a start makes stays. To look through it again and again took a sixth of the time.
"""


def main() -> None:
    """Run the command that the arguments name, and end with its code."""
    gc.set_threshold(GARBAGE_THRESHOLD)
    ensure_streams()
    code = _run()
    try:
        write_out()
    except BrokenPipeError:  # whoever read it has enough
        code = code or ExitCode.FAILED
    except OSError as error:
        sys.stderr.write(f"benefits: can't write to standard output: {error.strerror}\n")
        code = code or ExitCode.FAILED
    sys.exit(code)


def _run() -> int | str | None:
    unreadable = [str(number) for number, each in enumerate(sys.argv) if not _is_text(each)]
    if unreadable:
        sys.stderr.write(f"benefits: argument {', '.join(unreadable)}: must be UTF-8 text\n")
        return ExitCode.WRONG_USAGE
    try:
        application()
    except SystemExit as end:
        return end.code
    except KeyboardInterrupt:
        return ExitCode.FAILED
    except Exception as error:
        # Only now: it knows all that can fail, and so loads all of it.
        from benefit_programs.cli.failures import code_of, line_of  # noqa: PLC0415

        code = code_of(error)
        if code is None:
            raise
        sys.stderr.write(f"benefits: {line_of(error)}\n")
        return code
    return ExitCode.DONE


def _is_text(argument: str) -> bool:
    """Whether it can be sent, stored and printed; what is no UTF-8 arrives as lone surrogates."""
    return "\0" not in argument and not any("\ud800" <= each <= "\udfff" for each in argument)
