"""All pages, collected from the modules of the functions that answer them."""

from __future__ import annotations

from benefit_programs.console.page import Page
from benefit_programs.console.pages import (
    access,
    audit,
    find,
    health,
    jobs,
    person,
    settings,
    sign_in,
    webhooks,
)

_FAMILIES = (find, person, audit, jobs, webhooks, access, settings, health, sign_in)

PAGES = [each for family in _FAMILIES for each in vars(family).values() if isinstance(each, Page)]
"""Every page. Of two whose paths fit, the first answers."""

MENU = sorted((each for each in PAGES if each.menu), key=lambda page: page.menu.order)  # type: ignore[union-attr]
