"""What the fields of alerts hold, and of the events that tell of them. See ``descriptions``."""

from __future__ import annotations

from typing import Any

from benefit_programs.domain import details
from benefit_programs.wire.types import pools

OF_ALERTS: dict[type[Any], dict[str, str]] = {
    details.Alert: {
        "alert_key": "The name of the alert, unique in the details. Events tell it.",
        "balance_below_options": "Tells that little can be spent any more.",
        "credits_expiring_options": "Tells of each lot with credits left that expires soon.",
        "program_ending_options": "Tells that the program ends soon.",
        "renewal_due_options": "Tells that the program renews soon. Not while it is paused.",
        "reservation_lapsing_options": "Tells of each open reservation that lapses soon.",
        "type": "Which of the options it has. May be left out.",
    },
    details.BalanceBelow: {
        "amount": "Holds if less than this is available.",
        "percent": (
            "Holds if less than this share of the credit configuration's amount is available."
        ),
    },
    details.Within: {
        "within": (
            "How long before it tells of it. Days, months and years are those of the tenant's time"
            " zone, for programs those of the program's."
        )
    },
    pools.AlertDetails: {
        "alert_key": "The name of the alert.",
        "amount": "The credits of the lot, or those that the reservation holds.",
        "available": "What could be spent then.",
        "crossed_date": "When it began to hold; the event may be made later.",
        "date": "When what it tells of will happen.",
        "lot_id": "The lot that expires.",
        "reservation_id": "The reservation that lapses: the id of its transaction.",
        "type": "What the alert tells of.",
    },
    pools.PoolAlert: {"alert_details": "The alert, and what it tells of."},
}
