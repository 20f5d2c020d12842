"""Looks whether something has come about, every so often.

Who looks without a pause takes the processor from what it waits for.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LOOK_PAUSE_SECONDS = 0.02

LOOK_SECONDS_MAX = 30
"""Far more than it takes, for a busy machine is no failure."""


async def wait_until(is_so: Callable[[], bool]) -> None:
    """Look again and again whether something has come about that nothing signals."""
    async with asyncio.timeout(LOOK_SECONDS_MAX):
        while not is_so():  # noqa: ASYNC110 - nothing signals it
            await asyncio.sleep(LOOK_PAUSE_SECONDS)
