"""A row of numbers as a line of 60 by 20 pixels."""

from collections.abc import Sequence

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

WIDTH, HEIGHT, EDGE = 60, 20, 2


def sparkline(values: Sequence[float]) -> SafeString:
    """Return the SVG of a line through the values, with a dot on the last; empty for no values."""
    if not values:
        return SafeString("")
    low, high = min(values), max(values)
    step = (WIDTH - 2 * EDGE) / max(len(values) - 1, 1)
    room = HEIGHT - 2 * EDGE

    def point(index: int, value: float) -> tuple[float, float]:
        share = (value - low) / (high - low) if high > low else 0.5
        return round(EDGE + index * step, 1), round(HEIGHT - EDGE - share * room, 1)

    points = [point(index, value) for index, value in enumerate(values)]
    label = _("from %(first).4g to %(last).4g") % {"first": values[0], "last": values[-1]}
    return format_html(
        '<svg class="sparkline" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">'
        '<polyline points="{}"/><circle cx="{}" cy="{}" r="2.2"/></svg>',
        *(WIDTH, HEIGHT, WIDTH, HEIGHT, label),
        *(" ".join(f"{x},{y}" for x, y in points), *points[-1]),
    )
