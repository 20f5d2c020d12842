"""One visit of a page: who has come, what was sent, and the way to the API's methods."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from benefit_programs.api.authentication import Principal
from benefit_programs.console.page import Page
from benefit_programs.domain.clocks import Clock
from benefit_programs.domain.directory import Role
from benefit_programs.domain.errors import Invalid, ViolatedRule

if TYPE_CHECKING:
    from benefit_programs.console.gate import Gate

ROOT = "/console"

PAGE_ROWS_MAX = 50
"""How many rows a page of a list has."""


class Fields(dict[str, str]):
    """What was sent, by name. A field that is asked for and isn't there is refused as invalid."""

    def __missing__(self, name: str) -> str:
        raise Invalid.because(name, "is required", ViolatedRule.REQUIRED_FIELD)

    def amount(self, name: str) -> str:
        """A decimal as methods take it, from one as people write it: also with a comma."""
        text = "".join(self[name].split())
        return text if "." in text else text.replace(",", ".")

    def instant(self, name: str, zone: ZoneInfo) -> str | None:
        """A date, or date and time, of a zone as methods take it; nothing for an empty field.

        A date alone means its beginning. Of a time that comes twice the first is meant.
        """
        text = self.get(name, "").strip()
        if not text:
            return None
        try:
            local = datetime.fromisoformat(text)
        except ValueError:
            raise Invalid.because(name, "must be a date", ViolatedRule.FORMAT) from None
        return f"{local.replace(tzinfo=zone).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

    def end(self, name: str, zone: ZoneInfo) -> str | None:
        """The end of a day of a zone as methods take it; nothing for an empty field.

        A field with the same name and ``-time`` names an earlier time of that day.
        """
        text = self.get(name, "").strip()
        if not text:
            return None
        if hour := self.get(f"{name}-time", "").strip():
            return Fields({name: f"{text}T{hour}"}).instant(name, zone)
        try:
            following = date.fromisoformat(text) + timedelta(days=1)
        except (ValueError, OverflowError):
            raise Invalid.because(name, "must be a date", ViolatedRule.FORMAT) from None
        return Fields({name: following.isoformat()}).instant(name, zone)


class CallMethod(Protocol):
    """Answers a method of the API."""

    def __call__(
        self, principal: Principal, name: str, request: dict[str, Any], *, request_id: str
    ) -> Awaitable[Any]: ...


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Somebody who has signed in."""

    name: str
    role: Role
    principal: Principal
    """What the API's methods see: ``console:`` and the user's id as the key, a user's identity."""
    session: str | None
    """The secret of the session; nothing for who comes through a proxy with single sign-on."""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A request of a page that its visitor may see."""

    page: Page | None
    visitor: Visitor | None
    """Only public pages, and errors, are shown to nobody."""

    clock: Clock | None = None
    """That of a sandbox, as it was when the visit began. Others go by real time."""

    prefix: str
    """Below which path a proxy has put the service."""

    request_id: str
    nonce: str
    address: str
    """Who asks: the address of the client, as a trusted proxy tells it or as it is."""

    origin: str
    """The address of the service without a path, as the browser sees it."""

    is_secure: bool
    """Whether the browser keeps secrets of this address: it is reached by TLS, or is loopback."""

    query: Fields
    path: Fields = field(default_factory=Fields)
    form: Fields = field(default_factory=Fields)
    flash: Mapping[str, Any] = field(default_factory=dict)
    """What the last change said, for this page to show."""

    choices: Mapping[str, str] = field(default_factory=dict)
    """Where a proxy names somebody whom several tenants know: these, by the ids of the users."""
    remarks: list[str] = field(default_factory=list)
    """What the page should say above all else, such as that names are missing; each once."""

    call_method: CallMethod
    gate: Gate
    """What signs people in and out."""

    async def call(self, name: str, request: dict[str, Any] | None = None) -> Any:
        """The answer of a method of the API, as JSON. Raises Refusal.

        The method sees the visitor as its caller, with the permission ids of the role.
        """
        return await self.call_method(
            self.principal, name, request or {}, request_id=self.request_id
        )

    def remark(self, words: str) -> None:
        """Say something at the top of this page."""
        if words not in self.remarks:
            self.remarks.append(words)

    @property
    def principal(self) -> Principal:
        assert self.visitor is not None, "a public page calls no methods"
        return self.visitor.principal

    @property
    def zone(self) -> ZoneInfo:
        """The tenant's time zone."""
        return ZoneInfo(self.visitor.principal.settings.time_zone if self.visitor else "UTC")

    @property
    def now(self) -> datetime:
        """The tenant's time, in its zone: that of a sandbox is its own."""
        real = self.gate.now()
        now = real if self.clock is None else self.clock.now(real)
        return datetime.fromtimestamp(now / 1000, self.zone)

    @property
    def is_sandbox(self) -> bool:
        return self.visitor is not None and self.visitor.principal.settings.is_sandbox

    def paging(self) -> dict[str, Any]:
        """The page of a list that the address asks for, as methods take it."""
        cursor = self.query.get("cursor")
        return {"limit": PAGE_ROWS_MAX} | ({"cursor": cursor} if cursor else {})

    def may(self, page: Page) -> bool:
        return page.is_public or self.may_as(page.roles)

    def may_as(self, roles: frozenset[Role]) -> bool:
        """Whether the visitor has one of these roles."""
        return self.visitor is not None and self.visitor.role in roles

    def to(self, path: str, **parameters: str | None) -> str:
        """The address of a page of the console."""
        return f"{self.prefix}{ROOT}{self.at(path, **parameters)}"

    def at(self, path: str, **parameters: str | None) -> str:
        """A path of the console with its query."""
        given = {name: each for name, each in parameters.items() if each is not None}
        return path + (f"?{urlencode(given)}" if given else "")


VISIT: ContextVar[Visit] = ContextVar("console_visit")
"""The visit that is answered, for the filters and functions of templates."""


def segment(text: str) -> str:
    """A text as one segment of a path."""
    return quote(text, safe="")
