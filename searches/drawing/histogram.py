"""Histograms as SVG: how many rows of each class a split has, or how a number to tell is spread."""

from collections.abc import Mapping, Sequence

from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from searches.drawing.text import short, text_width

WIDTH, BAR, GAP, SIZE = 640, 11, 12, 12
LONGEST_LABEL, COUNT_ROOM = 180, 60
MOST_CLASSES = 40
HEIGHT, BELOW = 180, 24
Counts = Mapping[str, Mapping[str, int]]


def of_classes(counts: Counts, classes: Sequence[str]) -> SafeString:
    """Return bars of each class, one for each split of `counts`; of many classes the first are drawn."""
    shown = classes[:MOST_CLASSES]
    splits = list(counts)
    most = max((counts[split].get(name, 0) for split in splits for name in shown), default=0) or 1
    left = min(LONGEST_LABEL, max((text_width(name, SIZE) for name in shown), default=0)) + 10
    room = WIDTH - left - COUNT_ROOM
    step = BAR * len(splits) + GAP
    labels, bars = [], []
    for at, name in enumerate(shown):
        top = GAP / 2 + at * step
        labels.append((left - 8, top + BAR * len(splits) / 2 + 4, _fitting(name)))
        for index, split in enumerate(splits):
            count = counts[split].get(name, 0)
            width, y = room * count / most, top + index * BAR
            written = number_format(count, force_grouping=True)
            bars.append((split, left, y, round(width, 1), BAR - 1, round(left + width + 5, 1), y + BAR - 1, written))
    height = step * len(shown)
    label = ngettext("Rows of {count} class", "Rows of {count} classes", len(classes)).format(count=len(classes))
    return format_html(
        '<svg class="histogram" viewBox="0 0 {} {}" width="{}" role="img" aria-label="{}">{}{}</svg>',
        *(WIDTH, height, WIDTH, label),
        format_html_join("", '<text x="{}" y="{}" text-anchor="end">{}</text>', labels),
        format_html_join(
            "",
            '<rect class="of-{}" x="{}" y="{}" width="{}" height="{}" rx="2"/>'
            '<text class="count" x="{}" y="{}">{}</text>',
            bars,
        ),
    )


def of_numbers(edges: Sequence[float], counts: Sequence[int]) -> SafeString:
    """Return a bar for each bin between two edges."""
    most = max(counts, default=0) or 1
    step = WIDTH / max(1, len(counts))
    bars = [
        (
            round(at * step + 1, 1),
            round(HEIGHT * (1 - count / most), 1),
            round(step - 2, 1),
            round(HEIGHT * count / most, 1),
        )
        for at, count in enumerate(counts)
    ]
    ends = [(2, "start", edges[0]), (WIDTH / 2, "middle", (edges[0] + edges[-1]) / 2), (WIDTH - 2, "end", edges[-1])]
    label = _("Numbers to tell, from {low} to {high}").format(low=f"{edges[0]:.4g}", high=f"{edges[-1]:.4g}")
    return format_html(
        '<svg class="histogram" viewBox="0 0 {} {}" width="{}" role="img" aria-label="{}">{}{}</svg>',
        *(WIDTH, HEIGHT + BELOW, WIDTH, label),
        format_html_join("", '<rect class="of-train" x="{}" y="{}" width="{}" height="{}"/>', bars),
        format_html_join(
            "",
            '<text x="{}" y="{}" text-anchor="{}">{}</text>',
            ((x, HEIGHT + 16, anchor, _number(value)) for x, anchor, value in ends),
        ),
    )


def _number(value: float) -> str:
    return short(value) if value >= 10_000 else f"{value:.4g}"


def _fitting(name: str) -> str:
    """Cut a name that is too long for its room."""
    while text_width(name, SIZE) > LONGEST_LABEL:
        name = name.removesuffix("…")[:-1] + "…"
    return name
