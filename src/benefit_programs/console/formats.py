"""Credits and instants as people read them, in their language and the tenant's time zone.

Templates use these as filters: ``{{ amount | credits }}``, ``{{ row.date | when }}``.
"""

from __future__ import annotations

from datetime import UTC, datetime

from markupsafe import Markup, escape

from benefit_programs.console.languages import LANGUAGE, later
from benefit_programs.console.languages import gettext as _
from benefit_programs.console.visit import VISIT

_MONTHS = (
    *(later("Jan"), later("Feb"), later("Mar"), later("Apr"), later("May"), later("Jun")),
    *(later("Jul"), later("Aug"), later("Sep"), later("Oct"), later("Nov"), later("Dec")),
)

ID_LENGTH_SHOWN = 8
ID_LENGTH_MIN = 24
"""How long ids may be that are shown whole."""

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"


def credits_text(amount: str | None) -> str:
    """An amount of the wire with the marks of the language: ``1,234.5``."""
    sign, digits = (MINUS, (amount or "0")[1:]) if (amount or "").startswith("-") else ("", amount)
    whole, _dot, rest = (digits or "0").partition(".")
    language = LANGUAGE.get()
    grouped = f"{int(whole):,}".replace(",", language.group)
    return f"{sign}{grouped}" + (f"{language.decimal}{rest}" if rest.strip("0") else "")


def signed(amount: str | None) -> str:
    """The same with its sign, for what was added or taken: ``+2``."""
    text = credits_text(amount)
    return text if text.startswith(MINUS) or text == "0" else f"+{text}"


def when(instant: str | None) -> Markup:
    """An instant of the wire as date and time of the tenant's zone; UTC when pointed at."""
    return _time(instant, with_time=True)


def day(instant: str | None) -> Markup:
    """The same without the time."""
    return _time(instant, with_time=False)


def _time(instant: str | None, *, with_time: bool) -> Markup:
    if not instant:
        return Markup("")
    there = datetime.fromisoformat(instant)
    local = there.astimezone(VISIT.get().zone)
    text = day_text(local)
    if with_time:
        text = f"{text}, {local:%H:%M}"
    utc = there.astimezone(UTC)
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        f"{utc:%Y-%m-%dT%H:%M:%SZ}", f"{utc:%Y-%m-%d %H:%M}", text
    )


def day_text(local: datetime) -> str:
    """A day as a text alone, for charts."""
    return LANGUAGE.get().date.format(
        day=local.day, month=_(_MONTHS[local.month - 1]), year=local.year
    )


def month(local: datetime) -> str:
    """A month with its year."""
    return f"{_(_MONTHS[local.month - 1])} {local.year}"


def local(instant: str | None) -> str:
    """An instant for the field of a form: date and time of the tenant's zone."""
    if not instant:
        return ""
    return f"{datetime.fromisoformat(instant).astimezone(VISIT.get().zone):%Y-%m-%dT%H:%M}"


def short_id(text: str) -> Markup:
    """The beginning of a long id, with the whole of it when pointed at."""
    if len(text) <= ID_LENGTH_MIN:
        return escape(text)
    return Markup('<span class="id" title="{}">{}…</span>').format(text, text[:ID_LENGTH_SHOWN])
