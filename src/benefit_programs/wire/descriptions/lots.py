"""What the fields of lots hold, and of what says how credits come. See ``descriptions``."""

from __future__ import annotations

from typing import Any

from benefit_programs.domain import details, errors
from benefit_programs.wire.types import lots, transactions

_TERMS = {
    "additional_data": "The caller's own values.",
    "display_name": "A name for people, for example of a pack that was bought.",
    "expiration_date": "Until when the credits can be spent, exclusive. Absent: they never expire.",
    "external_reference": "What the credits belong to elsewhere, for example `order:123`.",
    "kept_at_renewal": "Whether renewals leave the lot alone.",
    "priority": "The smaller it is, the sooner the credits are spent. Default: 100.",
}

_MADE = "The transaction of the credits. Absent if none was made."

_GRANTED = {
    **_TERMS,
    "amount": "The credits that come: more than 0.",
    "effective_date": "From when on they count. Absent: at once.",
    "expires_after": (
        "How long they live from the moment on at which they count. Days, months and years are"
        " those of the tenant's time zone."
    ),
    "expiration_date": "Until when they can be spent, exclusive. Absent: they never expire.",
    "kept_at_renewal": "Whether renewals leave them alone. Default: true.",
}

OF_LOTS: dict[type[Any], dict[str, str]] = {
    details.CreditConfiguration: {
        "amount": "The credits that a balance opens with, and gets at each renewal. Absent: 0.",
        "rollover_configuration": "The unused credits that stay at a renewal. Absent: none.",
        "expires_after": (
            "How long the credits live that provisioning, renewals and adjustments bring. Days,"
            " months and years are those of the tenant's time zone. Absent: they never expire."
        ),
        "valid_on": (
            "Whether credits must live at the moment of a redemption, or on its target date, too."
            " Default: REDEMPTION."
        ),
        "returns_live": (
            "How long credits live at the least that come back, for example from a canceled"
            " redemption. Absent: what comes back to credits that have expired lapses."
        ),
        "lapse_at_end": "Whether the credits lapse when the pool ends. Default: false.",
    },
    details.RolloverConfiguration: {
        "balance_cap": "The largest amount of unused credits that stays. Absent: all stay.",
        "enabled": "Whether unused credits stay at a renewal. Default: false.",
        "percent": (
            "What share of the unused credits stays, in percent from 0 to 100, before the cap"
            " counts. Absent: 100."
        ),
        "expires_after": (
            "How long the credits that stay live at most, from the renewal on. Absent: as long as"
            " they would have lived."
        ),
    },
    details.CancellationTerm: {
        "before": "How long before the target date a cancellation must come at the latest.",
        "percent": "What share of the credits comes back then, in percent from 0 to 100.",
    },
    errors.TooManyLots: {"maximum": "How many lots of a pool may be live or still to come."},
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
    lots.LotChange: {
        **_TERMS,
        "expiration_date": "Until when the credits can be spent, exclusive. Null: for ever.",
        "id": "The id of the lot.",
    },
    lots.GrantCreditsRequest: _GRANTED,
    lots.GrantCreditsResponse: {"transaction_id": _MADE},
    lots.UpdateLotRequest: {"lot": "The lot, with the fields to change."},
    lots.ExpireLotResponse: {"transaction_id": _MADE},
    lots.GetLotRequest: {"lot_id": "The id of the lot, or of a pool for its standard lot."},
    transactions.DrawnLot: {
        "amount": "The lot's part of the amount.",
        "into_lot_id": (
            "The lot that the credits went to, if they were reserved of one that has expired"
            " meanwhile."
        ),
        "lot_id": "The lot that gave or took credits; the pool's id stands for the standard lot.",
    },
}
