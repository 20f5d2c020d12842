"""Import people or programs: a file is judged first, and done when its report has been seen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from benefit_programs.api.errors import NotFoundRoute
from benefit_programs.console.imports import (
    PEOPLE_COLUMNS,
    PEOPLE_ROWS_MAX,
    PROGRAM_COLUMNS,
    PROGRAM_ROWS_MAX,
    Outcome,
    Report,
    import_people,
    import_programs,
)
from benefit_programs.console.languages import gettext as _
from benefit_programs.console.languages import later
from benefit_programs.console.page import GET, MANAGERS, POST, Answer, Done, Shown, page
from benefit_programs.console.visit import Visit
from benefit_programs.domain.errors import Invalid


class Kind(NamedTuple):
    """A kind of files: what its rows are, and what does them."""

    title: str
    about: str
    columns: tuple[str, ...]
    rows_max: int
    run: Callable[..., Awaitable[Report]]


KINDS = {
    "people": Kind(
        later("Import people"),
        later("One person a line. What a line doesn't say of somebody is removed."),
        PEOPLE_COLUMNS,
        PEOPLE_ROWS_MAX,
        import_people,
    ),
    "programs": Kind(
        later("Import programs"),
        later("One program a line. It begins with the credits of its definition."),
        PROGRAM_COLUMNS,
        PROGRAM_ROWS_MAX,
        import_programs,
    ),
}


@page(GET, "/bulk/import/{what}", roles=MANAGERS, template="import.html")
async def show(visit: Visit) -> Answer:
    return _shown(visit)


@page(POST, "/bulk/import/{what}", roles=MANAGERS, template="import.html", repeats=True)
async def take(visit: Visit) -> Answer:
    """A file that hasn't been seen yet is only judged. What was taken already stays as it is."""
    kind, form = _kind(visit), visit.form
    text = form.get("file", "") or form.get("text", "")
    if not text.strip():
        raise Invalid.because("file", _("is empty"))
    is_dry = "seen" not in form
    report = await kind.run(visit, text, is_dry=is_dry)
    if is_dry or report.findings:
        return _shown(visit, report, text if is_dry else "", is_done=not is_dry)
    return Done("/bulk", _summary(report))


def _kind(visit: Visit) -> Kind:
    """Raises NotFoundRoute for anything else."""
    kind = KINDS.get(visit.path["what"])
    if kind is None:
        raise NotFoundRoute
    return kind


def _shown(
    visit: Visit, report: Report | None = None, text: str = "", *, is_done: bool = False
) -> Shown:
    return {
        "what": visit.path["what"],
        "kind": _kind(visit),
        "report": report,
        "summary": _summary(report) if report else "",
        "text": text,
        "is_done": is_done,
    }


def _summary(report: Report) -> str:
    counts = {str(each).lower(): report.outcomes[each] for each in Outcome}
    return _(
        "%(created)s new, %(changed)s changed, %(unchanged)s as before, %(invalid)s not usable",
        **counts,
    )
