"""Jobs: how far they are, why they failed, and how they go on."""

from __future__ import annotations

from typing import Any

from benefit_programs.console.languages import gettext as _
from benefit_programs.console.languages import later
from benefit_programs.console.page import GET, OPERATORS, POST, Answer, Done, Menu, page
from benefit_programs.console.visit import Visit, segment
from benefit_programs.domain.job_commands import CANCELED

FAILED_MAX = 10
"""How many of those that have failed stand above the others."""

_VIEWS = {"": {}, "running": {"status": {"$in": ["INITIALIZED", "PROCESSING"]}}} | {
    "failed": {"status": "FAILED"}
}
CASCADES = frozenset({"UPDATE_POOLS", "END_POOLS", "ADD_POOLS", "KEEP_POOLS", "END_PROGRAMS"})
"""What can be given up half-way."""


@page(
    GET,
    "/jobs",
    roles=OPERATORS,
    template="jobs.html",
    menu=Menu(text=later("Jobs"), order=130, key="j"),
)
async def show(visit: Visit) -> Answer:
    """What has failed comes first, however long ago, so that nobody has to look for it."""
    view = visit.query.get("show", "")
    is_beginning = not view and not visit.query.get("cursor")
    failed = await _found(visit, "failed", {"limit": FAILED_MAX}) if is_beginning else {}
    found = await _found(visit, view, visit.paging())
    first = [each for each in map(_shown, failed.get("jobs", ())) if each["is_retryable"]]
    ids = {each["id"] for each in first}
    return {
        "view": view,
        "failed": first,
        "jobs": [_shown(each) for each in found.get("jobs", ()) if each["id"] not in ids],
        "metadata": found.get("metadata"),
    }


async def _found(visit: Visit, view: str, paging: dict[str, Any]) -> Any:
    query = {"filter": _VIEWS.get(view, {}), "cursorPaging": paging}
    return await visit.call("queryAsyncJobs", {"query": query})


@page(GET, "/jobs/{id}", roles=OPERATORS, template="job.html")
async def one(visit: Visit) -> Answer:
    job_id = visit.path["id"]
    found = await visit.call("getAsyncJob", {"jobId": job_id})
    items = await visit.call("listAsyncJobItems", {"jobId": job_id, "paging": visit.paging()})
    return {
        "job": _shown(found["job"]),
        "items": items.get("jobItems", []),
        "metadata": items.get("metadata"),
    }


@page(POST, "/jobs/{id}/retry", roles=OPERATORS)
async def retry(visit: Visit) -> Answer:
    await visit.call("retryAsyncJob", {"jobId": visit.path["id"]})
    return Done(f"/jobs/{segment(visit.path['id'])}", _("The job goes on where it stopped."))


@page(POST, "/jobs/{id}/cancel", roles=OPERATORS)
async def cancel(visit: Visit) -> Answer:
    await visit.call("cancelAsyncJob", {"jobId": visit.path["id"]})
    return Done(
        f"/jobs/{segment(visit.path['id'])}", _("The job is given up. What it has done stays.")
    )


def _shown(job: dict[str, Any]) -> dict[str, Any]:
    """A job with what can be done about it."""
    kind, reason = job["metadata"]["kind"], job["metadata"].get("reason")
    is_given_up = reason == CANCELED
    counts = job.get("counts", {})
    return {
        **job,
        "status": "CANCELED" if is_given_up else job["status"],
        "kind": kind,
        "subject": job["metadata"]["subjectId"],
        "reason": None if is_given_up else reason,
        "succeeded": counts.get("successCount") or 0,
        "failed": counts.get("failCount") or 0,
        "errors": counts.get("errorByCodeCount") or {},
        "is_retryable": job["status"] == "FAILED" and not is_given_up,
        "is_cancelable": kind in CASCADES and job["status"] != "FINISHED" and not is_given_up,
    }
