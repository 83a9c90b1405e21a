"""Files of earlier searches: the JSON lines that a search printed are what a warm start takes its networks from."""

import json
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from nas import codec
from nas.objectives import Objective
from nas.plan import Plan, search_space
from nas.priors import Evaluation, Prior, Source, WarmStart, longest, prior, warm_start
from nas.proxies import METRICS
from nas.sentences import Refused
from nas.spaces.protocol import SearchSpace


def warm_from(files: Sequence[str], plan: Plan) -> WarmStart:
    """Return the best of searches of the plan's own space; raises Refused for a file that tells of nothing in it."""
    space = search_space(plan)
    return warm_start([_prior(file, plan, space) for file in files], space, plan.policy.warm_start)


def _prior(file: str, plan: Plan, space: SearchSpace) -> Prior:
    evaluations = _evaluations(file, space)
    proxy = _proxy(plan, evaluations)
    # The order is that of this plan's first objective, whatever the earlier search was after.
    for one, objective in product(longest(evaluations), () if proxy else plan.objectives):
        if objective.metric not in one.metrics:
            raise Refused("{file} does not tell the {metric} of its networks.", file=file, metric=objective.metric)
    source = Source(Path(file).name, comparable=proxy is None)
    found = prior(source, space.decisions, evaluations, proxy or plan.objectives[0], plan.limits)
    if found is None:
        raise Refused("{file} has no measured network that keeps to the limits.", file=file)
    return found


def _proxy(plan: Plan, evaluations: Sequence[Evaluation]) -> Objective | None:
    """Return the proxy to order networks by that were scored, not trained, where this plan is after something else.

    The warm-up of Abdelfattah et al., "Zero-cost proxies for lightweight NAS", ICLR 2021.
    """
    told = set(evaluations[0].metrics).intersection(*(one.metrics for one in evaluations)) if evaluations else set()
    first = next((name for name in METRICS if name in told), None)
    if first is None or plan.objectives[0].metric in told:
        return None
    return Objective(first, METRICS[first].goal)


def _evaluations(file: str, space: SearchSpace) -> list[Evaluation]:
    found = []
    for line in _lines(file):
        if line.get("stage") != "search" or line.get("status") != "measured":
            continue
        if "alpha" in line:
            raise Refused(
                "{file} is of a search by gradient; what networks reach under shared weights does not compare.",
                file=file,
            )
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
