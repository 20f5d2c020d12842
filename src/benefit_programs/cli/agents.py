"""``benefits agents``: the server for agents, over standard input and output."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer

from benefit_programs.cli.exits import WrongUsage
from benefit_programs.cli.remote import ApiKey, SiteId, Url, key_for
from benefit_programs.config import KEY_VARIABLE, URL_VARIABLE, read_settings

commands = typer.Typer(
    name="agents",
    no_args_is_help=True,
    help="Let agents look after members, by the Model Context Protocol.",
)


@commands.callback()
def before_every_command() -> None:
    """Let agents look after members, by the Model Context Protocol."""


@commands.command("serve")
def serve(
    *,
    url: Url = None,
    api_key: ApiKey = None,
    site_id: SiteId = None,
    allow_changes: Annotated[
        bool,
        typer.Option(
            "--allow-changes",
            help="Also redeem, give back, move, adjust, pause and resume, if the key allows it.",
        ),
    ] = False,
) -> None:
    """Serve an agent over standard input and output, until the input ends.

    The agent's program starts it. Tools call a service that runs, with the rights of an API key.
    """
    address = url or os.environ.get(URL_VARIABLE)
    if not address:
        raise WrongUsage(f"name the service with --url or {URL_VARIABLE}, and set {KEY_VARIABLE}")
    key = key_for(address, api_key)
    try:
        from benefit_programs.agents.remote import serve_stdio  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as missing:
        raise WrongUsage(
            f"{missing.name} isn't installed: pip install 'benefit-programs[agents]'"
        ) from None
    from benefit_programs.agents.caps import Caps  # noqa: PLC0415

    settings = read_settings()
    caps = Caps(
        credits_max=settings.agent_credits_max, changes_per_hour=settings.agent_changes_per_hour
    )
    try:
        asyncio.run(serve_stdio(address, key, site_id=site_id, caps=caps, may_change=allow_changes))
    except ValueError as error:
        raise WrongUsage(f"the service can't be called: {error}") from None
