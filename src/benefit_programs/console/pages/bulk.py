"""Bulk: what concerns many people at once."""

from __future__ import annotations

from benefit_programs.console.languages import later
from benefit_programs.console.page import GET, MANAGERS, Answer, Menu, page
from benefit_programs.console.visit import Visit

TASKS = (
    (
        "/bulk/move",
        later("Move dates"),
        later("All packs of a definition end some days later, or earlier."),
    ),
    ("/bulk/grant", later("Give credits to all"), later("All active packs of a kind get some.")),
    (
        "/bulk/import/people",
        later("Import people"),
        later("Names, e-mail addresses and telephone numbers from a file."),
    ),
    (
        "/bulk/import/programs",
        later("Import programs"),
        later("Sell to many members, from a file of orders."),
    ),
)


@page(
    GET,
    "/bulk",
    roles=MANAGERS,
    template="bulk.html",
    menu=Menu(text=later("Many at once"), order=110, key="b"),
)
async def show(_visit: Visit) -> Answer:
    return {"tasks": TASKS}
