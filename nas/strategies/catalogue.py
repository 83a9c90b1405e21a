"""Every search strategy by name."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from nas.sentences import Refused
from nas.settings import configure
from nas.strategies.aging import Aging
from nas.strategies.annealing import Annealing
from nas.strategies.asha import Asha
from nas.strategies.bayesian import Bayesian
from nas.strategies.distinct import Distinct
from nas.strategies.genetic import Genetic
from nas.strategies.hyperband import Hyperband
from nas.strategies.local import Local
from nas.strategies.nsga2 import Nsga2
from nas.strategies.ppo import Ppo
from nas.strategies.progressive import Progressive
from nas.strategies.protocol import AnyStrategy
from nas.strategies.reinforce import Reinforce
from nas.strategies.uniform import Uniform

STRATEGIES: dict[str, type] = {
    "genetic": Genetic,
    "aging_evolution": Aging,
    "annealing": Annealing,
    "local_search": Local,
    "bayesian": Bayesian,
    "progressive": Progressive,
    "reinforce": Reinforce,
    "ppo": Ppo,
    "nsga2": Nsga2,
    "asha": Asha,
    "hyperband": Hyperband,
    "random": Uniform,
}
ABOUT = {
    "genetic": "Breeds new networks from the best so far. A good first choice for budgets of 20 and more.",
    "bayesian": "Learns which choices help and measures what promises most. The fewest evaluations; best up to 1,000.",
    "nsga2": "Breeds a whole front of trade-offs, such as accuracy against size. For two objectives or more.",
    "aging_evolution": "Evolution in which the old make room for the young. Keeps every worker busy.",
    "annealing": "A walk that dares steps down at first and fewer as it cools. Good where the budget is fixed.",
    "local_search": "Walks from neighbour to better neighbour and starts anew. Simple, and strong at small budgets.",
    "asha": "Trains many candidates briefly and the best of them on. Saves epochs; keeps every worker busy.",
    "hyperband": "As asha, in rounds, and hedges: some rounds trust short training less.",
    "progressive": "Decides layer by layer, or node by node, with a predictor's help. Strong from 50 evaluations on.",
    "reinforce": "A small recurrent network learns to write good architectures. The classic; give it 100 and more.",
    "ppo": "As reinforce, in careful steps; both can weigh accuracy against a target such as a latency.",
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
