"""The smaller network and the smaller images that a candidate is trained with where a search is to be cheaper.

Where the rungs of a search are not of epochs, they are of percent of what is left.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from nas.evaluation.protocol import Fidelity
from nas.sentences import Refused
from nas.settings import settings_of
from nas.spaces import catalogue
from nas.spaces.catalogue import SpaceSpec
from nas.spaces.graph import Task

# The settings of each space that say how many channels or units its layers have.
WIDTHS = {
    "chain": ("filters", "units"),
    "mlp": ("units",),
    "resnet": ("stems",),
    "nasnet": ("channels",),
    "nasbench201": ("channels",),
}
SMALLEST = "smallest"  # the side below which a space shrinks no image
# Known of the smaller network alone: they say nothing of the candidate.
OF_THE_TRAINED = ("latency_ms", "latency_p95_ms", "images_per_second", "file_kb", "peak_memory_mb", "energy_joules")


def reduced_task(task: Task, fidelity: Fidelity) -> Task:
    """Return the task with images of the smaller side; raises Refused where inputs are no images."""
    if fidelity.side == 1:
        return task
    if task.kind != "image":
        raise Refused("side is {value}; only images have sides to shrink.", value=fidelity.side)
    channels, *sides = task.input_shape
    return replace(task, input_shape=(channels, *(max(1, round(side * fidelity.side)) for side in sides)))


def reduced_space(spec: SpaceSpec, fidelity: Fidelity) -> SpaceSpec:
    """Return the space of the smaller networks, choice by choice; raises Refused where it has no widths to scale."""
    if not fidelity.is_reduced:
        return spec
    if fidelity.width < 1 and spec.kind not in WIDTHS:
        raise Refused(
            "width is {value}; these spaces have widths to scale: {names}.",
            value=fidelity.width,
            names=", ".join(WIDTHS),
        )
    known, settings = catalogue.SPACES[spec.kind], dict(spec.settings)
    for name in WIDTHS.get(spec.kind, ()):
        settings[name] = _scaled(settings.get(name, getattr(known, name)), fidelity.width)
    # What halves an image must go on to do so: else a smaller image would be worked on at a larger share of its side.
    if hasattr(known, SMALLEST):
        settings[SMALLEST] = _scaled(settings.get(SMALLEST, getattr(known, SMALLEST)), fidelity.side)
    return replace(spec, settings=settings, limits=())


def refuse(spec: SpaceSpec, task: Task, fidelity: Fidelity, metrics: Iterable[str]) -> None:
    """Raise Refused where candidates measured by `metrics` cannot be trained with what a fidelity leaves of them."""
    if not fidelity.is_reduced:
        return
    whole = catalogue.build(spec, task)
    smaller = catalogue.build(reduced_space(spec, fidelity), reduced_task(task, fidelity))
    for before, after in zip(whole.decisions, smaller.decisions, strict=False):
        if before.name != after.name or len(before.options) != len(after.options):
            raise Refused(
                "At this side and width {decision} has other options than in the whole network; choose larger ones.",
                decision=before.name,
            )
    for metric in metrics:
        if metric in OF_THE_TRAINED:
            raise Refused(
                "{metric} is that of the whole network, but with a side or width below 1 a smaller one is trained.",
                metric=metric,
            )


def percent(fidelity: Fidelity) -> int | None:
    """Return what is left of that which the rungs are of, in percent; None where they are of epochs."""
    return None if fidelity.rungs == "epochs" else round(100 * float(getattr(fidelity, fidelity.rungs)))


def percents(fidelity: Fidelity) -> range:
    """Return what rungs that are not of epochs may have, in percent, up to what the fidelity itself leaves."""
    least = next(item.low for item in settings_of(Fidelity) if item.name == fidelity.rungs)
    return range(round(100 * (least or 0)), (percent(fidelity) or 0) + 1)


def on_rung(fidelity: Fidelity, rung: int) -> Fidelity:
    """Return the fidelity on a rung of so many percent.

    It is the fidelity itself on the highest one, where there is no rung, and where rungs are of epochs.
    """
    if fidelity.rungs == "epochs" or rung in (0, percent(fidelity)):
        return fidelity
    left: dict[str, Any] = {fidelity.rungs: rung / 100}
    return replace(fidelity, **left)


def _scaled(value: object, factor: float) -> object:
    if isinstance(value, str):  # as the command line gives it
        value = tuple(int(part) for part in value.split(",")) if "," in value else int(value)
    if isinstance(value, (tuple, list)):
        return tuple(max(1, round(one * factor)) for one in value)
    assert isinstance(value, int)
    return max(1, round(value * factor))
