"""Every search strategy by name."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from nas.sentences import Refused
from nas.settings import configure
from nas.strategies.distinct import Distinct
from nas.strategies.genetic import Genetic
from nas.strategies.nsga2 import Nsga2
from nas.strategies.protocol import AnyStrategy
from nas.strategies.uniform import Uniform

STRATEGIES: dict[str, type] = {"genetic": Genetic, "nsga2": Nsga2, "random": Uniform}
ABOUT = {
    "genetic": "Breeds new networks from the best so far. A good first choice for budgets of 20 and more.",
    "nsga2": "Breeds a whole front of trade-offs, such as accuracy against size. For two objectives or more.",
    "random": "Samples without learning. The honest baseline, and the right choice for very small budgets.",
}


def build(name: str, settings: Mapping[str, Any]) -> AnyStrategy:
    """Return the strategy with reuse of duplicates; raises Refused for an unknown name or settings out of bounds."""
    return Distinct(bare(name, settings))


def bare(name: str, settings: Mapping[str, Any]) -> AnyStrategy:
    """Return the strategy alone, for further wrappers; raises Refused as `build` does."""
    if name not in STRATEGIES:
        near = get_close_matches(name, STRATEGIES, n=1, cutoff=0)[0]
        raise Refused("There is no strategy {name}; the nearest is {near}.", name=name, near=near)
    found: AnyStrategy = configure(STRATEGIES[name], settings)
    return found
