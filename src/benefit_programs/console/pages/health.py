"""Health: what an engineer on call looks at first."""

from __future__ import annotations

from benefit_programs.console.languages import later
from benefit_programs.console.page import GET, OPERATORS, Answer, Menu, page
from benefit_programs.console.visit import Visit


@page(
    GET,
    "/health",
    roles=OPERATORS,
    template="health.html",
    menu=Menu(text=later("Health"), order=170, key="h"),
)
async def show(visit: Visit) -> Answer:
    found = await visit.call("getHealth")
    jobs, webhooks = found["jobs"], found["webhooks"]
    return {
        **found,
        "needs_somebody": bool(jobs.get("failedRecently") or webhooks.get("paused")),
    }
