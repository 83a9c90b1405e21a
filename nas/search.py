"""A whole search on one screen: space, strategy, evaluator, budget, final stage. No database."""

import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from nas import jobs, selection
from nas import plan as planning
from nas.architecture import Architecture
from nas.checks import check
from nas.comparing import comparison
from nas.evaluation.catalogue import evaluator
from nas.evaluation.protocol import Fidelity, Job
from nas.evaluation.stopping import MOST_PEERS, accuracies
from nas.events import Derived, Ended, EpochEnded, EpochSearched, Measured, Noted, Prepared
from nas.final import Final
from nas.markup import html
from nas.mistakes import pictures
from nas.plan import Plan
from nas.report import evaluation_line, last_line
from nas.sentences import Refused
from nas.strategies.protocol import PROMOTED

Line = dict[str, Any]
Item = Line | EpochEnded
Measurement = tuple[tuple[int, Architecture], dict[str, float]]


@dataclass
class Search:
    """One search in this process; `data_dirs` are where datasets lie, `keep` where the winner's files go.

    `curves` are the learning curves measured so far, by what they were trained with: hopeless trainings are known by
    their like. `spent` are the seconds of evaluations by stage and device.
    """

    plan: Plan
    data_dirs: tuple[Path, ...] = ()
    keep: Path | None = None
    curves: dict[Fidelity, list[tuple[float, ...]]] = field(default_factory=dict)
    spent: dict[tuple[str, str], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Time since it was made."""
        return time.monotonic() - self._started

    def candidates(self) -> Iterator[Line]:
        """Yield a line per evaluation of the search stage alone."""
        with tempfile.TemporaryDirectory() as work:
            for item in self._search(Path(work)):
                if isinstance(item, dict):
                    yield item

    def run(self) -> Iterator[Item]:
        """Yield epochs, a line per evaluation, and the last line; raises Refused before anything is trained."""
        check(self.plan)
        with tempfile.TemporaryDirectory() as work:
            measured = yield from self._search(Path(work))
            ranked = selection.finalists(self.plan, measured, lambda one: one[1])
            if not ranked:
                raise Refused("No candidate was measured that keeps to the limits.")
            final = yield from self._final(ranked, Path(work))
            self._complete_cards(final)
        yield last_line(
            self.plan,
            planning.search_space(self.plan),
            final,
            measured=[(number, metrics) for (number, _), metrics in measured],
            seconds=self.seconds,
            spent=self.spent,
        )

    def _final(self, ranked: Sequence[tuple[int, Architecture]], work: Path) -> Generator[Item, None, Final]:
        """Train every finalist with every seed, then the baseline, which may need to know how long the winner took."""
        final, seeds = Final(self.plan, dict(ranked)), jobs.final_seeds(self.plan)
        for seed in seeds:
            for number, architecture in ranked:
                export = self.keep is not None and seed == seeds[0]
                folder = self._kept(number) if export else work / f"final-{number}-{seed}"
                job = jobs.final_job(
                    self.plan, architecture, seed=seed, export=export, workdir=str(folder), **self._where()
                )
                final.add(number, (yield from self._evaluate(job, number)))
        for seed in () if self.plan.is_rehearsal else seeds:
            where = {"seconds": final.seconds, **self._where()}
            job = jobs.baseline_job(self.plan, seed=seed, workdir=str(work / f"final-0-{seed}"), **where)
            final.add(0, (yield from self._evaluate(job, 0)))
        return final

    def _complete_cards(self, final: Final) -> None:
        """Add to the winner's card what only the end knows, and write it as a page too."""
        card = self._kept(final.winner) / "model_card.md"
        if self.keep is None or not card.exists():
            return
        text = card.read_text(encoding="utf-8") + comparison(final, self.spent)
        card.write_text(text, encoding="utf-8")
        card.with_suffix(".html").write_text(html(text, pictures(final)), encoding="utf-8")

    def _kept(self, number: int) -> Path:
        """Where a finalist's files go: each has a folder of its own where there are several."""
        keep = self.keep or Path()
        return keep if self.plan.final_top == 1 else keep / f"candidate-{number}"

    def _search(self, work: Path) -> Generator[Item, None, list[Measurement]]:
        if self.plan.is_gradient:
            return (yield from self._descend(work))
        space, strategy = planning.search_space(self.plan), planning.strategy(self.plan)
        state = strategy.begin(self.plan.seed, planning.terms(self.plan))
        measured: list[Measurement] = []
        asked = 0
        while asked < self.plan.budget:
            state, proposals = strategy.ask(space, state, 1)
            if not proposals:
                break
            for proposal in proposals:
                asked += 1
                # The rungs of one architecture share a folder, so that a higher one goes on where the lower one ended.
                folder = str(work / proposal.architecture.key)
                job = jobs.search_job(
                    self.plan,
                    proposal.architecture,
                    fidelity=proposal.fidelity,
                    workdir=folder,
                    shared=str(work / "shared"),
                    **self._where(),
                )
                # What climbs was trained already: the proxy let it pass then.
                bar = None if proposal.origin == PROMOTED else planning.bar(self.plan, state)
                job = replace(job, peers=self._peers(job), bar=bar)
                found = yield from self._evaluate(job, proposal.number)
                rejected = isinstance(found, Ended) and found.cause == "rejected"
                asked -= rejected
                metrics = dict(found.metrics) or None
                if isinstance(found, Measured):
                    measured.append(((proposal.number, proposal.architecture), dict(found.metrics)))
                about = (proposal.number, proposal.architecture, proposal.fidelity, metrics)
                state = strategy.tell(space, state, selection.outcome(self.plan, *about, rejected=rejected))
        return measured

    def _descend(self, work: Path) -> Generator[Item, None, list[Measurement]]:
        """Yield a line per epoch and return them as far as the one whose architecture is derived, usually the last."""
        job = jobs.gradient_job(self.plan, workdir=str(work / "supernet"), **self._where())
        measured: list[Measurement] = []
        for event in evaluator(job).evaluate(job):
            match event:
                case EpochSearched():
                    metrics, choices = dict(event.metrics), event.architecture.choices
                    measured.append(((event.epoch, event.architecture), metrics))
                    line = evaluation_line(self.plan, event.epoch, "search", job.seed, choices, metrics=metrics)
                    yield line | {"trace": dict(event.trace), "alpha": dict(event.alpha)}
                case Derived():
                    return measured[: event.epoch]
                case Ended():
                    broken = partial(evaluation_line, self.plan, len(measured) + 1, "search", job.seed, ())
                    yield broken(cause=event.cause, sentence=str(event.sentence))
        return measured

    def _evaluate(self, job: Job, number: int) -> Generator[Item, None, Measured | Ended]:
        over: Measured | Ended | None = None
        began, on = time.monotonic(), "cpu"
        curve: list[EpochEnded] = []
        notes: list[str] = []
        line = partial(evaluation_line, self.plan, number, job.stage, job.seed, job.choices)
        for event in evaluator(job).evaluate(job):
            match event:
                case Prepared():
                    on = event.device
                case EpochEnded():
                    curve.append(event)
                    yield event
                case Noted():
                    curve.clear()
                    notes.append(str(event.sentence))
                case Measured():
                    over = event
                    self.curves.setdefault(job.fidelity, []).append(accuracies(curve))
                    yield line(metrics=dict(event.metrics)) | ({"notes": notes} if notes else {})
                case Ended(cause="data"):
                    raise Refused(event.sentence.template, **event.sentence.values)
                case Ended():
                    over = event
                    yield line(cause=event.cause, sentence=str(event.sentence))
        assert over is not None, "an evaluator ends with one of them"
        self.spent[job.stage, on] = self.spent.get((job.stage, on), 0.0) + time.monotonic() - began
        return over

    def _where(self) -> dict[str, Any]:
        return {"data_dirs": tuple(str(place) for place in self.data_dirs)}

    def _peers(self, job: Job) -> tuple[tuple[float, ...], ...]:
        if job.policy.stopping == "none":
            return ()
        return tuple(self.curves.get(job.fidelity, [])[-MOST_PEERS:])
