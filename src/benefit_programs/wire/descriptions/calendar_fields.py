"""What the dates of a program hold, in types of the contract."""

from __future__ import annotations

OF_DEFINITION = {
    "end_date": "When its programs end. Excludes `endsAfter`. Absent: not by themselves.",
    "ends_after": "How long after they begin its programs end. Excludes `endDate`.",
    "paused_days_max": (
        "For how many days of a calendar year its programs may be paused; then they resume by"
        " themselves. Absent: for any time."
    ),
    "renewal_configuration": "When its programs renew by themselves. Absent: never.",
    "while_paused": (
        "What a pause does to their dates: with RUN they stay and nothing renews, with STOP all"
        " of them move by the time of the pause. Default: RUN."
    ),
}

OF_PROGRAM = {
    "end_date": "When it ends by itself. Absent: never.",
    "paused_days_max": (
        "For how many days of a calendar year it may be paused; then it resumes by itself."
        " Absent: for any time."
    ),
    "renewal_configuration": "When it renews by itself. Absent: never.",
    "while_paused": (
        "What a pause does to its dates: with RUN they stay and nothing renews, with STOP all of"
        " them move by the time of the pause. Absent: RUN."
    ),
}

OF_ANSWERED_PROGRAM = {
    **OF_PROGRAM,
    "cycle": "The current cycle of its timetable. Absent if it has none.",
    "next_renewal_date": "When its next cycle begins. Absent if none follows.",
    "paused_since_date": "Since when it is paused. Absent if it isn't, or has no dates.",
    "paused_until_date": "When it resumes by itself. Absent if it doesn't.",
}

_INSTEAD = " Absent: what the program definition says."

OF_PROVISIONING = {
    "end_date": f"When it ends. Excludes `endsAfter`.{_INSTEAD}",
    "ends_after": f"How long after now it ends. Excludes `endDate`.{_INSTEAD}",
    "paused_days_max": f"For how many days of a calendar year it may be paused.{_INSTEAD}",
    "renewal_configuration": f"When it renews by itself.{_INSTEAD}",
    "while_paused": f"Whether a pause stops the clock of its dates.{_INSTEAD}",
}
