"""All pages, collected from the modules of the functions that answer them."""

from __future__ import annotations

from benefit_programs.console.page import Page
from benefit_programs.console.pages import (
    access,
    audit,
    bulk,
    definitions,
    entry,
    figures,
    files,
    find,
    grants,
    health,
    jobs,
    ledger,
    move,
    packs,
    person,
    program_definitions,
    programs,
    records,
    redeem,
    sell,
    settings,
    sign_in,
    today,
    use,
    webhooks,
)

_FAMILIES = (
    *(find, person, packs, entry, use, records, sign_in),
    *(today, redeem, sell, bulk, files, grants, move),
    *(programs, definitions, program_definitions, ledger, figures),
    *(audit, jobs, webhooks, access, settings, health),
)

PAGES = [each for family in _FAMILIES for each in vars(family).values() if isinstance(each, Page)]
"""Every page. Of two whose paths fit, the first answers."""

MENU = sorted((each for each in PAGES if each.menu), key=lambda page: page.menu.order)  # type: ignore[union-attr]
