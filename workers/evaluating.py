"""Drive one evaluation from claim to result: feed the runner, hold the lease, obey what its run wants."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import OperationalError
from django.db.models import QuerySet

from nas import codec, jobs, selection
from nas import plan as planning
from nas.evaluation.protocol import Job
from nas.evaluation.stopping import MOST_PEERS, accuracies
from nas.events import EVENTS, Derived, Ended, EpochEnded, EpochSearched, Measured, Noted, Prepared
from nas.events import Event as Said
from nas.policy import Bar
from nas.sentences import Sentence
from nas.strategies.distinct import DistinctState
from nas.strategies.protocol import PROMOTED
from searches import epochs, leases, lifecycle
from searches.finals import final_of
from searches.models import Evaluation, Run, StrategyState
from workers import artifacts
from workers.warm import Runner

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.5
POINTS_PER_SECOND = 5
GRACE_SECONDS = 3.0
RUNNER_DIED = "The process that trained it ended with code {code}."
TOO_LONG = "It took longer than the limit of {seconds} seconds."


def job_of(evaluation: Evaluation) -> Job:
    """Return the complete job that a runner needs."""
    run = evaluation.run
    where: dict[str, Any] = {
        "workdir": str(artifacts.workdir(evaluation)),
        "data_dirs": tuple(str(place) for place in settings.NAS_DATA_DIRS),
        "fingerprint": run.fingerprint,
        "title": run.name,
    }
    if evaluation.is_supernet:
        return jobs.gradient_job(run.plan, **where)
    architecture = evaluation.of.architecture
    if evaluation.stage == Run.Stage.SEARCH:
        where |= {"peers": _peers(evaluation), "shared": str(artifacts.shared(evaluation)), "bar": _bar(evaluation)}
        return jobs.search_job(run.plan, architecture, fidelity=evaluation.of.fidelity, **where)
    if evaluation.of.is_baseline:
        final = final_of(run)
        return jobs.baseline_job(run.plan, seed=evaluation.seed, seconds=final.seconds if final else 0.0, **where)
    return jobs.final_job(run.plan, architecture, seed=evaluation.seed, export=evaluation.export, **where)


def _peers(evaluation: Evaluation) -> tuple[tuple[float, ...], ...]:
    """Return the latest curves of the run, where its policy compares with them.

    Over epochs all rungs have one curve; over anything else a rung compares with its like.
    """
    plan = evaluation.run.plan
    if plan.policy.stopping == "none":
        return ()
    found = _measured(evaluation)
    if plan.fidelity.rungs != "epochs":
        found = found.filter(candidate__fidelity=evaluation.of.fidelity)
    curves = found.order_by("-finished_at").values_list("curve", flat=True)[:MOST_PEERS]
    return tuple(accuracies(codec.load(tuple[EpochEnded, ...], curve)) for curve in curves)


def _bar(evaluation: Evaluation) -> Bar | None:
    """Return what the proxy of a newcomer must reach, where the run's policy has it computed here."""
    plan = evaluation.run.plan
    # What climbs was trained already, and so perhaps was what is tried again: the proxy let them pass then.
    if not plan.rejects_built or evaluation.of.origin == PROMOTED or evaluation.attempt > 1:
        return None
    kept = StrategyState.objects.filter(run=evaluation.run_id).first()
    return planning.bar(plan, codec.load(DistinctState, kept.content)) if kept else None


def _measured(evaluation: Evaluation) -> QuerySet[Evaluation]:
    return Evaluation.objects.filter(run=evaluation.run_id, stage=Run.Stage.SEARCH, status=Evaluation.Status.MEASURED)


