"""The text of a start: the address, the first key, and requests to paste."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from benefit_programs.cli.addresses import reachable
from benefit_programs.config import DATA_DIR_DEFAULT, KEY_VARIABLE, URL_VARIABLE, Settings
from benefit_programs.storage.console import sign_in_path

COMMAND = "benefits"

# Shells other than bash take no comments where people type, so `echo` says what is done.
FIRST_REQUESTS = """\
export {url_variable}={url}
export {key_variable}={secret}

post() {{
  curl --silent --show-error --request POST "${url_variable}/benefit-programs/v1/$1" \\
    -H "Authorization: ${key_variable}" -H 'Content-Type: application/json' \\
    -H 'X-Benefits-Strict: true' --data "$2"
}}
first() {{ grep -o "\\"$1\\":\\"[^\\"]*\\"" | head -n 1 | cut -d '"' -f 4; }}

echo 'A pool definition: 5 credits, and a visit costs 2 of them.'
POOL_DEFINITION=$(post pool-definitions '{{
  "poolDefinition": {{
    "namespace": "museum",
    "displayName": "Visits",
    "details": {{
      "benefits": [{{
        "benefitKey": "visit", "price": "2",
        "providerAppId": "0f7a4c1e-52b8-4f0b-9a55-3c6d1e8b7a90"
      }}],
      "creditConfiguration": {{"amount": "5"}}
    }}
  }}
}}')
printf '%s\\n' "$POOL_DEFINITION"

echo 'An item that the benefit pays for.'
post items '{{"item": {{
  "itemSetId": "'"$(printf '%s' "$POOL_DEFINITION" | first itemSetId)"'",
  "externalId": "exhibition", "namespace": "museum",
  "providerAppId": "0f7a4c1e-52b8-4f0b-9a55-3c6d1e8b7a90"
}}}}'
echo

echo 'A program for a member, with one pool.'
PROGRAM=$(post programs/provision '{{
  "poolDefinitionLookupId": {{
    "poolDefinitionId": "'"$(printf '%s' "$POOL_DEFINITION" | first id)"'"
  }},
  "beneficiary": {{"memberId": "3f1b6a52-9c84-4a7e-8e1d-60b7a9d2c415"}},
  "namespace": "museum", "externalProgramId": "card-1"
}}')
printf '%s\\n' "$PROGRAM"

echo 'Its pool, and a first redemption.'
POOL_ID=$(post pools/query '{{"query": {{"filter": {{
  "programId": "'"$(printf '%s' "$PROGRAM" | first id)"'"
}}}}}}' | first id)
post benefits/redeem '{{
  "poolId": "'"$POOL_ID"'", "benefitKey": "visit", "namespace": "museum",
  "itemReference": {{
    "externalId": "exhibition", "providerAppId": "0f7a4c1e-52b8-4f0b-9a55-3c6d1e8b7a90"
  }},
  "idempotencyKey": "visit-1"
}}'
echo
"""


def start_text(
    url: str, settings: Settings, secret: str | None, invitation: str | None = None
) -> str:
    """The text of a start for people.

    ``secret`` is the first key and ``invitation`` the secret of the first link to the console, if
    the start has made them.
    """
    here = reachable(url)
    after = _first_start(here, secret) if secret else _how_to_get_a_key(settings)
    console = f"The console: {here}/console\n"
    if invitation:
        link = sign_in_link(here, invitation)
        console = f"The console; this signs in once, within 15 minutes:\n\n    {link}\n\n"
    return f"Serving on {url}\n{console}All methods, to read and to try: {here}/docs\n\n{after}"


def sign_in_link(url: str, secret: str) -> str:
    """The link that an invitation's secret makes."""
    return url.rstrip("/") + sign_in_path(secret)


def _first_start(url: str, secret: str) -> str:
    requests = FIRST_REQUESTS.format(
        url_variable=URL_VARIABLE, key_variable=KEY_VARIABLE, url=shlex.quote(url), secret=secret
    )
    return (
        f"Your first API key, which has all rights and is not shown again:\n\n    {secret}\n\n"
        f"To try it, paste this into a second shell:\n\n{requests}"
    )


def _how_to_get_a_key(settings: Settings) -> str:
    words = [_command(), "keys", "create", "NAME"]
    if settings.is_sqlite and settings.database_url is None:
        is_usual = settings.data_dir == DATA_DIR_DEFAULT
        words += [] if is_usual else ["--data-dir", str(settings.data_dir)]
    return f"For another API key: {shlex.join(words)}\n"


def _command() -> str:
    """What to type in this shell and folder for the command that runs."""
    typed = sys.argv[0]
    if Path(typed).name != COMMAND or shutil.which(COMMAND) == typed:
        return COMMAND
    return typed
