"""Line charts as SVG: text stays text, equal input gives equal bytes, and the colours fit a light and a dark page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 790, 420
LEFT, RIGHT, TOP, BOTTOM = 76, 248, 72, 54
#: The least distance of two labels, in pixels.
LABEL_HEIGHT = 17
#: The colours of the lines on a light and on a dark page. The first is ours.
COLOURS = (
    ("#0b5cad", "#6cb6ff"),
    ("#b4540a", "#f0a35e"),
    ("#1a7f37", "#56d364"),
    ("#8a3ffc", "#c297ff"),
    ("#a40e4c", "#ff8fb3"),
    ("#57606a", "#9da7b1"),
    ("#7a6400", "#d9c14b"),
    ("#007a80", "#4fd1d6"),
)


@dataclass(frozen=True)
class Series:
    """A line: its name and its points."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Chart:
    """A chart. The vertical axis shows seconds and is logarithmic, for the lines are far apart."""

    title: str
    x_title: str
    series: tuple[Series, ...]
    #: Whether the horizontal axis is logarithmic, too.
    x_is_logarithmic: bool = False
    #: What follows a number on the horizontal axis.
    x_unit: str = ""

    def svg(self) -> str:
        """Draw it."""
        parts = [*self._head(), *self._x_axis(), *self._y_axis(), *self._lines(), *self._labels(), "</svg>"]
        return "\n".join(parts) + "\n"

    def _head(self) -> list[str]:
        names = ", ".join(one.name for one in self.series)
        light = "".join(
            f".l{index} {{ stroke: {one} }} .d{index} {{ fill: {one} }} " for index, (one, _) in _numbered()
        )
        dark = "".join(f".l{index} {{ stroke: {one} }} .d{index} {{ fill: {one} }} " for index, (_, one) in _numbered())
        return [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
            'role="img" aria-labelledby="title description">',
            f'<title id="title">{escape(self.title)}</title>',
            f'<desc id="description">{escape(f"Time against {self.x_title}, of {names}.")}</desc>',
            "<style>",
            "text { font: 13px system-ui, sans-serif; fill: #1f2328 } .title { font-size: 16px; font-weight: 600 }",
            ".page { fill: #ffffff } .grid { stroke: #d8dee4 } .line { fill: none; stroke-width: 2 }",
            ".ours { stroke-width: 3.5 } .lead { stroke-width: 1; stroke-dasharray: 2 2 } .quiet { fill: #57606a }",
            light.strip(),
            "@media (prefers-color-scheme: dark) {",
            "text { fill: #e6edf3 } .page { fill: #0d1117 } .grid { stroke: #30363d } .quiet { fill: #9da7b1 }",
            dark.strip(),
            "}",
            "</style>",
            f'<rect class="page" width="{WIDTH}" height="{HEIGHT}" rx="6"/>',
            f'<text class="title" x="20" y="30">{escape(self.title)}</text>',
            '<text class="quiet" x="20" y="52">time, on a logarithmic scale</text>',
        ]

    def _x_axis(self) -> list[str]:
        bottom = HEIGHT - BOTTOM
        parts = []
        for value in sorted({x for one in self.series for x, _ in one.points}):
            x = _number(self._x(value))
            parts.append(f'<line class="grid" x1="{x}" y1="{TOP}" x2="{x}" y2="{bottom}"/>')
            parts.append(
                f'<text class="quiet" x="{x}" y="{bottom + 20}" text-anchor="middle">{value:,.0f}{self.x_unit}</text>'
            )
        middle = _number((LEFT + WIDTH - RIGHT) / 2)
        return [*parts, f'<text x="{middle}" y="{HEIGHT - 12}" text-anchor="middle">{escape(self.x_title)}</text>']

    def _y_axis(self) -> list[str]:
        parts = []
        for value in self._y_marks():
            y = self._y(value)
            parts.append(f'<line class="grid" x1="{LEFT}" y1="{_number(y)}" x2="{WIDTH - RIGHT}" y2="{_number(y)}"/>')
            text = f"{value:g} s" if value >= 1 else f"{value * 1000:g} ms"
            parts.append(f'<text class="quiet" x="{LEFT - 10}" y="{_number(y + 4)}" text-anchor="end">{text}</text>')
        return parts

    def _lines(self) -> list[str]:
        parts = []
        for index, one in enumerate(self.series):
            points = [(_number(self._x(x)), _number(self._y(y))) for x, y in one.points]
            kind = "line ours" if index == 0 else "line"
            parts.append(f'<polyline class="{kind} l{index}" points="{" ".join(f"{x},{y}" for x, y in points)}"/>')
            parts += [f'<circle class="d{index}" cx="{x}" cy="{y}" r="3.5"/>' for x, y in points]
        return parts

    def _labels(self) -> list[str]:
        """Name each line at its end. At the edge, as near as the other names let it."""
        last = max(x for one in self.series for x, _ in one.points)
        ends = []
        parts = []
        for index, one in enumerate(self.series):
            x, y = one.points[-1]
            if x == last:
                ends.append((self._y(y), index))
            else:
                place = f'x="{_number(self._x(x) + 10)}" y="{_number(self._y(y) + 4)}"'
                parts.append(f"<text {place}>{escape(one.name)}</text>")
        ends.sort()
        places: list[float] = []
        for y, _ in ends:
            places.append(max(y, places[-1] + LABEL_HEIGHT) if places else y)
        # What was pushed over the lower edge goes up again, and with it those above.
        lowest = HEIGHT - BOTTOM
        for position in reversed(range(len(places))):
            places[position] = min(places[position], lowest)
            lowest = places[position] - LABEL_HEIGHT
        for (y, index), place in zip(ends, places, strict=True):
            one = self.series[index]
            start, end = _number(self._x(one.points[-1][0]) + 6), _number(WIDTH - RIGHT + 22)
            parts.append(f'<path class="line lead l{index}" d="M{start},{_number(y)} L{end},{_number(place)}"/>')
            parts.append(f'<text x="{WIDTH - RIGHT + 26}" y="{_number(place + 4)}">{escape(one.name)}</text>')
        return parts

    def _x(self, value: float) -> float:
        values = [x for one in self.series for x, _ in one.points]
        return _placed(value, min(values), max(values), (LEFT, WIDTH - RIGHT), is_logarithmic=self.x_is_logarithmic)

    def _y(self, value: float) -> float:
        marks = self._y_marks()
        return _placed(value, marks[0], marks[-1], (HEIGHT - BOTTOM, TOP), is_logarithmic=True)

    def _y_marks(self) -> list[float]:
        """Return the marks at 1, 2 and 5 of each power of ten, from one that is below all points to one above."""
        values = [y for one in self.series for _, y in one.points]
        powers = range(math.floor(math.log10(min(values))) - 1, math.ceil(math.log10(max(values))) + 1)
        marks = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
        first = max(index for index, mark in enumerate(marks) if mark <= min(values))
        last = min(index for index, mark in enumerate(marks) if mark >= max(values))
        return marks[first : max(last, first + 1) + 1]


def _placed(value: float, least: float, most: float, place: tuple[float, float], *, is_logarithmic: bool) -> float:
    if is_logarithmic:
        value, least, most = math.log10(value), math.log10(least), math.log10(most)
    share = (value - least) / (most - least) if most > least else 0.5
    return place[0] + share * (place[1] - place[0])


def _numbered() -> list[tuple[int, tuple[str, str]]]:
    return list(enumerate(COLOURS))


def _number(value: float) -> str:
    """Write a coordinate in a tenth of a pixel, the same on each machine."""
    return f"{value:.1f}".removesuffix(".0")
