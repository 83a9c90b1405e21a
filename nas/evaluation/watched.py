"""Proxies beside a measurement, around any evaluator that builds networks: their values join its metrics."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pkgutil import resolve_name

from nas.evaluation.protocol import Evaluator, Job
from nas.events import Event, Measured


@dataclass(frozen=True)
class Watched:
    """Adds the zero-cost proxies that the policy watches; one that says nothing of a network is left out."""

    inner: Evaluator

    def evaluate(self, job: Job) -> Iterator[Event]:
        """Yield what the evaluator inside says, the measurement with the proxies of the untrained network."""
        for event in self.inner.evaluate(job):
            if isinstance(event, Measured):
                # By name: the proxies need torch, which this process has loaded only now.
                names = [name for name in job.policy.watch if name not in event.metrics]
                found = resolve_name("nas.evaluation.untrained:proxies")(job, names)
                event = replace(event, metrics={**found, **event.metrics})
            yield event
