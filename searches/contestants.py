"""Who takes part in the final stage of a run: what each is called, and as which line it is drawn."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from nas.final import Final
from nas.reference import HAND_MADE, TITLES
from nas.roc import LINES
from searches.models import Run


@dataclass(frozen=True)
class Contestant:
    """The baseline, or a finalist, of which one leads or has won; `line` numbers how its curves are drawn."""

    number: int
    title: str
    is_winner: bool
    line: int


def contestants(run: Run, final: Final) -> tuple[Contestant, ...]:
    """Return the winner so far, the baseline, and the other finalists in the order of the search's ranking."""
    others = [number for number in final.finalists if number != final.winner]
    return tuple(
        Contestant(number, _title(run, number), number == final.winner, at % LINES)
        for at, number in enumerate((final.winner, 0, *others))
    )


def _title(run: Run, number: int) -> str:
    if number:
        return _("Candidate %(number)d") % {"number": number}
    network = run.plan.baseline.network
    return _("Baseline") if network == HAND_MADE else _("Baseline: {network}").format(network=_(TITLES[network]))
