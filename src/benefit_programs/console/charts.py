"""Charts as SVG, drawn on the server: they print, and follow light and dark by their classes.

A chart is a picture of a table that stands beneath it, so its label names it and no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from markupsafe import Markup

from benefit_programs.console.formats import credits_text, date_text
from benefit_programs.console.languages import gettext as _

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 28
TICKS = 4
LABELS_MAX = 12
LOT_HEIGHT = 26
LOTS_MAX = 12


class Group(NamedTuple):
    """What stands at one place of a chart of columns: a value for each series."""

    label: str
    values: tuple[Decimal, ...]


def columns(groups: Sequence[Group], *, label: str) -> Markup:
    """Columns side by side: one for each series at each place."""
    top = _round_up(max((value for each in groups for value in each.values), default=Decimal(0)))
    width = (WIDTH - LEFT - RIGHT) / max(len(groups), 1)
    parts = [*_grid(top)]
    every = -(-len(groups) // LABELS_MAX)
    for place, (name, values) in enumerate(groups):
        own = min(width * 0.8 / len(values), 28)
        start = LEFT + place * width + (width - own * len(values)) / 2
        for number, value in enumerate(values):
            height = _height(max(value, Decimal(0)), top)
            parts.append(
                Markup('<rect class="c{}" x="{}" y="{}" width="{}" height="{}" rx="2"/>').format(
                    number,
                    _at(start + number * own),
                    _at(HEIGHT - BOTTOM - height),
                    _at(max(own - 1, 1)),
                    _at(height),
                )
            )
        if place % every == 0:
            parts.append(_text(LEFT + (place + 0.5) * width, HEIGHT - 8, name, "middle"))
    return _svg(parts, HEIGHT, label)


def bar(value: Decimal, largest: Decimal) -> Markup:
    """A bar in the cell of a table, which says the number itself."""
    width = float(value / largest * 100) if largest > 0 else 0
    return Markup(
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="c0" width="{}" height="8"/></svg>'
    ).format(_at(width))


def level(value: int, largest: int) -> int:
    """How strong the colour of a cell is: 0 for nothing to 4 for the most."""
    return 0 if value <= 0 or largest <= 0 else max(-(-value * 4 // largest), 1)


def balance(statement: dict[str, Any], *, since: datetime, until: datetime) -> Markup | None:
    """What could be spent at any time, as steps; nothing for a pack in which nothing happened."""
    rows = statement.get("rows", [])
    opening = Decimal(((statement.get("summary") or {}).get("opening") or {}).get("available", "0"))
    # Of what happened in one instant, such as a renewal, only the end is drawn.
    after = {since: opening}
    after |= {
        datetime.fromisoformat(each["date"]): Decimal(each["availableAfter"]) for each in rows
    }
    points = list(after.items())
    points.append((until, points[-1][1]))
    top = _round_up(max(value for _at_, value in points))
    if top == 0 and not rows:
        return None
    drawn = " ".join(
        f"H{_at(_x(at, since, until))} V{_at(HEIGHT - BOTTOM - _height(value, top))}"
        for at, value in points
    )
    first = HEIGHT - BOTTOM - _height(points[0][1], top)
    line = f"M{LEFT} {_at(first)} {drawn}"
    ground = HEIGHT - BOTTOM
    area = f"{line} V{ground} H{LEFT} Z"
    parts = [
        *_grid(top),
        Markup('<path class="area" d="{}"/><path class="line" d="{}"/>').format(area, line),
        *_dates(since, until, HEIGHT - 8),
    ]
    return _svg(parts, HEIGHT, _("What was left, day by day"))


def lots(found: Sequence[dict[str, Any]], *, since: datetime, until: datetime) -> Markup | None:
    """From when until when lots can be spent that end; nothing if there are none."""
    shown = [each for each in found if each.get("expirationDate")][:LOTS_MAX]
    if not shown:
        return None
    begins = [
        datetime.fromisoformat(each.get("effectiveDate") or each["createdDate"]) for each in shown
    ]
    ends = [datetime.fromisoformat(each["expirationDate"]) for each in shown]
    zone, since = since.tzinfo, max(since, min((*begins, until)))
    since, last = since.astimezone(zone), max((*ends, until)).astimezone(zone)
    parts = []
    for number, (lot, begin, end) in enumerate(zip(shown, begins, ends, strict=True)):
        x, y = _x(max(begin, since), since, last), TOP + number * LOT_HEIGHT
        parts += [
            Markup('<rect class="c0" x="{}" y="{}" width="{}" height="14" rx="3"/>').format(
                _at(x), y, _at(max(_x(end, since, last) - x, 2))
            ),
            _text(LEFT - 8, y + 11, credits_text(lot["available"]), "end"),
        ]
    height = TOP + len(shown) * LOT_HEIGHT + BOTTOM
    x = _x(until, since, last)
    parts.append(
        Markup('<line class="now" x1="{x}" x2="{x}" y1="4" y2="{y}"/>').format(
            x=_at(x), y=height - BOTTOM
        )
    )
    parts += _dates(since, last, height - 8)
    return _svg(parts, height, _("Until when the lots can be spent; the line is now"))


def _svg(parts: Iterable[Markup], height: int, label: str) -> Markup:
    return Markup(
        '<svg class="chart" role="img" viewBox="0 0 {} {}" aria-label="{}">{}</svg>'
    ).format(WIDTH, height, label, Markup("").join(parts))


def _grid(top: Decimal) -> Iterable[Markup]:
    for tick in range(TICKS + 1):
        value = top * tick / TICKS
        y = HEIGHT - BOTTOM - _height(value, top)
        yield Markup('<line class="grid" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(
            LEFT, WIDTH - RIGHT, y=_at(y)
        )
        yield _text(LEFT - 8, y + 4, credits_text(f"{value.normalize():f}"), "end")


def _dates(since: datetime, until: datetime, y: float) -> Iterable[Markup]:
    step = (until - since) / TICKS
    edges = [since + step * number for number in range(TICKS + 1)]
    for number, (at, _next) in enumerate(pairwise((*edges, until))):
        anchor = "start" if number == 0 else "end" if number == TICKS else "middle"
        yield _text(_x(at, since, until), y, date_text(at), anchor)


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(
        _at(x), _at(y), anchor, text
    )


def _x(at: datetime, since: datetime, until: datetime) -> float:
    share = (at - since) / (until - since) if until > since else 0
    return LEFT + min(max(share, 0), 1) * (WIDTH - LEFT - RIGHT)


def _height(value: Decimal, top: Decimal) -> float:
    return float(value / top) * (HEIGHT - TOP - BOTTOM) if top > 0 else 0


def _round_up(value: Decimal) -> Decimal:
    """The least of 1, 2 and 4 times a power of ten that isn't less, so that ticks are round."""
    if value <= 0:
        return Decimal(0)
    power = Decimal(10) ** value.adjusted()
    return next(step * power for step in (1, 2, 4, 8, 10) if step * power >= value)


def _at(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
