"""The words that the charts show, translated for the reader."""

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from searches.figures import title
from searches.models import Run
from searches.queries import size_metric


def chart_words(run: Run) -> dict[str, object]:
    """Return every word of the charts of a run page by its key in the scripts."""
    metric = run.plan.objectives[0].metric
    unit = " (%)" if metric == "accuracy" else ""
    size_unit = " (%)" if size_metric(run) == "accuracy" else ""
    return {
        "language": get_language() or "en",
        "candidate": _("candidate"),
        "failed": _("failed"),
        "best": _("best so far"),
        "front": _("Pareto front"),
        "empty": _("Nothing measured yet"),
        "number": _("candidate number"),
        "value": f"{title(metric)}{unit}",
        "sizeValue": f"{title(size_metric(run))}{size_unit}",
        "parameters": _("parameters"),
        "epoch": _("epoch"),
        "accuracy": _("validation accuracy (%)"),
        "loss": _("training loss"),
        "baseline": _("baseline"),
        "seed": _("seed"),
        "generation": _("generation"),
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
