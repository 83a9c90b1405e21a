"""Files of earlier searches: the JSON lines that a search printed are what a warm start takes its networks from."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nas import codec, objectives
from nas.plan import Plan, search_space
from nas.priors import Prior, Source, WarmStart, warm_start
from nas.sentences import Refused
from nas.spaces.protocol import SearchSpace


@dataclass(frozen=True)
class Evaluation:
    """What counts of a line: its number in the search, the architecture, and what was measured of it."""

    number: int
    choices: tuple[int, ...]
    metrics: Mapping[str, float]

    @property
    def epochs(self) -> float:
        """How long it was trained, 0 where nobody says."""
        return self.metrics.get("epochs", 0.0)


def warm_from(files: Sequence[str], plan: Plan) -> WarmStart:
    """Return the best of searches of the plan's own space; raises Refused for a file that tells of nothing in it."""
    space = search_space(plan)
    return warm_start([_prior(file, plan, space) for file in files], space, plan.policy.warm_start)


def _prior(file: str, plan: Plan, space: SearchSpace) -> Prior:
    evaluations = _evaluations(file, space)
    # Scores of shorter trainings do not compare with those of the longest.
    longest = max((one.epochs for one in evaluations), default=0.0)
    scored = [(_score(file, one, plan), one) for one in evaluations if one.epochs == longest]
    measured = [(score, one) for score, one in scored if score is not None]
    if not measured:
        raise Refused("{file} has no measured network that keeps to the limits.", file=file)
    _, best = min(measured, key=lambda pair: pair[0])
    source = Source(Path(file).name, best.metrics[plan.objectives[0].metric], best.number)
    return Prior(source, space.decisions, tuple((one.choices, score) for score, one in measured))


def _score(file: str, one: Evaluation, plan: Plan) -> float | None:
    """Return the first objective of this plan, minimised, whatever the earlier search was after."""
    for objective in plan.objectives:
        if objective.metric not in one.metrics:
            raise Refused("{file} does not tell the {metric} of its networks.", file=file, metric=objective.metric)
    found = objectives.scores(plan.objectives, plan.limits, one.metrics)
    return found[0] if found else None


def _evaluations(file: str, space: SearchSpace) -> list[Evaluation]:
    found = []
    for line in _lines(file):
        if line.get("stage") != "search" or line.get("status") != "measured":
            continue
        one = codec.load(Evaluation, {name: line.get(name) for name in ("number", "choices", "metrics")})
        sizes = [len(decision.options) for decision in space.decisions]
        if len(sizes) != len(one.choices) or not all(0 <= c < n for c, n in zip(one.choices, sizes, strict=True)):
            raise Refused(
                "{file} is of another space: {choices} are no choices of {space}.",
                file=file,
                choices=str(one.choices),
                space=space.name,
            )
        found.append(one)
    return found


def _lines(file: str) -> list[Mapping[str, Any]]:
    try:
        lines = [json.loads(line) for line in Path(file).read_text("utf-8").splitlines() if line.strip()]
    except OSError as error:
        raise Refused("{file} cannot be read: {error}.", file=file, error=error.strerror or str(error)) from error
    except ValueError as error:
        raise Refused("{file} is not what `search --json` printed.", file=file) from error
    if not all(isinstance(line, Mapping) for line in lines):
        raise Refused("{file} is not what `search --json` printed.", file=file)
    return lines
