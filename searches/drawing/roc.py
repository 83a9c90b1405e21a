"""ROC curves as SVG: the rate of right alarms by that of false ones."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

SIDE, LEFT, TOP, BELOW = 240, 44, 10, 40
TICKS = (0, 25, 50, 75, 100)
Points = Sequence[tuple[float, float]]


Curve = tuple[int, str, Points]  # as which line it is drawn, and what it is called


def roc(curves: Sequence[Curve]) -> SafeString:
    """Return the SVG of curves of points (false positive rate, true positive rate), from 0 to 1 each."""
    width, height = LEFT + SIDE + 12, TOP + SIDE + BELOW
    label = _("ROC curves of {names}").format(names=", ".join(name for _line, name, _points in curves))
    return format_html(
        '<svg class="roc" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">{}'
        '<line class="chance" x1="{}" y1="{}" x2="{}" y2="{}"/>{}'
        '<text x="{}" y="{}" text-anchor="middle">{}</text>'
        '<text transform="translate(11 {}) rotate(-90)" text-anchor="middle">{}</text></svg>',
        *(width, height, width, height, label),
        _grid(),
        *(*_at(0, 0), *_at(1, 1)),
        format_html_join("", '<polyline class="curve-{}" points="{}"/>', _lines(curves)),
        *(LEFT + SIDE / 2, height - 6, _("false positive rate (%)")),
        *(TOP + SIDE / 2, _("true positive rate (%)")),
    )


def _lines(curves: Sequence[Curve]) -> list[tuple[int, str]]:
    # The first is drawn last, on top of the others.
    return [
        (line, " ".join("{:g},{:g}".format(*_at(*point)) for point in points))
        for line, _name, points in reversed(curves)
    ]


def _grid() -> SafeString:
    lines: list[tuple[float | str, ...]] = []
    for tick in TICKS:
        across, up = _at(tick / 100, tick / 100)
        lines.append((LEFT, up, LEFT + SIDE, up, LEFT - 6, up + 4, "end", tick))
        lines.append((across, TOP, across, TOP + SIDE, across, TOP + SIDE + 15, "middle", tick))
    shape = '<line x1="{}" y1="{}" x2="{}" y2="{}"/><text x="{}" y="{}" text-anchor="{}">{}</text>'
    return format_html_join("", shape, lines)


def _at(false: float, true: float) -> tuple[float, float]:
    return round(LEFT + SIDE * false, 1), round(TOP + SIDE * (1 - true), 1)
