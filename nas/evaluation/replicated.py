"""Several seeds per candidate, around any evaluator: the mean is what the strategy is told."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, stdev

from nas.evaluation.protocol import Evaluator, Job
from nas.events import Derived, Ended, EpochEnded, Event, Measured, Noted, Prepared


@dataclass(frozen=True)
class Replicated:
    """Runs a job once per seed, one after another, each in a folder of its own so that each can be resumed."""

    inner: Evaluator

    def evaluate(self, job: Job) -> Iterator[Event]:
        """Yield the epochs of all seeds as one training, then means, and `accuracy_sd`; ends where one seed ends.

        Where a seed is stopped early there is no hope in the others: the means are of those until then.
        """
        count, found = job.policy.replicates, list[dict[str, float]]()
        for index in range(count):
            if found and found[-1].get("epochs", job.epochs) < (job.until or job.epochs):
                break
            alone = replace(job, seed=job.seed + index, workdir=str(Path(job.workdir) / f"seed{index + 1}"))
            for event in self.inner.evaluate(alone):
                match event:
                    case Noted():
                        yield event
                    case Prepared():
                        if index == 0:
                            yield event
                    case EpochEnded():
                        yield replace(event, epoch=event.epoch + index * event.epochs, epochs=count * event.epochs)
                    case Measured():
                        found.append(dict(event.metrics))
                    case Ended() | Derived():
                        yield event
                        return
        yield Measured(_means(found))


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    means = {metric: fmean(row[metric] for row in rows) for metric in rows[0]}
    if "accuracy" in means and len(rows) > 1:
        means["accuracy_sd"] = stdev(row["accuracy"] for row in rows)
    return means
