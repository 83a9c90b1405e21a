"""Learning curves of several seeds as SVG: the mean of each group, and a band of one standard deviation around it."""

from collections.abc import Sequence
from statistics import fmean, stdev

from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

WIDTH, HEIGHT, LEFT, TOP, BELOW = 300, 190, 52, 10, 38
Curves = Sequence[Sequence[float]]
Group = tuple[int, str, Curves]  # as which line it is drawn, what it is called, a curve for each seed
Point = tuple[float, float, float]  # epoch, mean, deviation


def bands(groups: Sequence[Group], across: str, up: str) -> SafeString:
    """Return the SVG of groups of curves by epoch; a shorter curve ends earlier."""
    # The first is drawn last, on top of the others.
    lines = [(line, _points(curves)) for line, _name, curves in reversed(groups)]
    every = [point for _line, points in lines for point in points]
    last = max((epoch for epoch, _mean, _sd in every), default=1.0)
    low = min((mean - sd for _epoch, mean, sd in every), default=0.0)
    high = max((mean + sd for _epoch, mean, sd in every), default=1.0)
    frame = _Frame(max(last, 2.0), low, high if high > low else low + 1)
    label = _("{up} of {names} over the epochs, mean and band over seeds").format(
        up=up, names=", ".join(name for _line, name, _curves in groups)
    )
    return format_html(
        '<svg class="roc bands" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">{}{}{}'
        '<text x="{}" y="{}" text-anchor="middle">{}</text>'
        '<text transform="translate(11 {}) rotate(-90)" text-anchor="middle">{}</text></svg>',
        *(LEFT + WIDTH + 12, TOP + HEIGHT + BELOW) * 2,
        label,
        frame.grid(),
        format_html_join(
            "", '<polygon class="band-{}" points="{}"/>', [(line, frame.band(points)) for line, points in lines]
        ),
        format_html_join(
            "", '<polyline class="curve-{}" points="{}"/>', [(line, frame.line(points)) for line, points in lines]
        ),
        *(LEFT + WIDTH / 2, TOP + HEIGHT + BELOW - 4, across),
        *(TOP + HEIGHT / 2, up),
    )


class _Frame:
    """Where a value lies in the picture."""

    def __init__(self, last: float, low: float, high: float) -> None:
        self.last, self.low, self.high = last, low, high

    def at(self, epoch: float, value: float) -> tuple[float, float]:
        share = (value - self.low) / (self.high - self.low)
        return round(LEFT + WIDTH * (epoch - 1) / (self.last - 1), 1), round(TOP + HEIGHT * (1 - share), 1)

    def line(self, points: Sequence[Point]) -> str:
        return " ".join("{:g},{:g}".format(*self.at(epoch, mean)) for epoch, mean, _sd in points)

    def band(self, points: Sequence[Point]) -> str:
        above = [self.at(epoch, mean + sd) for epoch, mean, sd in points]
        below = [self.at(epoch, mean - sd) for epoch, mean, sd in reversed(points)]
        return " ".join(f"{x:g},{y:g}" for x, y in (*above, *below))

    def grid(self) -> SafeString:
        lines: list[tuple[float | str, ...]] = []
        for step in range(5):
            value = self.low + (self.high - self.low) * step / 4
            _x, y = self.at(1, value)
            lines.append((LEFT, y, LEFT + WIDTH, y, LEFT - 6, y + 4, "end", number_format(round(value, 2), 2)))
        for epoch in sorted({1, round((1 + self.last) / 2), round(self.last)}):
            x, _y = self.at(epoch, self.low)
            lines.append((x, TOP, x, TOP + HEIGHT, x, TOP + HEIGHT + 15, "middle", str(epoch)))
        shape = '<line x1="{}" y1="{}" x2="{}" y2="{}"/><text x="{}" y="{}" text-anchor="{}">{}</text>'
        return format_html_join("", shape, lines)


def _points(curves: Curves) -> list[Point]:
    found = []
    for at in range(max(map(len, curves), default=0)):
        values = [curve[at] for curve in curves if at < len(curve)]
        found.append((at + 1.0, fmean(values), stdev(values) if len(values) > 1 else 0.0))
    return found
