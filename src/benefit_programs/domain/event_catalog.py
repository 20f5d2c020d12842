"""Every event that is stored: whose, what, and when.

The reference is made of it, and no event is stored that isn't in it.
"""

from __future__ import annotations

from typing import NamedTuple


class Happening(NamedTuple):
    """One kind of stored event. Several slugs, joined by "+", are as many events of the entity."""

    entity: str
    slug: str
    when: str


CATALOG = (
    Happening("program_definition", "created", "it was created"),
    Happening("program_definition", "updated", "it was changed"),
    Happening("program_definition", "deleted", "it was deleted"),
    Happening("pool_definition", "created", "it was created, in program definitions or in none"),
    Happening("pool_definition", "updated", "it was changed"),
    Happening(
        "pool_definition",
        "updated+added_to_program_definition",
        "it was added to a program definition",
    ),
    Happening(
        "pool_definition",
        "updated+removed_from_program_definition",
        "it was removed from one, or that one was deleted",
    ),
    Happening("pool_definition", "deleted", "it was deleted"),
    Happening("item", "created", "it was created"),
    Happening("item", "updated", "it was changed"),
    Happening("item", "deleted", "it was deleted"),
    Happening("program", "created+provisioned", "it was provisioned"),
    Happening("program", "created", "its provisioning has begun, and goes on in the background"),
    Happening(
        "program",
        "updated+provisioned",
        "that has ended; or a program without pools was provisioned again",
    ),
    Happening(
        "program",
        "updated",
        "it was changed; or an action has begun, and goes on in the background",
    ),
    Happening("program", "updated+paused", "it was paused"),
    Happening("program", "updated+resumed", "it goes on"),
    Happening("program", "updated+renewed", "a new cycle began"),
    Happening(
        "program",
        "updated+renewed+ended",
        "it ended with its renewal, since its definition was deleted so",
    ),
    Happening("program", "updated+ended", "it ended"),
    Happening("pool", "created+provisioned", "it was made, by provisioning or by a cascade"),
    Happening("pool", "updated", "it was changed, by hand or by a cascade"),
    Happening("pool", "updated+paused", "it was paused with its program"),
    Happening("pool", "updated+resumed", "it goes on with its program"),
    Happening("pool", "updated+renewed", "a new cycle began"),
    Happening("pool", "updated+ended", "it ended"),
    Happening(
        "pool",
        "updated+renewed+ended",
        "it ended before the renewal that was under way had come to it, and so was renewed first",
    ),
    Happening("pool", "benefit_redeemed", "credits were spent"),
    Happening("pool", "benefit_reallocated", "a redemption was moved to another date"),
    Happening("pool", "redemption_canceled", "a redemption was given back"),
    Happening("balance", "updated", "credits came or went without an event of the pool"),
)

KNOWN = frozenset((each.entity, each.slug) for each in CATALOG)
