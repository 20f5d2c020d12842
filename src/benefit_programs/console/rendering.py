"""From what a page shows to HTML: templates, with the functions and filters that they may use."""

from __future__ import annotations

import secrets
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import uuid4

from jinja2 import ChainableUndefined, Environment, FileSystemLoader
from jinja2.utils import missing

from benefit_programs import __version__
from benefit_programs.console import formats, words
from benefit_programs.console.languages import LANGUAGE, gettext, later, ngettext
from benefit_programs.console.page import OPERATORS, Menu, Page
from benefit_programs.console.static_files import static_file
from benefit_programs.console.visit import VISIT, Visit, segment
from benefit_programs.domain.directory import Role

TEMPLATES = Path(__file__).parent / "templates"

NONCE_BYTES = 18

ROLE_NAMES = {
    Role.READER: later("Reader"),
    Role.FRONT_DESK: later("Front desk"),
    Role.MANAGER: later("Manager"),
    Role.OPERATOR: later("Operator"),
}


class _Absent(ChainableUndefined):
    """A field that an answer leaves out is empty; a name that nobody has given is a mistake."""

    def __bool__(self) -> bool:
        if self._undefined_obj is missing:
            self._fail_with_undefined_error()
        return False

    def __str__(self) -> str:
        if self._undefined_obj is missing:
            self._fail_with_undefined_error()
        return ""

    __html__ = __str__


def new_nonce() -> str:
    return secrets.token_urlsafe(NONCE_BYTES)


def security_headers(nonce: str) -> dict[str, str]:
    """What a browser may do with a page: load our own files, and nothing that was written into it.

    The referrer stays on this host: without any, browsers don't say where a form comes from.
    """
    policy = (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; "
        "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types htmx"
    )
    return {
        "content-security-policy": policy,
        "cache-control": "no-store",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
    }


def render(template: str, visit: Visit, menu: list[Page], shown: dict[str, Any]) -> bytes:
    """A page as UTF-8. The visit and the language are those of the context."""
    seen = [each for each in menu if visit.may(each)]
    groups = [
        [(each.menu, each.path) for each in some] for _reach, some in groupby(seen, key=_reach_of)
    ]
    return (
        _environment()
        .get_template(template)
        .render(visit=visit, menu=groups, language=LANGUAGE.get(), **shown)
        .encode()
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=_Absent,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    environment.install_gettext_callables(gettext, ngettext, newstyle=False)  # type: ignore[attr-defined]
    environment.globals.update(
        _=gettext,
        new_key=lambda: str(uuid4()),
        nonce=lambda: VISIT.get().nonce,
        role_name=lambda role: gettext(ROLE_NAMES[role]),
        static=_static,
        to=_to,
        version=__version__,
    )
    environment.filters.update(
        credits=formats.credits_text,
        day=formats.day,
        did=words.did_words,
        local=formats.local,
        last_day=formats.last_day,
        in_a_week=lambda instant: formats.later_by(instant, 7),
        entry=words.entry_words,
        entity=words.entity_words,
        figure=words.figure_words,
        job=words.job_words,
        method=words.method_words,
        principal=words.principal_words,
        said=words.said_reason,
        through=words.through_words,
        segment=segment,
        short_id=formats.short_id,
        signed=formats.signed,
        state=words.state_words,
        lasts=formats.through,
        until=formats.until,
        when=formats.when,
    )
    return environment


def _reach_of(page: Page) -> str:
    """For whom a page of the menu is: the desk, all who look at many, or operators alone."""
    if page.roles <= OPERATORS:
        return "service"
    return "desk" if Role.FRONT_DESK in page.roles else "studio"


def _to(path: str, **parameters: str | None) -> str:
    return VISIT.get().to(path, **parameters)


def _static(name: str) -> str:
    """The address of a file, which browsers may keep for ever. Raises LookupError."""
    file = static_file(name)
    if file is None:
        raise LookupError(name)
    return VISIT.get().to(f"/static/{name}", v=file.version)


def in_order(pages: list[Page]) -> list[Page]:
    """The pages of the menu."""
    placed: list[tuple[Menu, Page]] = [(each.menu, each) for each in pages if each.menu]
    return [each for _, each in sorted(placed, key=lambda entry: entry[0].order)]
