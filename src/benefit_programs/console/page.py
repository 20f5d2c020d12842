"""A page of the console: one row, which stands right above the function that answers it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from benefit_programs.domain.directory import Role

if TYPE_CHECKING:
    from benefit_programs.console.visit import Visit

Verb = Literal["GET", "POST"]
GET: Literal["GET"] = "GET"
POST: Literal["POST"] = "POST"

PUBLIC: frozenset[Role] = frozenset()
"""For nobody in particular: who hasn't signed in may see it."""

OPERATORS = frozenset({Role.OPERATOR})
MANAGERS = OPERATORS | {Role.MANAGER}
FRONT_DESK = MANAGERS | {Role.FRONT_DESK}
EVERYBODY = FRONT_DESK | {Role.READER}
BACK_OFFICE = MANAGERS | {Role.READER}
"""Who looks at all members together, which the front desk needn't."""


@dataclass(frozen=True, kw_only=True)
class Undo:
    """A change that takes back the one that was just made: a path of a POST, and its fields."""

    path: str
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Done:
    """The answer of a POST: where to go on, and what to say there."""

    path: str
    said: str = ""
    undo: Undo | None = None


@dataclass(frozen=True)
class SignedIn(Done):
    """The beginning of a session, or with an empty secret its end."""

    session: str = ""


@dataclass(frozen=True)
class File:
    """An answer that is no page, such as CSV."""

    body: bytes
    media_type: str
    name: str


Shown = Mapping[str, Any]
"""What the template of a page gets."""

Answer = Shown | Done | File
Handler = Callable[["Visit"], Awaitable[Answer]]


@dataclass(frozen=True, kw_only=True)
class Menu:
    """The place of a page in the menu: its words, its order, and the key after ``g``."""

    text: str
    order: int
    key: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page: what it is called by, who may call it, and what answers it."""

    verb: Verb
    path: str
    roles: frozenset[Role]
    template: str | None
    menu: Menu | None
    handler: Handler
    repeats: bool = False
    """Whether a form may be done again when it is sent again: nothing comes of that."""
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path)
        object.__setattr__(self, "pattern", re.compile(pattern))

    @property
    def is_public(self) -> bool:
        return not self.roles


def page(
    verb: Verb,
    path: str,
    *,
    roles: frozenset[Role],
    template: str | None = None,
    menu: Menu | None = None,
    repeats: bool = False,
) -> Callable[[Handler], Page]:
    """Make the function below a page. A GET needs a template, unless it gives a file.

    A form that is sent again is not done again, unless it ``repeats``.
    """

    def row(handler: Handler) -> Page:
        return Page(
            verb=verb,
            path=path,
            roles=roles,
            template=template,
            menu=menu,
            handler=handler,
            repeats=repeats,
        )

    return row
