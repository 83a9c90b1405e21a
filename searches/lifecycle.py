"""Every change of status of a run, each a compare-and-set: where it touches no row, somebody else was first."""

from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop

from nas import codec
from nas.checks import check
from nas.sentences import Refused, Sentence
from searches.models import Candidate, Evaluation, Run, Worker
from searches.record import record
from searches.warming import warmed

Status = Run.Status


def start(run: Run) -> None:
    """Queue a draft, with what it learns from earlier searches written into its plan.

    Raises Refused where the plan cannot work or it was started before.
    """
    check(run.plan, tells_energy=Worker.tell_energy(run.queue))
    if not _move(run.pk, (Status.DRAFT,), Status.QUEUED, plan_json=codec.dump(warmed(run.plan))):
        raise Refused("The search {name} was started before.", name=run.name)


def pause(run: Run) -> bool:
    """Take no new work; what trains now is released with its checkpoint."""
    if not _move(run.pk, (Status.QUEUED, Status.RUNNING), Status.PAUSING):
        return False
    settle(run.pk)
    return True


def hold(run_id: int, sentence: Sentence) -> bool:
    """Pause a run that could measure nothing as things are, with the reason; nothing of its budget is spent."""
    return _move(run_id, Run.WORKING, Status.PAUSING, sentence_json=codec.dump(sentence))


def resume(run: Run) -> bool:
    """Go on where it was paused."""
    if not _move(run.pk, (Status.PAUSING, Status.PAUSED), Status.RUNNING, sentence_json=None):
        return False
    # Messages that came while it was paused were turned away.
    Evaluation.objects.filter(run_id=run.pk, status=Evaluation.Status.QUEUED).update(sent_at=None)
    return True


def stop(run: Run) -> bool:
    """End now and keep what was measured."""
    with transaction.atomic():
        if not _move(run.pk, (*Run.WORKING, Status.PAUSING, Status.PAUSED), Status.STOPPING):
            return False
        _cancel_queued(run.pk)
    settle(run.pk)
    return True


def finish(run: Run) -> bool:
    """End the search stage now and train the best so far fully; False where the final stage has begun already."""
    return _close(run)


def take(run: Run, epoch: int) -> bool:
    """End a search by gradient now and train the architecture of that epoch fully; False as for `finish`."""
    winner = run.candidates.filter(number=epoch, origin="derived").first()
    return winner is not None and _close(run, winner=winner)


def _close(run: Run, *, winner: Candidate | None = None) -> bool:
    chosen = {"winner": winner} if winner else {}
    with transaction.atomic():
        changed = Run.objects.filter(
            pk=run.pk,
            stage=Run.Stage.SEARCH,
            closing=False,
            status__in=(*Run.WORKING, Status.PAUSING, Status.PAUSED),
        ).update(closing=True, status=Status.RUNNING, version=F("version") + 1, **chosen)
        if not changed:
            return False
        _cancel_queued(run.pk)
        taken = {"taken": winner.number} if winner else {}
        record(run.pk, "run", {"status": Status.RUNNING, "stage": Run.Stage.SEARCH, "closing": True, **taken})
    return True


def settle(run_id: int) -> None:
    """Let a pausing run be paused and a stopping one cancelled, once nothing of it runs any more."""
    if Evaluation.objects.filter(run_id=run_id, status=Evaluation.Status.RUNNING).exists():
        return
    _move(run_id, (Status.PAUSING,), Status.PAUSED)
    with transaction.atomic():
        if _move(run_id, (Status.STOPPING,), Status.CANCELLED, finished_at=timezone.now()):
            _cancel_queued(run_id)


def complete(run_id: int, version: int, *, winner: Candidate) -> bool:
    """End a run whose final stage is measured, with the finalist that has won it."""
    return _move(run_id, Run.WORKING, Status.COMPLETED, version=version, winner=winner, finished_at=timezone.now())


def fail(run_id: int, version: int, sentence: Sentence) -> bool:
    """End a run that cannot go on, with the reason."""
    return _move(
        run_id,
        Run.WORKING,
        Status.FAILED,
        version=version,
        finished_at=timezone.now(),
        sentence_json=codec.dump(sentence),
    )


def _move(run_id: int, before: tuple[str, ...], after: str, *, version: int | None = None, **fields: Any) -> bool:
    with transaction.atomic():
        runs = Run.objects.filter(pk=run_id, status__in=before)
        if version is not None:
            runs = runs.filter(version=version)
        if not runs.update(status=after, **fields):
            return False
        stage = Run.objects.values_list("stage", flat=True).get(pk=run_id)
        record(run_id, "run", {"status": after, "stage": stage, "sentence": fields.get("sentence_json")})
    return True


def _cancel_queued(run_id: int) -> None:
    queued = Evaluation.objects.filter(run_id=run_id, status=Evaluation.Status.QUEUED)
    queued.update(status=Evaluation.Status.CANCELLED, finished_at=timezone.now())


# Said by advance and leases, listed here for translation.
NOTHING_MEASURED = gettext_noop("No candidate could be measured. The last one: {reason}")
NO_WINNER = gettext_noop("No measured candidate keeps to the limits.")
NO_FINAL = gettext_noop("The final training of the winner failed: {reason}")
