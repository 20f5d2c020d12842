"""Shares: of what is under way, none may take more than its own."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary


class Shares:
    """As many at once for each name; a name that nobody uses is forgotten."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._shares: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    def of(self, name: str) -> asyncio.Semaphore:
        share = self._shares.get(name)
        if share is None:
            share = self._shares[name] = asyncio.Semaphore(self._each)
        return share
