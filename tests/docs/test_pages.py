"""The commands of the documentation print what stands below them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.markdown import commands_of
from tests.docs.shell import require_commands

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/quickstart.md",
        "docs/how-to/authenticate.md",
        "docs/how-to/command-line.md",
        "docs/how-to/definitions-as-a-file.md",
        "docs/how-to/extended-fields.md",
        "docs/how-to/packs-beside-a-membership.md",
        "docs/how-to/strict-mode.md",
        "docs/how-to/late-cancellations.md",
        "docs/how-to/people.md",
        "docs/how-to/personal-data.md",
        "docs/how-to/statement-for-a-member.md",
        "docs/how-to/catch-up.md",
        "docs/how-to/webhooks.md",
        "docs/how-to/operate-remotely.md",
        "docs/how-to/hold-and-capture.md",
        "docs/how-to/changes-with-a-date.md",
        "docs/how-to/test-with-a-clock.md",
        "docs/how-to/alerts.md",
    ],
)
def test_commands_print_what_the_page_shows(
    page: str, environment: dict[str, str], tmp_path: Path
) -> None:
    """Whoever follows a page on a new installation sees what it shows."""
    commands = commands_of(ROOT / page)
    assert commands
    require_commands(commands, tmp_path, environment)