@dataclass
class Drive:
    """One attempt at one evaluation; `runner` is warm, and None after it had to be killed."""

    evaluation: Evaluation
    runner: Runner
    limit_seconds: float
    curve: list[EpochEnded] = field(default_factory=list)
    over: bool = False

    def __post_init__(self) -> None:
        now = time.monotonic()
        self._deadline = now + self.limit_seconds
        self._renew_at = now + settings.HEARTBEAT_SECONDS
        self._look_at = now + LOOK_SECONDS
        self._point_at = now

    def until_over(self) -> None:
        """Hear the runner until the evaluation is written, given back or taken away."""
        self.runner.submit(job_of(self.evaluation))
        while not self.over:
            try:
                message = self.runner.hear(max(0.0, min(self._look_at - time.monotonic(), LOOK_SECONDS)))
            except EOFError:
                code = self.runner.exit_code
                leases.lose(self.evaluation, Sentence(RUNNER_DIED, {"code": code if code is not None else 0}))
                return
            if message is not None and message["type"] not in ("Ready", "Idle"):
                self._take(codec.load_tagged(EVENTS, message))
            self._tend()

    def _take(self, event: Said) -> None:
        match event:
            case Prepared():
                leases.prepared(self.evaluation, event.fingerprint)
            case EpochEnded():
                self._point(event)
            case EpochSearched():
                self._searched(event)
            case Noted():
                self.curve.clear()
                leases.note(self.evaluation, event.sentence)
            case Measured():
                self._measured(event)
            case Derived():
                epochs.derived(self.evaluation, event.epoch, self.curve)
                self._finish()
            case Ended(cause="data"):
                # They are missing or others now: the next candidate would fail as well.
                lifecycle.hold(self.evaluation.run_id, event.sentence)
                leases.release(self.evaluation)
                lifecycle.settle(self.evaluation.run_id)
                self.over = True
            case Ended(cause="rejected"):
                leases.reject(self.evaluation, event.sentence, event.metrics)
                self._finish()
            case Ended():
                leases.fail(self.evaluation, event.cause, event.sentence, self.curve)
                self._finish()

    def _point(self, epoch: EpochEnded) -> None:
        self.curve.append(epoch)
        now = time.monotonic()
        if now >= self._point_at:
            self._point_at = now + 1 / POINTS_PER_SECOND
            leases.progress(self.evaluation, epoch)

    def _searched(self, epoch: EpochSearched) -> None:
        self._deadline = time.monotonic() + self.limit_seconds  # the limit is that of one epoch
        epochs.searched(self.evaluation, epoch)
        losses = (epoch.trace["train_loss"], epoch.trace["valid_loss"])
        seconds = epoch.metrics["training_seconds"]
        self._point(EpochEnded(epoch.epoch, epoch.epochs, *losses, epoch.metrics["accuracy"], seconds))

    def _measured(self, event: Measured) -> None:
        try:
            kept = artifacts.keep(self.evaluation, event.artifacts)
            kept += [{"name": name, "problem": codec.dump(reason)} for name, reason in event.missing.items()]
        except OSError as error:
            told = Sentence("The files could not be stored: {error}.", {"error": str(error)})
            leases.fail(self.evaluation, "error", told, self.curve)
        else:
            best = self._is_best(event)
            leases.measure(self.evaluation, event.metrics, self.curve, kept, evidence=event.evidence, best=best)
        self._finish()

    def _is_best(self, event: Measured) -> bool:
        evaluation = self.evaluation
        if evaluation.stage != Run.Stage.SEARCH:
            return False
        # Whoever is ahead was ahead when it was measured; two may have been at the same moment.
        before = _measured(evaluation).filter(led=True).order_by("finished_at", "pk").values_list("pk", "metrics")
        return selection.best(evaluation.run.plan, [*before, (evaluation.pk, event.metrics)]) == evaluation.pk

    def _finish(self) -> None:
        artifacts.clear(self.evaluation)
        self.over = True

    def _tend(self) -> None:
        """Keep the lease, watch the clock, and look what is wanted."""
        now = time.monotonic()
        if self.over or now < self._look_at:
            return
        self._look_at = now + LOOK_SECONDS
        try:
            if now >= self._renew_at:
                self._renew_at = now + settings.HEARTBEAT_SECONDS
                leases.renew(self.evaluation)
            self._obey(leases.wish(self.evaluation))
        except OperationalError as error:
            log.warning("evaluation %s: %s", self.evaluation.pk, error)
        if now >= self._deadline and not self.over:
            self._halt()
            limit = Sentence(TOO_LONG, {"seconds": round(self.limit_seconds)})
            leases.fail(self.evaluation, "timeout", limit, self.curve)
            self._finish()

    def _obey(self, wish: leases.Wish) -> None:
        if wish == "go on":
            return
        self._halt()
        ends: dict[str, Callable[[Evaluation], Any]] = {"release": leases.release, "cancel": leases.cancel}
        if wish in ends:
            ends[wish](self.evaluation)
        if wish == "cancel":
            artifacts.clear(self.evaluation)
        self.over = True

    def _halt(self) -> None:
        """Ask the runner to stop at its next event; kill it where that takes too long."""
        self.runner.cancel()
        until = time.monotonic() + GRACE_SECONDS
        try:
            while time.monotonic() < until:
                message = self.runner.hear(0.1)
                if message is not None and message["type"] == "Idle":
                    return
        except EOFError:
            return
        self.runner.kill()


def limit_of(evaluation: Evaluation) -> float:
    """Return the seconds an attempt may take: the plan's for a candidate, in proportion for the final stage.

    Of a search by gradient it is what each of its epochs may take. Shared weights may take that long for each of their
    epochs, whoever trains them and whoever waits for them.
    """
    asked = evaluation.run.plan
    if asked.is_shared and evaluation.stage == Run.Stage.SEARCH:
        return float(asked.candidate_seconds * (1 + asked.supernet.epochs))
    if evaluation.stage != Run.Stage.FINAL:
        return float(asked.candidate_seconds)
    return asked.candidate_seconds * max(1.0, 2.0 * asked.final_epochs / asked.epochs)
