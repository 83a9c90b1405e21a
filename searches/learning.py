"""How the contestants of the final stage learned: curves over the epochs, with a band over the seeds of each."""

from collections.abc import Sequence

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from searches.contestants import Contestant
from searches.drawing.bands import Group, bands
from searches.models import Evaluation

# Validation is known where it was kept apart from training.
FIELDS = {
    "train_loss": gettext_lazy("training loss"),
    "valid_loss": gettext_lazy("validation loss"),
    "valid_accuracy": gettext_lazy("validation accuracy (%)"),
}


def learning(stage: Sequence[Evaluation], contestants: Sequence[Contestant]) -> tuple[SafeString, ...]:
    """Return a picture for each field that the curves of `stage` have, of all contestants."""
    drawn = ((words, _groups(name, stage, contestants)) for name, words in FIELDS.items())
    return tuple(bands(groups, _("epoch"), str(words)) for words, groups in drawn if groups)


def _groups(field: str, stage: Sequence[Evaluation], contestants: Sequence[Contestant]) -> list[Group]:
    found: list[Group] = []
    for one in sorted(contestants, key=lambda contestant: contestant.line):
        curves = [each.curve for each in stage if each.of.number == one.number]
        values = [[point[field] for point in curve] for curve in curves if _knows(curve, field)]
        found += [(one.line, one.title, values)] if values else []
    return found


def _knows(curve: Sequence[dict[str, float | None]], field: str) -> bool:
    return bool(curve) and all(point.get(field) is not None for point in curve)
