"""Rejection by a zero-cost proxy, around any evaluator that builds networks: the hopeless are not trained."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pkgutil import resolve_name

from nas.evaluation.protocol import Evaluator, Job
from nas.events import Ended, EvaluationFailed, Event, Measured
from nas.policy import Bar
from nas.sentences import Sentence


@dataclass(frozen=True)
class Sifted:
    """Computes the policy's proxy first; its value joins what is measured, or is the reason not to measure."""

    inner: Evaluator

    def evaluate(self, job: Job) -> Iterator[Event]:
        """Yield what the evaluator inside says, or at once that the network was rejected.

        Where the proxy cannot rank a network, nothing is rejected.
        """
        name, found = job.policy.proxy, _proxy(job)
        if job.bar is not None and name in found and job.bar.rejects(found[name]):
            yield Ended("rejected", _rejected(name, found[name], job.bar), found)
            return
        for event in self.inner.evaluate(job):
            yield replace(event, metrics={**found, **event.metrics}) if isinstance(event, Measured) else event


def _proxy(job: Job) -> Mapping[str, float]:
    try:
        # By name: the proxies need torch, which this process has loaded only now.
        found: dict[str, float] = resolve_name("nas.evaluation.untrained:proxies")(job, (job.policy.proxy,))
    except (EvaluationFailed, RuntimeError):  # the evaluator inside says what is wrong with data, network or memory
        return {}
    return found


def _rejected(proxy: str, value: float, bar: Bar) -> Sentence:
    said = {"proxy": proxy, "value": f"{value:.4g}", "bar": f"{bar.at:.4g}"}
    if bar.high:
        return Sentence("It was not trained: its {proxy} is {value}, and from {bar} on a training is worth it.", said)
    return Sentence("It was not trained: its {proxy} is {value}, and up to {bar} a training is worth it.", said)
