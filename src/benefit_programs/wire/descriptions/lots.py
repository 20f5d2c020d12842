"""What the fields of lots hold. See ``descriptions``."""

from __future__ import annotations

from typing import Any

from benefit_programs.wire.types import lots

_TERMS = {
    "additional_data": "The caller's own values.",
    "display_name": "A name for people, for example of a pack that was bought.",
    "expiration_date": "Until when the credits can be spent, exclusive. Absent: they never expire.",
    "external_reference": "What the credits belong to elsewhere, for example `order:123`.",
    "kept_at_renewal": "Whether renewals leave the lot alone.",
    "priority": "The smaller it is, the sooner the credits are spent. Default: 100.",
}

OF_LOTS: dict[type[Any], dict[str, str]] = {
    lots.Lot: {
        **_TERMS,
        "available": "The credits that can be spent. 0 for a lot that is still to come.",
        "effective_date": "From when on the credits count.",
        "granted": "The credits that came. Absent for the standard lot.",
        "id": "The id of the lot; that of the pool for its standard lot.",
        "is_standard": "Whether it is the lot of all credits of the pool that are in no other.",
        "origin": "What brought the credits.",
        "reserved": "The credits that reservations hold.",
        "status": (
            "FUTURE before its first day, LIVE while it has credits to spend, SPENT if it has none"
            " now, EXPIRED after its last day."
        ),
    },
    lots.DrawnLot: {
        "amount": "The lot's part of the amount.",
        "into_lot_id": (
            "The lot that the credits went to, if they were reserved of one that has expired"
            " meanwhile."
        ),
        "lot_id": "The lot that gave or took credits; the pool's id stands for the standard lot.",
    },
}
