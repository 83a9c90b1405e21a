"""What a strategy says of itself as it goes on: a small chart per name, and a table of the same numbers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from searches.columns import figure_of
from searches.figures import Words, decimals
from searches.models import Run

MOST_ROWS = 1000
# Strategies minimise scores; people read the objective as it is.
SCORES = ("best", "mean", "median", "worst", "current", "beam best")
NAMES: dict[str, Words] = {
    "best": _("Best"),
    "mean": _("Mean"),
    "current": _("Where the walk stands"),
    "starts": _("Starts"),
    "reheats": _("Reheats"),
    "front size": _("Networks on the front"),
    "diversity": _("Diversity"),
    "temperature": _("Temperature"),
    "acceptance rate": _("Acceptance rate"),
    "policy entropy": _("Policy entropy"),
    "baseline reward": _("Baseline reward"),
    "hypervolume": _("Hypervolume"),
    "predictor rank correlation": _("Rank correlation of the predictor"),
    "surrogate rank correlation": _("Rank correlation of the surrogate"),
    "rejected by proxy": _("Rejected by the proxy"),
    "proxy rank correlation": _("Rank correlation of the proxy"),
    "proxy is trusted": _("The proxy rejects"),
    "level": _("Level"),
    "beam size": _("Beam size"),
    "beam best": _("Best of the beam"),
    "train_loss": _("Loss of the weights"),
    "alpha_loss": _("Loss of alpha"),
    "valid_loss": _("Loss on validation"),
    "entropy": _("Entropy of alpha (nats)"),
    "skip_share": _("Share of skip connections"),
    "none_share": _("Share of none"),
    "collapse": _("Alarm of collapse"),
}
RUNG = re.compile(r"rung (\d+) (.+)")
RUNGS: dict[str, Words] = {
    "epochs": _("Measured after {count} epochs"),
    "% share": _("Measured with {count} % of the data"),
    "% side": _("Measured at {count} % of the side"),
    "% width": _("Measured at {count} % of the width"),
}


@dataclass(frozen=True)
class TraceLine:
    """One name of the trace as a table shows it."""

    title: str
    first: str
    latest: str
    lowest: str
    highest: str


def trace_rows(run: Run) -> list[dict[str, Any]]:
    """Return the trace by evaluations told, thinned evenly; scores have the sign of the objective."""
    rows = [{"told": number, **trace} for number, trace in run.generations.values_list("number", "trace")]
    generations = [row["generation"] for row in rows]
    # Where generations follow each other, each is told again with every evaluation of it, and its last row counts.
    if generations == sorted(generations) and generations[-1:] > [1]:
        rows = list({row["generation"]: row for row in rows}.values())
    step = -(-len(rows) // MOST_ROWS) or 1
    kept = rows[::step] if rows[-1:] == rows[::step][-1:] else [*rows[::step], rows[-1]]
    return [{name: value * _sign(run, name) for name, value in row.items()} for row in kept]


def trace_table(run: Run) -> list[TraceLine]:
    """Return what a reader without the charts should know of them."""
    rows = trace_rows(run)
    names = dict.fromkeys(name for row in rows for name in row if name not in ("told", "generation"))
    return [_line(run, name, [row[name] for row in rows if name in row]) for name in names]


def _line(run: Run, name: str, values: Sequence[float]) -> TraceLine:
    written = [_write(run, name, value) for value in (values[0], values[-1], min(values), max(values))]
    return TraceLine(title(name), *written)


def title(name: str) -> str:
    """Return what a name of a trace is called; a rung has its number of epochs, or its percents, in its name."""
    rung = RUNG.fullmatch(name)
    return str(RUNGS[rung[2]]).format(count=rung[1]) if rung else str(NAMES.get(name, name.capitalize()))


def _write(run: Run, name: str, value: float) -> str:
    if name in SCORES:
        return figure_of(run.plan, run.plan.objectives[0].metric).write(value)
    return decimals(value, 0 if value == int(value) else 3)


def _sign(run: Run, name: str) -> int:
    return -1 if name in SCORES and run.plan.objectives[0].goal == "max" else 1
