"""A bounded cache of snapshots. They never change, so what was read once stays true."""

from __future__ import annotations

from collections import OrderedDict

from benefit_programs.domain.entities import Snapshot
from benefit_programs.domain.indexes import Key
from benefit_programs.domain.lookups import SNAPSHOT
from benefit_programs.domain.rows import Row
from benefit_programs.domain.state import AtHand

SNAPSHOTS_MAX = 2_000
"""How many snapshots one tenant's cache holds, the most recently used ones."""


class SnapshotCache:
    """The snapshots of one tenant that this process has read."""

    def __init__(self) -> None:
        self._snapshots: OrderedDict[str, Snapshot] = OrderedDict()

        self.at_hand: AtHand = {SNAPSHOT: self._find}

    def _find(self, key: Key) -> Snapshot | None:
        snapshot = self._snapshots.get(key[0])
        if snapshot is not None:
            self._snapshots.move_to_end(snapshot.id)
        return snapshot

    def keep(self, rows: list[Row]) -> None:
        for row in rows:
            if isinstance(row, Snapshot):
                self._snapshots[row.id] = row
                self._snapshots.move_to_end(row.id)
        while len(self._snapshots) > SNAPSHOTS_MAX:
            self._snapshots.popitem(last=False)
