"""Fashion-MNIST in an hour on two cores: search, the winner's training, then the baseline for as long.

    OMP_NUM_THREADS=2 python -m benchmarks.headline [--minutes 44] [--seeds 1] [--log headline.jsonl] [--write]

The same as `python -m nas search` with the arguments that it prints, but for one thing: how many epochs the final
training has follows from how fast the winner trained in the search, so that it takes `--minutes` on any machine; the
baseline's follow from an epoch of its own. Selection sees the validation split only; the test split is measured once
per training. Seed 1 searches, seeds 2 and 3 train; all that was trained is in the log.
"""

import argparse
import json
import os
import shlex
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.page import write
from nas import jobs, selection
from nas.architecture import Architecture
from nas.commandline import add_search_options, plan_of
from nas.datasets.catalogue import dataset
from nas.evaluation.catalogue import evaluator
from nas.evaluation.protocol import Job
from nas.events import Ended, EpochEnded, Measured
from nas.plan import Plan
from nas.search import Search
from nas.spaces.baseline import BASELINE

# Few, wide layers keep a processor's arithmetic busy, so widths rise in larger steps than He et al.'s doubling.
SPACE = (
    *("--space", "resnet", "--set", "space.min_stages=3", "--set", "space.max_stages=3"),
    *("--set", "space.blocks=basic", "--set", "space.stems=16,24,32", "--set", "space.depths=1,2,3"),
    *("--set", "space.factors=1,2,3,4", "--limit", "multiply_adds=45000000"),
)
# A candidate sees a quarter of the training images twice. One that takes longer than a minute would not get twenty
# epochs of all images in the time that is left.
SEARCH = (
    *("--strategy", "genetic", "--set", "population=6", "--budget", "12", "--epochs", "2", "--seed", "1"),
    *("--set", "fidelity.share=0.25", "--limit", "training_seconds=60"),
)
RECIPE = ("--set", "training.label_smoothing=0.1", "--set", "training.cutout=0.2")
ARGUMENTS = ("--dataset", "fashion_mnist", *SPACE, *SEARCH, *RECIPE)
QUICK = (
    *("--dataset", "digits", "--space", "resnet", "--strategy", "genetic", "--set", "population=2"),
    *("--budget", "2", "--epochs", "2", "--set", "fidelity.share=0.5", "--no-limits", *RECIPE),
)
GOAL, AHEAD, HOUR = 94.5, 1.0, 60.0
MARKED = "headline"


