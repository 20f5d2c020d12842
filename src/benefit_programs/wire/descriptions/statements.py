"""What the fields of statements and overviews hold. See ``descriptions``."""

from __future__ import annotations

from typing import Any

from benefit_programs.wire.types import overviews, statements

_SIDES = {
    "closing": "What there was at the end.",
    "opening": "What there was at the beginning.",
    "figures": "What happened to the credits in between.",
    "transaction_count": "How many transactions that were.",
}
_PERIOD = {
    "from_date": "When the period begins.",
    "to_date": "When the period ends, exclusive.",
}
_COMMON_OF_LOTS = {
    "effective_date": "From when on the credits count.",
    "expiration_date": "Until when the credits can be spent, as it is now. Absent: for ever.",
    "granted": "The credits that came, or will come.",
    "origin": "What brought the credits.",
    "priority": "The smaller it is, the sooner the credits are spent.",
    "reserved": "The credits that reservations held.",
}

OF_STATEMENTS: dict[type[Any], dict[str, str]] = {
    statements.GetBalanceAsOfRequest: {"date": "The instant. What happened at it counts."},
    statements.GetBalanceAsOfResponse: {
        "amount": "The credits that could be spent, and those that were reserved.",
        "date": "The instant that is told of: never later than now.",
        "lots": "The lots that held credits, or were still to come, in the burn order.",
        "revision": "The revision that the balance had.",
    },
    statements.LotAsOf: {
        **_COMMON_OF_LOTS,
        "available": "The credits that could be spent.",
        "display_name": "The name of the lot, as it is now.",
        "external_reference": "What the credits belong to elsewhere.",
        "id": (
            "The id of the lot; that of the pool for all credits in no other. Absent for one that"
            " was made by what is not booked yet."
        ),
        "status": "Whether it was still to come, had credits to spend, had none, or had ended.",
    },
    statements.StatementFigures: {
        "adjusted": "What changes by hand brought, less what they took, and their reverts.",
        "granted": "What grants brought.",
        "lapsed": "What expired, or didn't roll over.",
        "provisioned": "What pools were opened with.",
        "redeemed": "What redemptions cost, also those of what was reserved before.",
        "renewed": "What renewals brought.",
        "reserved": (
            "What was set aside, less what was put back and what was redeemed of it: how much more"
            " is reserved than before."
        ),
        "returned": "What canceled and reverted redemptions gave back.",
    },
    statements.LotStatement: {
        "closing": _SIDES["closing"],
        "figures": _SIDES["figures"],
        "lot_id": (
            "The id of the lot; that of the pool for all credits in no other. Absent for one that"
            " was made by what is not booked yet."
        ),
        "moved": (
            "What came from another lot, less what went to one, without a transaction: a rollover"
            " gives credits that had no end a lot that has one."
        ),
        "opening": _SIDES["opening"],
    },
    statements.StatementRow: {
        "amount": "How many credits more can be spent; less than 0: how many fewer.",
        "available_after": "The credits that could be spent right after it.",
        "booked_date": "When it was booked. Absent: it isn't yet, but counts.",
        "date": "When it happened.",
        "draws": "The lots that gave or took the credits. Absent: the standard lot alone.",
        "external_reference": "What it belongs to elsewhere.",
        "figure": "The figure that it counts as.",
        "item_external_id": "The item that it was for, as its provider app calls it.",
        "reason": "Why, in words.",
        "related_transaction_id": "The transaction that it gives back, if it does.",
        "reserved_after": "The credits that were reserved right after it.",
        "reserved_amount": "How many credits more are reserved; less than 0: how many fewer.",
        "revision": "The revision of the balance that it made.",
        "transaction_id": "The id of the transaction. Absent: it isn't booked yet, but counts.",
    },
    statements.GetStatementRequest: {
        "by_lot": "Whether to sum up each lot, too.",
        "cursor_paging": "Which page of rows, and how large.",
        "from_date": "When the period begins. Default: with the pool.",
        "to_date": "When the period ends, exclusive. Default: now.",
    },
    statements.StatementSummary: {**_SIDES, "lots": "The same for each lot, if it was asked for."},
    statements.GetStatementResponse: {
        **_PERIOD,
        "rows": "The transactions of the period on this page.",
        "summary": "What the period adds up to. Only the first page has it.",
    },
    statements.GetStatementsRequest: {
        "by": "How long the periods are. Default: MONTH.",
        "from_date": "When the first period begins.",
        "namespace": "Only pools of this namespace.",
        "pool_definition_id": "Only pools of this pool definition.",
        "program_definition_id": "Only pools of this program definition.",
        "to_date": "When the last period ends, exclusive. Default, and at the latest: now.",
    },
    statements.StatementPeriod: {**_PERIOD, **_SIDES},
    statements.OutstandingPart: {
        "amount": "The credits.",
        "from_date": "Not before this instant. Absent: however early.",
        "to_date": "Before this instant. Absent: however late.",
    },
    statements.Outstanding: {
        "amount": "The credits that can be spent, and those that are reserved.",
        "by_age": "Those in lots, by when they began to count.",
        "by_pool_definition": "The same by pool definitions: the 100 with the most first.",
        "by_expiry": "Those that end, by when they do.",
        "date": "The instant that this is about: now.",
        "never_expires": "The credits that never end.",
        "pool_count": "How many pools there are, also those that have ended.",
        "without_age": "The credits in standard lots, which don't know when they came.",
    },
    statements.OutstandingOfDefinition: {
        "amount": "The credits of its pools that can be spent, and those that are reserved.",
        "pool_count": "How many pools it has, also those that have ended.",
        "pool_definition_id": "The pool definition.",
    },
    statements.GetActivityRequest: {
        "by": "How long the periods are. Default: MONTH.",
        "from_date": "When the first period begins.",
        "namespace": "Only pools of this namespace.",
        "pool_definition_id": "Only pools of this pool definition.",
        "program_definition_id": "Only pools of this program definition.",
        "to_date": "When the last period ends, exclusive. Default, and at the latest: now.",
    },
    statements.ActivityPeriod: {
        **_PERIOD,
        "figures": "What happened to the credits.",
        "transaction_count": "How many transactions that were.",
    },
    statements.ActivityHour: {
        "amount": "The credits that were spent.",
        "hour": "The hour: 0 to 23.",
        "redemption_count": "How many redemptions there were.",
        "week_day": "The weekday.",
    },
    statements.GetActivityResponse: {
        "from_date": "From when on all is counted: later than asked for if that was too much.",
        "hours": "The hours of the week in which something was redeemed, from Monday on.",
        "is_complete": "Whether all of the time is counted that was asked for.",
        "periods": "The periods, the earliest first.",
        "pool_count": "How many pools there are, also ended ones; counting stops at 10,000.",
        "to_date": "Until when all is counted, exclusive.",
    },
    statements.GetStatementsResponse: {
        "complete_until": "What happened before this instant is booked.",
        "outstanding": "What all the pools hold now.",
        "periods": "The periods, the earliest first.",
    },
    overviews.GetOverviewRequest: {
        "beneficiary": "Who has the programs.",
        "namespace": "Only programs of this namespace.",
    },
    overviews.OverviewBenefit: {
        "is_usable": "Whether the pool is active and has the credits for one item.",
        "payable_count": "For how many items the credits are enough. Absent if it costs nothing.",
        "price": "The price of one item.",
    },
    overviews.OverviewReservation: {
        "amount": "The credits that it holds.",
        "count": "How many items it holds them for.",
        "expiration_date": "Until when it holds them.",
        "external_reference": "What it belongs to elsewhere.",
        "id": "The id of the reservation: that of its transaction.",
    },
    overviews.NextExpiry: {
        "amount": "How many credits end then.",
        "date": "When they end.",
    },
    overviews.OverviewPool: {
        "amount": "The credits that can be spent now, and those that are reserved.",
        "benefits": "What the pool gives.",
        "lots": "The pool's lots that can be spent or are still to come, in the burn order.",
        "next_expiry": "When credits of the pool end next. Absent: none do.",
        "reservations": "What is set aside.",
        "status": "The status of the pool.",
        "unit_display_name": "What a credit is called.",
    },
    overviews.OverviewProgram: {
        "cycle": "The current cycle of its timetable. Absent if it has none.",
        "end_date": "When it ends by itself. Absent: it doesn't.",
        "next_renewal_date": "When it renews next by itself. Absent: it doesn't.",
        "paused_until_date": "When it resumes by itself. Absent: it doesn't.",
        "pools": "Its pools that haven't ended.",
        "status": "The status of the program.",
    },
    overviews.GetOverviewResponse: {
        "date": "The instant that this is about: now.",
        "has_more": "Whether there is more than an overview shows.",
        "person": "Who it is. Absent if nobody has said it, or the key may not read people.",
        "programs": "The programs that haven't ended.",
    },
}
