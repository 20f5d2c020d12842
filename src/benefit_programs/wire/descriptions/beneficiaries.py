"""What the fields of beneficiaries' own methods hold. See ``descriptions``."""

from __future__ import annotations

from typing import Any

from benefit_programs.wire.types import beneficiaries

OF_BENEFICIARIES: dict[type[Any], dict[str, str]] = {
    beneficiaries.EraseBeneficiaryRequest: {"beneficiary": "Who is erased."},
    beneficiaries.EraseBeneficiaryResponse: {
        "beneficiary": "The pseudonym that stands for the person from now on."
    },
    beneficiaries.MergeBeneficiaryRequest: {
        "visitor": "The anonymous visitor whose programs move.",
        "beneficiary": "Who gets them: a member or a Wix user.",
    },
    beneficiaries.ExportBeneficiaryRequest: {
        "beneficiary": "Whose records to read.",
        "cursor_paging": "Which page, and how large.",
    },
    beneficiaries.ExportBeneficiaryResponse: {"records": "The records of this page."},
    beneficiaries.KeptRecord: {
        "person": "Who the beneficiary is. Absent if nobody has said it.",
        "program": "A program of the beneficiary.",
        "pool": "A pool of the beneficiary.",
        "balance": "The balance of that pool.",
        "transaction": "A transaction of one of the pools.",
        "used_rate_limit": "What was used of a rate limit of one of the pools.",
        "lot": "A lot of one of the pools.",
        "reservation": "A reservation of one of the pools.",
        "event": "An event of one of the programs, pools or lots.",
        "job": "A job that worked on some of them.",
        "job_items": "What that job did with the beneficiary's programs and pools.",
    },
    beneficiaries.UsedRateLimit: {
        "quota_id": "The id of the rate limit.",
        "period_start": (
            "The local date under which the uses are counted. Absent if the limit rolls."
        ),
        "used_at": "The instant of the uses if the limit rolls, or of the cycle that it counts in.",
        "used": "How many items were redeemed then.",
    },
    beneficiaries.KeptLot: {
        "origin": "What brought its credits.",
        "status": "Whether it is still to come, live, spent or expired.",
        "granted": "What came.",
        "available": "What can be spent of it.",
        "reserved": "What reservations hold of it.",
        "effective_date": "From when on it counts.",
        "expiration_date": "Until when it counts; never without one.",
        "display_name": "What the caller calls it.",
        "external_reference": "What the caller refers to by it.",
        "additional_data": "What the caller says of it.",
    },
    beneficiaries.KeptReservation: {
        "status": "Whether it is open, captured, canceled or lapsed.",
        "count": "How many items were reserved.",
        "captured_count": "How many of them were captured.",
        "price": "What each item costs.",
        "expiration_date": "When it lapses.",
        "external_reference": "What the caller refers to by it.",
    },
    beneficiaries.KeptEvent: {
        "entity": "The kind of entity that it tells of: program, pool, lot or balance.",
        "sequence": "Its number among the events of the entity.",
        "slug": "What happened; several joined by a plus sign are as many events.",
        "body": "What it says, as stored: amounts in 1/10,000 credit, instants in milliseconds.",
    },
}
