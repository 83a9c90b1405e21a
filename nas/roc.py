"""ROC curves as SVG: the rate of right alarms by that of false ones."""

from collections.abc import Sequence
from html import escape

LINES = 8  # that a style sheet tells apart
SIDE, LEFT, TOP, BELOW = 240, 44, 10, 40
TICKS = (0, 25, 50, 75, 100)
Points = Sequence[tuple[float, float]]


def picture(curves: Sequence[tuple[int, Points]], *, label: str, across: str, up: str) -> str:
    """Return the SVG of curves of points (false positive rate, true positive rate), from 0 to 1 each.

    Each comes with the number of its line, which a style sheet gives a colour; the texts are those of a reader.
    """
    width, height = LEFT + SIDE + 12, TOP + SIDE + BELOW
    (left, bottom), (right, top) = _at(0, 0), _at(1, 1)
    return (
        f'<svg class="roc" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(label)}">{_grid()}'
        f'<line class="chance" x1="{left}" y1="{bottom}" x2="{right}" y2="{top}"/>'
        # The first is drawn last, on top of the others.
        f"{''.join(_curve(line, points) for line, points in reversed(curves))}"
        f'<text x="{LEFT + SIDE / 2}" y="{height - 6}" text-anchor="middle">{escape(across)}</text>'
        f'<text transform="translate(11 {TOP + SIDE / 2}) rotate(-90)" text-anchor="middle">{escape(up)}</text></svg>'
    )


def key(line: int, title: str) -> str:
    """Return which line is whose, as HTML."""
    drawn = f'<polyline class="curve-{line}" points="0,3 28,3"/>'
    return f'<svg class="key" viewBox="0 0 28 6" width="28" height="6" aria-hidden="true">{drawn}</svg> {escape(title)}'


def _curve(line: int, points: Points) -> str:
    along = " ".join("{:g},{:g}".format(*_at(*point)) for point in points)
    return f'<polyline class="curve-{line}" points="{along}"/>'


def _grid() -> str:
    found = []
    for tick in TICKS:
        across, up = _at(tick / 100, tick / 100)
        found.append(_line(LEFT, up, LEFT + SIDE, up) + _text(LEFT - 6, up + 4, "end", tick))
        found.append(_line(across, TOP, across, TOP + SIDE) + _text(across, TOP + SIDE + 15, "middle", tick))
    return "".join(found)


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'


def _text(x: float, y: float, anchor: str, words: int) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{words}</text>'


def _at(false: float, true: float) -> tuple[float, float]:
    return round(LEFT + SIDE * false, 1), round(TOP + SIDE * (1 - true), 1)
