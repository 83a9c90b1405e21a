"""Every evaluator by name."""

from pkgutil import resolve_name

from nas.evaluation.protocol import Evaluator, Job, Rehearsal, Scoring, Supernet, Training
from nas.evaluation.replicated import Replicated
from nas.evaluation.sifted import Sifted
from nas.evaluation.watched import Watched
from nas.proxies import METRICS as PROXIES

# By name, as training needs torch, which takes seconds to load, and a table does not.
EVALUATORS = {
    "train": "nas.evaluation.trained:Trained",
    "table": "nas.evaluation.rehearsed:Rehearsed",
    "score": "nas.evaluation.untrained:Untrained",
    "supernet": "nas.evaluation.shared.evaluator:Inherited",
    "relaxed": "nas.evaluation.relaxed.search:Relaxed",  # not chosen by name: a strategy by gradient brings it
}
WATCHED = ("train", "supernet")  # the evaluators beside which proxies may be watched, and before which they reject
SETTINGS: dict[str, type] = {"train": Training, "table": Rehearsal, "score": Scoring, "supernet": Supernet}
ABOUT = {
    "train": "Trains every network from scratch and measures it on the validation split.",
    "table": "Looks every network up in a table of trained ones: a search in seconds.",
    "supernet": "Trains weights that all networks share, once, and measures each by its part; the winner is trained.",
    "score": "Scores every network without training it, by zero-cost proxies; the winner is trained.",
}


def evaluator(job: Job) -> Evaluator:
    """Return what evaluates a job; while searching with the seeds and proxies that its policy asks for."""
    found: Evaluator = resolve_name(EVALUATORS[job.evaluator])()
    if job.stage == "final":
        return found
    found = Replicated(found) if job.policy.replicates > 1 else found
    found = Sifted(found) if job.policy.proxy in PROXIES and job.evaluator in WATCHED else found
    return Watched(found) if job.policy.watch and job.evaluator in WATCHED else found