def main() -> None:
    """Search, train, and tell what came of it."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--minutes", type=float, default=44.0, help="how long the winner trains, about")
    options.add_argument("--seeds", type=int, default=1, choices=(1, 2), help="trainings of winner and baseline")
    options.add_argument("--log", type=Path, default=Path("headline.jsonl"), help="a JSON line per epoch and result")
    options.add_argument("--write", action="store_true", help="put what came of it into docs/performance.md")
    options.add_argument("--quick", action="store_true", help="digits in a minute, to see that it runs")
    chosen = options.parse_args()
    arguments = [*(QUICK if chosen.quick else ARGUMENTS)]
    print("python -m nas search", shlex.join(arguments))
    plan = _plan(arguments, chosen.seeds)
    with chosen.log.open("w", encoding="utf-8") as file, tempfile.TemporaryDirectory() as work:
        lines = []
        for line in _Headline(plan, file, Path(work), chosen.minutes).lines():
            print(line, flush=True)
            lines.append(line)
    if chosen.write:
        write(MARKED, f"make bench-headline (--minutes {chosen.minutes:g} --seeds {chosen.seeds})", "\n".join(lines))


def _plan(arguments: list[str], seeds: int) -> Plan:
    parser = argparse.ArgumentParser()
    add_search_options(parser)
    return replace(plan_of(vars(parser.parse_args(arguments))), final_seeds=seeds)


class _Headline:
    """One measurement; `file` takes a JSON line of everything that is said, with the minute it was said at."""

    def __init__(self, plan: Plan, file: Any, work: Path, minutes: float) -> None:
        self.plan, self.minutes = plan, minutes
        self._file, self._work = file, work
        self._roots = tuple(place for place in os.environ.get("NAS_DATA_DIR", "").split(os.pathsep) if place)
        self._started = time.monotonic()

    def lines(self) -> Iterator[str]:
        """Yield what is worth telling, as Markdown."""
        number, winner, per_image = self._search()
        searched = self._minute()
        yield f"Search: {self.plan.budget} candidates in {searched:.1f} minutes; candidate {number} won on validation."
        yield ""
        yield "| network | seed | epochs | minutes of training | test accuracy | done after minutes |"
        yield "|---|---|---|---|---|---|"
        found: dict[Architecture, list[dict[str, float]]] = {winner: [], BASELINE: []}
        done = 0.0
        for seed in jobs.final_seeds(self.plan):
            for architecture in (winner, BASELINE):
                # The baseline trains as long as the winner did: an epoch of its own says how many those are.
                own = architecture != BASELINE
                seconds = 60 * self.minutes if own else found[winner][-1]["training_seconds"]
                epochs_of = self._epochs(seconds, per_image if own else self._probed())
                metrics = self._train(architecture, epochs_of, seed)
                found[architecture].append(metrics)
                done = done or self._minute()
                name = "baseline" if architecture == BASELINE else f"candidate {number}"
                cells = (name, seed, epochs_of, f"{metrics['training_seconds'] / 60:.1f}", f"{metrics['accuracy']:.2f}")
                yield f"| {' | '.join(map(str, cells))} | {self._minute():.1f} |"
        yield from self._verdict(found[winner], found[BASELINE], done)

    def _verdict(self, own: list[dict[str, float]], theirs: list[dict[str, float]], done: float) -> Iterator[str]:
        first, ahead = own[0]["accuracy"], own[0]["accuracy"] - theirs[0]["accuracy"]
        size = f"{own[0]['parameters']:,.0f} parameters, {own[0]['multiply_adds'] / 1e6:.1f} million multiply-adds"
        yield ""
        yield f"The winner has {size}. Goal {GOAL} % in {HOUR:.0f} minutes: **{first:.2f} % in {done:.1f}**."
        yield f"Goal {AHEAD:g} point ahead of the baseline trained for as long: **{ahead:.2f}**."

    def _search(self) -> tuple[int, Architecture, float]:
        """Return number and architecture of the winner, and the seconds per image that it was trained with."""
        search = Search(self.plan, tuple(Path(root) for root in self._roots))
        measured: list[tuple[dict[str, Any], dict[str, float]]] = []
        for line in search.candidates():
            self._log(line)
            if line["status"] == "measured":
                measured.append((line, line["metrics"]))
        best = selection.best(self.plan, measured)
        if best is None:
            raise SystemExit("No candidate keeps to the limits; this machine is too slow for them.")
        seconds = best["metrics"]["training_seconds"] / best["metrics"]["epochs"]
        architecture = Architecture(self.plan.space.kind, tuple(best["choices"]))
        return best["number"], architecture, seconds / self._images_in_search(self.plan.fidelity.share)

    def _probed(self) -> float:
        """Return the seconds per image that the baseline is trained with, from one epoch that sees no test split."""
        job = self._job(BASELINE, 1, self.plan.seed)
        found = self._heard(replace(job, stage="search", workdir=str(self._work / "probe")))
        return found["training_seconds"] / self._images_in_search(1.0)

    def _images_in_search(self, share: float) -> float:
        """Return the images of an epoch and its validation, which is forward alone: a third of the work."""
        valid = self.plan.split.valid_share
        return dataset(self.plan.split.dataset).train * (share * (1 - valid) + valid / 3)

    def _epochs(self, seconds: float, per_image: float) -> int:
        return max(1, int(seconds / (per_image * dataset(self.plan.split.dataset).train)))

    def _train(self, architecture: Architecture, epochs: int, seed: int) -> dict[str, float]:
        return self._heard(self._job(architecture, epochs, seed))

    def _job(self, architecture: Architecture, epochs: int, seed: int) -> Job:
        folder = str(self._work / f"{architecture.key}-{seed}")
        plan = replace(self.plan, final_epochs=epochs)
        if architecture == BASELINE:
            return jobs.baseline_job(plan, seed=seed, workdir=folder, data_dirs=self._roots)
        return jobs.final_job(plan, architecture, seed=seed, export=False, workdir=folder, data_dirs=self._roots)

    def _heard(self, job: Job) -> dict[str, float]:
        about = {"stage": job.stage, "space": job.space.kind, "choices": list(job.choices), "seed": job.seed}
        for event in evaluator(job).evaluate(job):
            match event:
                case EpochEnded():
                    self._log({**about, "epoch": event.epoch, "epochs": event.epochs, "train_loss": event.train_loss})
                case Measured():
                    self._log({**about, "metrics": dict(event.metrics)})
                    return dict(event.metrics)
                case Ended():
                    raise SystemExit(str(event.sentence))
        raise AssertionError("an evaluation ended without a word")

    def _minute(self) -> float:
        return (time.monotonic() - self._started) / 60

    def _log(self, line: dict[str, Any]) -> None:
        print(json.dumps({"minute": round(self._minute(), 2), **line}), file=self._file, flush=True)


if __name__ == "__main__":
    main()
