"""The evaluator that scores each network without training it, by zero-cost proxies."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from nas.evaluation.batches import Scale
from nas.evaluation.datasets import Data
from nas.evaluation.devices import device
from nas.evaluation.failures import guarded
from nas.evaluation.networks import build
from nas.evaluation.protocol import Fidelity, Job
from nas.evaluation.proxies.catalogue import PROXIES
from nas.evaluation.proxies.probe import Probe, measure
from nas.evaluation.streams import batches_of
from nas.evaluation.trained import data_of, graph_of
from nas.events import EvaluationFailed, Event, Measured, Prepared
from nas.sentences import Refused
from nas.spaces.graph import Graph


@dataclass(frozen=True)
class Untrained:
    """Looks at a job's network as it is built and at one batch of training images, the same for a whole run."""

    def evaluate(self, job: Job) -> Iterator[Event]:
        """Yield the proxies among the job's columns and the costs of the graph, or how it ended; never raises."""
        return guarded(_evaluate(job), job.workdir)


def _evaluate(job: Job) -> Iterator[Event]:
    graph, data = graph_of(job), data_of(job)
    yield Prepared(data.fingerprint, str(device()))
    probe = _probe(job, graph, data)
    try:
        found = {name: measure(name, probe) for name in job.columns if name in PROXIES}
    except Refused as error:
        raise EvaluationFailed("invalid", error.sentence.template, **error.sentence.values) from error
    yield Measured(graph.costs | found)


def proxies(job: Job, names: Iterable[str]) -> dict[str, float]:
    """Return those of the proxies that can rank a job's network, before any training of it.

    They look at all of it, whatever less is trained in its place, so that they compare between rungs.
    """
    job = replace(job, fidelity=Fidelity())
    probe = _probe(job, graph_of(job), data_of(job))
    found = {}
    for name in names:
        with suppress(Refused, RuntimeError):  # what a proxy cannot do must not cost the measurement
            found[name] = measure(name, probe)
    return found


def _probe(job: Job, graph: Graph, data: Data) -> Probe:
    where = device()
    batches = batches_of(
        data.train,
        Scale.of(data, where),
        size=job.scoring.batch_size,
        seed=job.seed,
        augment=False,
        mirrors=False,
    )
    images, labels = next(batches.epoch(1))
    return Probe(build(graph, job.seed).to(where), images, labels)
