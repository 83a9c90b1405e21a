"""A search by gradient as rows: one long evaluation of its supernet, and what every epoch of it derived."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from nas.events import EpochEnded, EpochSearched
from searches import leases
from searches.models import Candidate, Evaluation, Generation, Run
from searches.record import record

QUIET = 5  # an alarm that comes and goes is told again only after so many epochs without it


def supernet(run: Run) -> Evaluation:
    """Insert the evaluation that is the whole search."""
    return Evaluation.objects.create(run=run, stage=Evaluation.SUPERNET, epochs=run.plan.budget, seed=run.plan.seed)


def searched(evaluation: Evaluation, epoch: EpochSearched) -> bool:
    """Write an epoch as a generation and a candidate that is measured under the shared weights.

    False, and nothing written, where an earlier attempt wrote it, or this one is no longer mine.
    """
    run = evaluation.run
    with transaction.atomic():
        # Renewing locks the row: an attempt that was given up cannot write between two epochs of the next.
        if not leases.renew(evaluation) or run.generations.filter(number=epoch.epoch).exists():
            return False
        lately = run.generations.filter(number__gte=epoch.epoch - QUIET).values_list("trace__collapse", flat=True)
        alarm = bool(epoch.trace["collapse"]) and not any(lately)
        trace = {**epoch.trace, "generation": epoch.epoch}
        Generation.objects.create(
            run=run, number=epoch.epoch, trace=trace, alpha={edge: dict(row) for edge, row in epoch.alpha.items()}
        )
        measured = _measured(evaluation, epoch)
        record(run.pk, "proposed", {"generation": epoch.epoch, "candidates": [_proposed(measured.of)]})
        record(run.pk, "measured", _told(measured))
        record(
            run.pk,
            "generation",
            {"told": epoch.epoch, "trace": trace, "alpha": dict(epoch.alpha), "alarm": alarm},
        )
    return True


def derived(evaluation: Evaluation, epoch: int, curve: Sequence[EpochEnded]) -> bool:
    """End the search: the architecture of an epoch has won, unless a person chose another."""
    with transaction.atomic():
        if not leases.measure(evaluation, {}, curve):
            return False
        winner = evaluation.run.candidates.get(number=epoch)
        Run.objects.filter(pk=evaluation.run_id, winner=None).update(winner=winner)
    return True


def _measured(evaluation: Evaluation, epoch: EpochSearched) -> Evaluation:
    candidate = Candidate.objects.create(
        run=evaluation.run,
        number=epoch.epoch,
        space=epoch.architecture.space,
        choices=list(epoch.architecture.choices),
        key=epoch.architecture.key,
        generation=epoch.epoch,
        origin="derived",
        parameters=int(epoch.metrics["parameters"]),
        multiply_adds=int(epoch.metrics["multiply_adds"]),
    )
    last = evaluation.run.evaluations.filter(stage=Run.Stage.SEARCH).order_by("-finished_at").first()
    since = [evaluation.started_at, last.finished_at if last else None]
    return Evaluation.objects.create(
        run=evaluation.run,
        candidate=candidate,
        stage=Run.Stage.SEARCH,
        epochs=epoch.epoch,
        seed=evaluation.seed,
        status=Evaluation.Status.MEASURED,
        told=True,
        worker=evaluation.worker,
        started_at=max((at for at in since if at), default=None),
        finished_at=timezone.now(),
        metrics=dict(epoch.metrics),
    )


def _proposed(candidate: Candidate) -> dict[str, Any]:
    names = ("number", "generation", "origin", "parents", "parameters", "multiply_adds")
    return {name: getattr(candidate, name) for name in names}


def _told(measured: Evaluation) -> dict[str, Any]:
    return {
        "evaluation": measured.pk,
        "candidate": measured.of.number,
        "stage": measured.stage,
        "seed": measured.seed,
        "metrics": measured.metrics,
        "best": False,
        "artifacts": [],
    }
