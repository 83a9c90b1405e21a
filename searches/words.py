"""The words that the charts show, translated for the reader."""

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from searches.columns import figure_of
from searches.models import Run
from searches.plane import plane
from searches.traces import NAMES, RUNGS, SCORES


def chart_words(run: Run) -> dict[str, object]:
    """Return every word of the charts of a run page by its key in the scripts."""
    shown = plane(run)
    return {
        "language": get_language() or "en",
        "candidate": _("candidate"),
        "failed": _("failed"),
        "best": _("best so far"),
        "front": _("Pareto front"),
        "knownFront": _("front of the whole table"),
        "optimum": _("best in the table"),
        "empty": _("Nothing measured yet"),
        "number": _("epoch") if run.plan.is_gradient else _("candidate number"),
        "seconds": _("seconds since the start"),
        "shown": _("Showing {shown} of {all} points: the best, the latest and an even sample of the rest."),
        "value": figure_of(run.plan, run.plan.objectives[0].metric).axis,
        "planeX": shown.x.brief_axis if shown else "",
        "planeY": shown.y.brief_axis if shown else "",
        "epoch": _("epoch"),
        "accuracy": _("validation accuracy (%)"),
        "loss": _("training loss"),
        "baseline": _("baseline"),
        "seed": _("seed"),
        "generation": _("generation"),
        "probability": _("probability"),
        "supernet": _("supernet"),
        "told": _("epoch") if run.plan.is_gradient else _("evaluations"),
        "traces": {name: str(words) for name, words in NAMES.items()},
        "rungs": {name: str(words) for name, words in RUNGS.items()},
        "scores": SCORES,
        **_page_words(),
    }


def race_words() -> dict[str, object]:
    """Return the same for a race page."""
    return {
        "language": get_language() or "en",
        "empty": _("Nothing measured yet"),
        "told": _("evaluations"),
        **_page_words(),
    }


def upload_words() -> dict[str, str]:
    """Return what the script says that sends a file."""
    return {
        "sending": _("{done} of {total} were sent, {rate} a second."),
        "retry": _("The server could not be reached; trying again."),
        "other": _("This is another file: {name} of {size} was begun."),
    }


def _page_words() -> dict[str, object]:
    return {
        "live": _("live"),
        "retry": _("reconnecting"),
        "over": _("finished"),
        "denied": _("no access"),
        "plotly": {
            "Download plot as a PNG": _("Download as an image"),
            "Download plot": _("Download as an image"),
            "Zoom": _("Zoom"),
            "Pan": _("Pan"),
            "Zoom in": _("Zoom in"),
            "Zoom out": _("Zoom out"),
            "Autoscale": _("Fit to the data"),
            "Reset axes": _("Reset the axes"),
            "Double-click to zoom back out": _("Double-click to zoom back out"),
        },
    }
