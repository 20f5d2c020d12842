"""Reads that replicas answer for the primary (ADR 38).

A caller holds a position, which the answers of the primary give it as ``X-Wix-Consistent``. A
replica that has come as far may answer its reads. What a replica can't answer, the primary does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from time import perf_counter
from typing import Any
from zlib import crc32

import msgspec

from benefit_programs.api.call import Call, DueOnReplica
from benefit_programs.api.method import Method
from benefit_programs.domain.errors import Refusal
from benefit_programs.domain.store import StoreTimeout, StoreUnavailable
from benefit_programs.storage.replicas import Replicas, is_position

CONSISTENT_HEADER = "x-wix-consistent"

REPLICAS_MAX = 8
"""How many replicas have metrics of their own: as many as the setting takes."""

OUTCOMES = ("answered", "away", "behind", "due", "failed")
"""What becomes of a read that a replica is asked for; but for the first, the primary answers."""

Observe = Callable[[int, str, float], None]
"""Takes the number of the replica, the outcome and the seconds waited."""


class ReplicaReads:
    """Asks the replica of a caller's key, always the same: so what a key reads never goes back."""

    def __init__(self, replicas: Replicas, observe: Observe) -> None:
        self._replicas = replicas
        self._observe = observe

    async def answer(
        self,
        call: Call,
        position: str | None,
        answer: Callable[[Call], Awaitable[bytes]],
        record: dict[str, Any],
    ) -> bytes | None:
        """The answer to a read; None if it is the primary's to give.

        Raises what the read is refused with. If a replica has answered, the record names it.
        """
        if position is None or not is_position(position) or not call.method.is_for_replicas:
            return None
        number = crc32(call.principal.key_id.encode()) % len(self._replicas.all)
        replica, started = self._replicas.all[number], perf_counter()
        is_there = await replica.reaches(self._replicas.required(call.tenant_id, position))
        waited = perf_counter() - started
        if not is_there or replica.reader is None:
            self._observe(number, "away" if replica.reader is None else "behind", waited)
            return None
        services = replace(call.services, reader=replica.reader)
        outcome = "failed"
        try:
            async with replica.in_use():
                body = await answer(
                    msgspec.structs.replace(call, services=services, on_replica=True)
                )
        except (Refusal, StoreTimeout):
            outcome, record["replica"] = "answered", replica.name
            raise
        except DueOnReplica:
            outcome = "due"
        except Exception as error:  # noqa: BLE001 - the primary tries, and fails for itself
            if isinstance(error, StoreUnavailable):
                replica.fail(error)
        else:
            outcome, record["replica"] = "answered", replica.name
            return body
        finally:
            self._observe(number, outcome, waited)
        return None

    async def position(self, tenant_id: int, method: Method) -> str:
        """What the caller of a method is to hold from now on, once the primary has answered it."""
        position = await self._replicas.position()
        if not method.only_reads:
            self._replicas.wrote(tenant_id, position)
        return position
