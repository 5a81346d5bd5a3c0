"""Draws an index over time as a picture for people: a line of prices, bars of volume, and what is not published left open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from html import escape

WIDTH, HEIGHT = 960, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 24, 56, 48
_BARS = 70
_TICKS = 5


@dataclass(frozen=True)
class Point:
    """A day of a chart; ``price`` is None where nothing was published, ``is_final`` says that it does not change any more."""

    day: date
    price: Decimal | None
    volume: Decimal
    is_final: bool


@dataclass(frozen=True)
class _Scale:
    least: Decimal
    most: Decimal
    count: int

    def x(self, place: int) -> float:
        room = WIDTH - _LEFT - _RIGHT
        return _LEFT + room * (place / (self.count - 1) if self.count > 1 else 0.5)

    def y(self, price: Decimal) -> float:
        room = HEIGHT - _TOP - _BOTTOM - _BARS
        share = (price - self.least) / (self.most - self.least) if self.most > self.least else Decimal("0.5")
        return _TOP + room * (1 - float(share))


def draw_chart(title: str, unit: str, points: Sequence[Point], *, empty: str) -> str:
    """An SVG picture. ``empty`` is written where there is no price at all."""
    priced = [point.price for point in points if point.price is not None]
    parts = [_frame(title, unit)]
    if not priced:
        parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT / 2}" text-anchor="middle">{escape(empty)}</text>')
        return _close(parts)
    least, most = min(priced), max(priced)
    margin = max((most - least) / 10, most / 200)
    scale = _Scale(least - margin, most + margin, len(points))
    parts += [
        *_grid(scale),
        *_dates(scale, points),
        *_bars(scale, points),
        *_lines(scale, points),
        *_dots(scale, points),
    ]
    return _close(parts)


def _frame(title: str, unit: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="sans-serif" font-size="12">'
        f'<title>{escape(title)}</title><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
        f'<text x="{_LEFT}" y="26" font-size="17" font-weight="bold">{escape(title)}</text>'
        f'<text x="{_LEFT}" y="44" fill="#666">{escape(unit)}</text>'
    )


def _close(parts: list[str]) -> str:
    return "".join((*parts, "</svg>"))


def _grid(scale: _Scale) -> list[str]:
    made = []
    for tick in range(_TICKS):
        price = scale.least + (scale.most - scale.least) * tick / (_TICKS - 1)
        y = scale.y(price)
        made.append(f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        made.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{price:,.0f}</text>')
    return made


def _dates(scale: _Scale, points: Sequence[Point]) -> list[str]:
    step = max(1, len(points) // 6)
    return [
        f'<text x="{scale.x(place):.1f}" y="{HEIGHT - 16}" text-anchor="middle">{points[place].day.isoformat()}</text>'
        for place in range(0, len(points), step)
    ]


def _bars(scale: _Scale, points: Sequence[Point]) -> list[str]:
    most = max(point.volume for point in points)
    width = max(1.0, (WIDTH - _LEFT - _RIGHT) / len(points) * 0.6)
    floor = HEIGHT - _BOTTOM
    heights = [float(point.volume / most) * (_BARS - 10) if most else 0.0 for point in points]
    return [
        f'<rect x="{scale.x(place) - width / 2:.1f}" y="{floor - height:.1f}" '
        f'width="{width:.1f}" height="{height:.1f}" fill="#bcd"/>'
        for place, height in enumerate(heights)
        if height
    ]


def _lines(scale: _Scale, points: Sequence[Point]) -> list[str]:
    """One line for each run of days that have a price: nothing is drawn across what was not published."""
    runs: list[list[str]] = [[]]
    for place, point in enumerate(points):
        if point.price is None:
            runs.append([])
        else:
            runs[-1].append(f"{scale.x(place):.1f},{scale.y(point.price):.1f}")
    return [
        f'<polyline points="{" ".join(run)}" fill="none" stroke="#246" stroke-width="2"/>'
        for run in runs
        if len(run) > 1
    ]


def _dots(scale: _Scale, points: Sequence[Point]) -> list[str]:
    """A dot for each day, hollow while it is provisional."""
    return [
        f'<circle cx="{scale.x(place):.1f}" cy="{scale.y(point.price):.1f}" r="3" stroke="#246" '
        f'fill="{"#246" if point.is_final else "#fff"}"><title>{point.day.isoformat()}: {point.price:,f}</title></circle>'
        for place, point in enumerate(points)
        if point.price is not None
    ]
