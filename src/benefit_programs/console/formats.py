"""Credits and instants as people read them, in their language and the tenant's time zone.

Templates use these as filters: ``{{ amount | credits }}``, ``{{ row.date | when }}``.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

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


def last_day(instant: str | None) -> Markup:
    """The day on which something ended."""
    return _marked(instant, date_text(_last_moment(instant))) if instant else Markup("")


def until(instant: str | None) -> Markup:
    """An end, which is exclusive: at midnight its last day, else date and time."""
    return _marked(instant, _end(instant)) if instant else Markup("")


def through(instant: str | None) -> Markup:
    """The same as a part of a sentence: ``through 30 Nov 2026``."""
    return _marked(instant, through_text(instant)) if instant else Markup("")


def through_text(instant: str) -> str:
    """The same as a text alone."""
    if _is_midnight(instant):
        return _("through %(day)s", day=_end(instant))
    return _("until %(time)s", time=_end(instant))


def _end(instant: str) -> str:
    if _is_midnight(instant):
        return date_text(_last_moment(instant))
    return _text(_there(instant), with_time=True)


def _is_midnight(instant: str) -> bool:
    return _there(instant).time() == time()


def _last_moment(end: str) -> datetime:
    """Just before an end."""
    last = datetime.fromisoformat(end).astimezone(UTC) - timedelta(milliseconds=1)
    return last.astimezone(VISIT.get().zone)


def day_text(instant: str) -> str:
    """A date of the tenant's zone, for sentences."""
    return _text(_there(instant), with_time=False)


def later_by(instant: str, days: int) -> str:
    """The same time of the tenant's zone some days later, as methods take it."""
    there = _there(instant)
    moved = (there.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=there.tzinfo)
    return moved.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _there(instant: str) -> datetime:
    return datetime.fromisoformat(instant).astimezone(VISIT.get().zone)


def _time(instant: str | None, *, with_time: bool) -> Markup:
    if not instant:
        return Markup("")
    return _marked(instant, _text(_there(instant), with_time=with_time))


def _text(there: datetime, *, with_time: bool) -> str:
    text = date_text(there)
    return f"{text}, {there:%H:%M}" if with_time else text


def date_text(there: datetime) -> str:
    """A day as a text alone."""
    return LANGUAGE.get().date.format(
        day=there.day, month=_(_MONTHS[there.month - 1]), year=there.year
    )


def _marked(instant: str, text: str) -> Markup:
    utc = datetime.fromisoformat(instant).astimezone(UTC)
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        f"{utc:%Y-%m-%dT%H:%M:%SZ}", f"{utc:%Y-%m-%d %H:%M}", text
    )


def month(local: datetime) -> str:
    """A month with its year."""
    return f"{_(_MONTHS[local.month - 1])} {local.year}"


def local(instant: str | None) -> str:
    """An instant for the field of a form: date and time of the tenant's zone."""
    if not instant:
        return ""
    return f"{_there(instant):%Y-%m-%dT%H:%M}"


def short_id(text: str) -> Markup:
    """The beginning of a long id, with the whole of it when pointed at."""
    if len(text) <= ID_LENGTH_MIN:
        return escape(text)
    return Markup('<span class="id" title="{}">{}…</span>').format(text, text[:ID_LENGTH_SHOWN])
