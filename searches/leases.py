"""Every change of status of an evaluation: who holds it, and what came of it. Each one is fenced by its attempt."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from nas import codec
from nas.events import Cause, EpochEnded, Evidence
from nas.sentences import Sentence
from searches.models import Evaluation, Run, Worker
from searches.record import prune_epochs, record

Status = Evaluation.Status
Wish = Literal["go on", "release", "cancel", "let go"]
MOST_LOSSES = 3
WORKER_SILENT = "The worker {worker} fell silent."
GIVEN_UP = "It was lost {losses} times; the last time: {reason}"
RELEASED = "It was put back into the queue."


def claim(evaluation_id: int, attempt: int, worker: str) -> Evaluation | None:
    """Take a queued evaluation of a working run; None for a stale or doubled message."""
    now = timezone.now()
    with transaction.atomic():
        mine = Evaluation.objects.filter(
            pk=evaluation_id, attempt=attempt, status=Status.QUEUED, run__status__in=Run.WORKING
        )
        # A filter over a join cannot be updated in place on every database; ids can.
        taken = Evaluation.objects.filter(
            pk__in=list(mine.values_list("pk", flat=True)), attempt=attempt, status=Status.QUEUED
        )
        if not taken.update(status=Status.RUNNING, worker=worker, lease_until=lease_end(), started_at=now):
            return None
        evaluation = Evaluation.objects.select_related("run", "candidate").get(pk=evaluation_id)
        record(
            evaluation.run_id,
            "started",
            {**_about(evaluation), "attempt": attempt, "worker": worker, "epochs": evaluation.epochs},
        )
    return evaluation


def renew(evaluation: Evaluation) -> bool:
    """Hold on for another lease; False where the attempt is no longer mine."""
    return bool(_mine(evaluation).update(lease_until=lease_end()))


def wish(evaluation: Evaluation) -> Wish:
    """Read what is wanted of a running evaluation: its run may be paused or stopped, its worker drained."""
    row = _mine(evaluation).values_list("run__status", "run__closing", "run__stage").first()
    if row is None:
        return "let go"
    status, closing, stage = row
    if status == Run.Status.STOPPING or (closing and stage == Run.Stage.SEARCH):
        return "cancel"
    if status == Run.Status.PAUSING or Worker.objects.filter(name=evaluation.worker, draining=True).exists():
        return "release"
    return "go on" if status in Run.WORKING else "let go"


def progress(evaluation: Evaluation, epoch: EpochEnded) -> None:
    """Publish a live point of the learning curve, while the attempt is mine."""
    with transaction.atomic():
        if _mine(evaluation).exists():
            record(evaluation.run_id, "epoch", {**_about(evaluation), **codec.dump(epoch)}, evaluation.pk)


def note(evaluation: Evaluation, sentence: Sentence) -> None:
    """Tell what a person should know of a running attempt, while it is mine; its curve begins anew."""
    with transaction.atomic():
        if _mine(evaluation).exists():
            prune_epochs(evaluation.pk)
            record(evaluation.run_id, "noted", {**_about(evaluation), "sentence": codec.dump(sentence)})


def prepared(evaluation: Evaluation, fingerprint: str) -> None:
    """Note the fingerprint of the data that the run's first evaluation read."""
    Run.objects.filter(pk=evaluation.run_id, fingerprint="").update(fingerprint=fingerprint)


def measure(
    evaluation: Evaluation,
    metrics: Mapping[str, float],
    curve: Sequence[EpochEnded],
    artifacts: Sequence[Mapping[str, Any]] = (),
    *,
    evidence: Evidence | None = None,
    best: bool = False,
) -> bool:
    """Write the result; False, and nothing written, where the attempt is no longer mine."""
    with transaction.atomic():
        changed = _mine(evaluation).update(
            status=Status.MEASURED,
            metrics=dict(metrics),
            curve=codec.dump(list(curve)),
            artifacts=list(artifacts),
            evidence_json=codec.dump(evidence),
            led=best,
            finished_at=timezone.now(),
            lease_until=None,
        )
        if changed:
            record(
                evaluation.run_id,
                "measured",
                {**_about(evaluation), "metrics": dict(metrics), "best": best, "artifacts": list(artifacts)},
            )
            prune_epochs(evaluation.pk)
    return bool(changed)


