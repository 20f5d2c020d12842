"""What each field of the audit holds."""

from __future__ import annotations

from typing import Any

from benefit_programs.wire.types import audit

OF_AUDIT: dict[type[Any], dict[str, str]] = {
    audit.Principal: {
        "id": (
            "Which one: the id of the key or of the job, or the name of the user. Absent for what"
            " happens by itself."
        ),
        "kind": "What kind of principal it is, which also says through what the change came.",
        "name": "The name of the key, if it is one.",
        "stands_for": "The identity that the key stands for, if it is one.",
    },
    audit.AuditEntry: {
        "beneficiary": "Whose program or pool it concerns, as it is now.",
        "changed_count": "How many entities were changed.",
        "created_date": "When it was done.",
        "entity_id": (
            "The entity that the change was about, or the first one. Absent if several were"
            " changed by themselves, or if it has no id."
        ),
        "entity_type": "What kind of entity the change was about.",
        "id": "The id of the entry; that of a transaction's entry is the transaction's own.",
        "method": "The method that was called, or the kind of job.",
        "pool_id": "The pool that it concerns.",
        "principal": "Who did it.",
        "program_id": "The program that it concerns.",
        "reason": "Why, as the request said.",
        "request_id": "The id of the request, which logs have too.",
    },
    audit.QueryAuditEntriesResponse: {"audit_entries": "The entries of this page."},
}
