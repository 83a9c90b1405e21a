"""What a search by gradient weighed in each epoch, what that derived, and whether it collapses."""

from dataclasses import dataclass
from typing import Any

from nas.gradient import GRADIENT
from nas.settings import configure
from searches.figures import Words, decimals
from searches.models import Candidate, Generation, Run
from searches.queries import decisions_of, text_of
from searches.traces import NAMES

MOST_EPOCHS = 200
SHOWN = ("entropy", "valid_loss", "skip_share", "none_share", "temperature")


@dataclass(frozen=True)
class Alarm:
    """The alarm of collapse: since which epoch it stands, and the last good one before.

    There is none where alpha had learned nothing by then.
    """

    since: int
    good: int | None


@dataclass(frozen=True)
class Row:
    """An edge in one epoch: each operation's probability in percent, the likeliest one marked."""

    edge: str
    cells: tuple[tuple[float, bool], ...]


@dataclass(frozen=True)
class Epoch:
    """What there is to see of one epoch."""

    candidate: Candidate
    collapsed: bool
    numbers: tuple[tuple[Words, str], ...]
    accuracy: float | None
    text: str | None
    decisions: tuple[tuple[str, str], ...]
    operations: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def number(self) -> int:
        """Which one it is, counted from 1."""
        return self.candidate.number


def alpha_of(run: Run) -> dict[str, Any] | None:
    """Return what the charts of alpha start from: probabilities by epoch, edge and operation; None for other searches.

    A long search is thinned evenly, its last epoch kept.
    """
    if not run.plan.is_gradient:
        return None
    numbers = list(run.generations.values_list("number", flat=True))
    step = -(-len(numbers) // MOST_EPOCHS) or 1
    kept = run.generations.filter(number__in=sorted({*numbers[::step], *numbers[-1:]}))
    return {"rows": [{"epoch": one.number, "alpha": one.alpha} for one in kept], "budget": run.plan.budget}


def alarm_of(run: Run) -> Alarm | None:
    """Return the alarm where it stands after the latest epoch of a search that goes on, else None."""
    searching = run.is_open and run.stage == Run.Stage.SEARCH and not run.closing
    if not (run.plan.is_gradient and searching and run.status != Run.Status.STOPPING):
        return None
    raised = list(run.generations.values_list("number", "trace__collapse"))
    if not raised or not raised[-1][1]:
        return None
    warming = configure(GRADIENT[run.plan.strategy], run.plan.strategy_settings).warming(run.plan.budget)
    good = max((number for number, alarm in raised if not alarm), default=0)
    since = min(number for number, _ in raised if number > good)
    return Alarm(since, good if good > warming else None)


def latest_epoch(run: Run) -> Epoch | None:
    """Return the epoch that was searched last; None before the first one, and for other searches."""
    last = run.generations.last() if run.plan.is_gradient else None
    return epoch_of(run, last) if last else None


def epoch_of(run: Run, generation: Generation) -> Epoch:
    """Return what there is to see of an epoch."""
    candidate = run.candidates.get(number=generation.number)
    measured = candidate.evaluations.get(stage=Run.Stage.SEARCH)
    trace, alpha = generation.trace, generation.alpha
    rows = [
        Row(edge, tuple((100 * chance, chance == max(chances.values())) for chance in chances.values()))
        for edge, chances in alpha.items()
    ]
    return Epoch(
        candidate=candidate,
        collapsed=bool(trace["collapse"]),
        numbers=tuple((NAMES[name], decimals(trace[name], 3)) for name in SHOWN if name in trace),
        accuracy=measured.metrics.get("accuracy"),
        text=text_of(run, candidate),
        decisions=tuple(decisions_of(run, candidate)),
        operations=tuple(next(iter(alpha.values()), {})),
        rows=tuple(rows),
    )
