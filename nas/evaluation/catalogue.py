"""Every evaluator by name."""

from pkgutil import resolve_name

from nas.evaluation.protocol import Evaluator, Rehearsal, Training

# By name, as training needs torch, which takes seconds to load, and a table does not.
EVALUATORS = {"train": "nas.evaluation.trained:Trained", "table": "nas.evaluation.rehearsed:Rehearsed"}
SETTINGS: dict[str, type] = {"train": Training, "table": Rehearsal}
ABOUT = {
    "train": "Trains every network from scratch and measures it on the validation split.",
    "table": "Looks every network up in a table of trained ones: a search in seconds.",
}


def evaluator(name: str) -> Evaluator:
    """Return the evaluator of that name."""
    found: Evaluator = resolve_name(EVALUATORS[name])()
    return found
