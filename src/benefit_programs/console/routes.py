"""All pages, collected from the modules of the functions that answer them."""

from __future__ import annotations

from benefit_programs.console.page import Page
from benefit_programs.console.pages import (
    bulk,
    definitions,
    entry,
    figures,
    files,
    find,
    grants,
    ledger,
    move,
    packs,
    person,
    program_definitions,
    programs,
    records,
    redeem,
    sell,
    sign_in,
    today,
    use,
)

_FAMILIES = (
    *(find, person, packs, entry, use, records, sign_in),
    *(today, redeem, sell, bulk, files, grants, move),
    *(programs, definitions, program_definitions, ledger, figures),
)

PAGES = [each for family in _FAMILIES for each in vars(family).values() if isinstance(each, Page)]
"""Every page. Of two whose paths fit, the first answers."""

MENU = sorted((each for each in PAGES if each.menu), key=lambda page: page.menu.order)  # type: ignore[union-attr]
