"""Whether a database keeps the invariants of docs/invariants.md, and which rows break one."""

from benefit_programs.storage.verification.checks import INVARIANTS, SAMPLES_MAX
from benefit_programs.storage.verification.contents import Contents, read_contents
from benefit_programs.storage.verification.run import (
    CHECKS,
    PROGRESS_WHOLE,
    Progress,
    Report,
    VerifiableStore,
    Violation,
    verify,
    verify_store,
)

__all__ = [
    "CHECKS",
    "INVARIANTS",
    "PROGRESS_WHOLE",
    "SAMPLES_MAX",
    "Contents",
    "Progress",
    "Report",
    "VerifiableStore",
    "Violation",
    "read_contents",
    "verify",
    "verify_store",
]