def fail(evaluation: Evaluation, cause: Cause, sentence: Sentence, curve: Sequence[EpochEnded] = ()) -> bool:
    """End an evaluation that could not be measured; its run goes on."""
    with transaction.atomic():
        return _fail(_mine(evaluation), evaluation, cause, sentence, codec.dump(list(curve)))


def reject(evaluation: Evaluation, sentence: Sentence, metrics: Mapping[str, float]) -> bool:
    """End an evaluation that a proxy spoke against before anything was trained; nothing of the budget is spent."""
    with transaction.atomic():
        changed = _mine(evaluation).update(
            status=Status.FAILED,
            cause=Evaluation.Cause.REJECTED,
            sentence_json=codec.dump(sentence),
            metrics=dict(metrics),
            finished_at=timezone.now(),
            lease_until=None,
        )
        if changed:
            record(evaluation.run_id, "rejected", {**_about(evaluation), "metrics": dict(metrics)})
    return bool(changed)


def cancel(evaluation: Evaluation) -> bool:
    """End an evaluation that is not wanted any more."""
    with transaction.atomic():
        changed = _mine(evaluation).update(status=Status.CANCELLED, finished_at=timezone.now(), lease_until=None)
        if changed:
            record(evaluation.run_id, "cancelled", _about(evaluation))
            prune_epochs(evaluation.pk)
    return bool(changed)


def release(evaluation: Evaluation) -> bool:
    """Put an evaluation back for a later attempt, which resumes from its checkpoint; this is no loss."""
    with transaction.atomic():
        return _requeue(_mine(evaluation), evaluation, Sentence(RELEASED))


def lose(evaluation: Evaluation, reason: Sentence) -> bool:
    """Put an evaluation back whose worker or runner died; the third time it fails with the cause lost."""
    with transaction.atomic():
        held = _mine(evaluation)
        if evaluation.losses + 1 < MOST_LOSSES:
            return _requeue(held, evaluation, reason, losses=F("losses") + 1)
        given_up = Sentence(GIVEN_UP, {"losses": evaluation.losses + 1, "reason": reason})
        return _fail(held, evaluation, "lost", given_up, [])


def silent() -> QuerySet[Evaluation]:
    """Return the running evaluations whose lease ran out."""
    return Evaluation.objects.filter(status=Status.RUNNING, lease_until__lt=timezone.now())


def send_again() -> None:
    """Let the sweep send every queued evaluation at its next tick: messages may have been lost."""
    Evaluation.objects.filter(status=Status.QUEUED).update(sent_at=None)


def lose_all_of(worker: str) -> None:
    """Put back what a worker of this name held before it was started anew."""
    for evaluation in Evaluation.objects.filter(status=Status.RUNNING, worker=worker).select_related("candidate"):
        lose(evaluation, Sentence(WORKER_SILENT, {"worker": worker}))


def _mine(evaluation: Evaluation) -> QuerySet[Evaluation]:
    return Evaluation.objects.filter(pk=evaluation.pk, attempt=evaluation.attempt, status=Status.RUNNING)


def _requeue(held: QuerySet[Evaluation], evaluation: Evaluation, reason: Sentence, **fields: Any) -> bool:
    changed = held.update(
        status=Status.QUEUED, attempt=F("attempt") + 1, lease_until=None, sent_at=None, worker="", **fields
    )
    if changed:
        record(
            evaluation.run_id,
            "requeued",
            {
                **_about(evaluation),
                "attempt": evaluation.attempt + 1,
                "worker": evaluation.worker,
                "sentence": codec.dump(reason),
            },
        )
    return bool(changed)


def _fail(held: QuerySet[Evaluation], evaluation: Evaluation, cause: Cause, sentence: Sentence, curve: Any) -> bool:
    changed = held.update(
        status=Status.FAILED,
        cause=cause,
        sentence_json=codec.dump(sentence),
        curve=curve,
        finished_at=timezone.now(),
        lease_until=None,
    )
    if changed:
        record(evaluation.run_id, "failed", {**_about(evaluation), "cause": cause, "sentence": codec.dump(sentence)})
        prune_epochs(evaluation.pk)
    return bool(changed)


def _about(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "evaluation": evaluation.pk,
        "candidate": evaluation.candidate.number if evaluation.candidate else None,
        "stage": evaluation.stage,
        "seed": evaluation.seed,
    }


def lease_end() -> datetime:
    """Return until when what is claimed or renewed now is held."""
    return timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
