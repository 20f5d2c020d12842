"""All pages, collected from the modules of the functions that answer them."""

from __future__ import annotations

from benefit_programs.console.page import Page
from benefit_programs.console.pages import (
    bulk,
    files,
    find,
    grants,
    move,
    person,
    redeem,
    sell,
    sign_in,
    today,
)

_FAMILIES = (bulk, files, find, grants, move, person, redeem, sell, sign_in, today)

PAGES = [each for family in _FAMILIES for each in vars(family).values() if isinstance(each, Page)]
"""Every page. Of two whose paths fit, the first answers."""

MENU = sorted((each for each in PAGES if each.menu), key=lambda page: page.menu.order)  # type: ignore[union-attr]
