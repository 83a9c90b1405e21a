"""A race from its start to its last results. Every change of status is a compare-and-set."""

from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext

from nas import codec
from nas.plan import Plan
from nas.race import contest
from nas.race.results import Results
from nas.sentences import Refused, Sentence
from searches import dispatch, lanes
from searches.leases import MOST_LOSSES, lease_end
from searches.models import Evaluation, Race, RaceLane, Run, Worker

Status = Race.Status
ROWS_AT_ONCE = 500
MOST_EVALUATIONS = 5_000_000
BETWEEN_RESULTS = 2.0
# Computing results may take a sixth of one worker's time, whatever the size of the race.
SHARE_OF_RESULTS = 5


def start(name: str, owner: User | None, plan: Plan, strategies: tuple[str, ...], seeds: int, queue: str) -> Race:
    """Make and queue a race whose first seed is the plan's, called by its number where it has no name.

    Raises Refused where one of its strategies cannot work.
    """
    if not strategies:
        raise Refused("Choose at least one strategy.")
    asked = contest.Race(replace(plan, strategy=strategies[0]), strategies, tuple(range(plan.seed, plan.seed + seeds)))
    evaluations = len(asked.starts) * plan.budget
    if evaluations > MOST_EVALUATIONS:
        raise Refused(
            "{lanes} lanes of {budget} evaluations are {evaluations} in all; a race may have {most}.",
            lanes=len(asked.starts),
            budget=plan.budget,
            evaluations=evaluations,
            most=MOST_EVALUATIONS,
        )
    asked.check()
    with transaction.atomic():
        race = Race.objects.create(
            name=name,
            owner=owner,
            plan_json=codec.dump(asked.plan),
            strategies=list(asked.entrants),
            first_seed=plan.seed,
            seeds=seeds,
            queue=queue,
        )
        if not name:
            race.name = gettext("Race {number}").format(number=race.pk)
            race.save(update_fields=["name"])
        rows = (RaceLane(race=race, strategy=strategy, seed=seed) for strategy, seed in asked.starts)
        RaceLane.objects.bulk_create(rows, batch_size=ROWS_AT_ONCE)
        transaction.on_commit(lambda: send_waiting(race))
    return race


def stop(race: Race) -> bool:
    """End now and keep the lanes that are done; a worker lets go of what it runs, and computes the last results."""
    with transaction.atomic():
        stopped = Race.objects.filter(pk=race.pk, status__in=Race.OPEN)
        if not stopped.update(status=Status.STOPPED, finished_at=timezone.now()):
            return False
        RaceLane.objects.filter(race=race.pk, status__in=RaceLane.OPEN).update(
            status=RaceLane.Status.CANCELLED, lease_until=None
        )
        lanes.changed(race.pk)
        transaction.on_commit(lambda: dispatch.send_results(race))
    return True


def delete(race: Race) -> bool:
    """Delete a race and all that came of it; False while it is open."""
    with transaction.atomic():
        found = Race.objects.select_for_update().filter(pk=race.pk).exclude(status__in=Race.OPEN).first()
        if found is not None:
            found.delete()
    if found is not None and found.report:
        default_storage.delete(found.report)
    return found is not None


def is_run(race_id: int) -> bool:
    """Tell whether no lane of it is queued or running any more."""
    return not RaceLane.objects.filter(race=race_id, status__in=RaceLane.OPEN).exists()


def claim_results(race_id: int, *, last: bool) -> Race | None:
    """Take on the computing of results; None where another does, where it was done lately, or the last ones are in."""
    now = timezone.now()
    race = Race.objects.filter(pk=race_id, closed=False).first()
    if race is None:
        return None
    pause = timedelta(seconds=max(BETWEEN_RESULTS, SHARE_OF_RESULTS * race.results_seconds))
    if not last and race.results_at is not None and now < race.results_at + pause:
        return None
    free = Race.objects.filter(Q(results_until=None) | Q(results_until__lt=now), pk=race_id, closed=False)
    return race if free.update(results_until=lease_end()) else None


def hold_results(race: Race) -> None:
    """Hold on to the computing of results for another lease."""
    Race.objects.filter(pk=race.pk, closed=False).update(results_until=lease_end())


def save_results(race: Race, found: Results, seconds: float) -> None:
    """Write what the lanes came to so far, and how long it took to compute that."""
    with transaction.atomic():
        Race.objects.filter(pk=race.pk, closed=False).update(
            results_json=codec.dump(found), results_at=timezone.now(), results_seconds=seconds
        )
        lanes.changed(race.pk)


def release_results(race: Race) -> None:
    """Give the lease back, with or without any results."""
    Race.objects.filter(pk=race.pk).update(results_until=None)


def lose_results(race: Race, reason: Sentence) -> None:
    """Give the lease back after the process died that computed the last results; the third time end without them."""
    found = Race.objects.filter(pk=race.pk, closed=False)
    found.update(results_until=None, results_losses=F("results_losses") + 1)
    if found.filter(results_losses__gte=MOST_LOSSES).exists():
        close(race, "", reason)


def close(race: Race, report: str, problem: Sentence | None = None) -> bool:
    """End a race whose last results are in: completed, or failed where no lane came to its end; a stopped one stays."""
    if problem is None and not race.lanes.filter(status=RaceLane.Status.DONE).exists():
        failed = race.lanes.filter(status=RaceLane.Status.FAILED).order_by("-pk").first()
        problem = failed.sentence if failed else None
    ends = Status.FAILED if problem else Status.COMPLETED
    told = codec.dump(problem) if problem else None
    with transaction.atomic():
        closed = Race.objects.filter(pk=race.pk, closed=False).update(
            closed=True, results_until=None, report=report, sentence_json=told
        )
        if closed:
            ran = Race.objects.filter(pk=race.pk, status__in=Race.OPEN)
            ran.update(status=ends, finished_at=timezone.now())
            lanes.changed(race.pk)
    return bool(closed)


def tend() -> None:
    """Put back silent lanes, send what waits too long, and see to it that what has run is closed."""
    lanes.lose_silent()
    now = timezone.now()
    for race in Race.objects.filter(closed=False).defer("results_json"):
        if race.is_open and not is_run(race.pk):
            send_waiting(race)
            continue
        quiet = race.sent_at is None or race.sent_at < now - timedelta(seconds=settings.REDISPATCH_SECONDS)
        if quiet and (race.results_until is None or race.results_until < now):
            dispatch.send_results(race)


def send_waiting(race: Race) -> None:
    """Have one lane under way, sent or running, for each living worker of the race's queue."""
    workers = sum(worker.is_alive for worker in Worker.objects.filter(queue=race.queue, draining=False))
    waiting = lanes.unsent(race.pk)
    under_way = RaceLane.objects.filter(race=race.pk, status__in=RaceLane.OPEN).exclude(pk__in=waiting.values("pk"))
    free = max(1, workers) - under_way.count()
    if free > 0:
        dispatch.send_lanes(race, waiting[:free])


def is_in_the_way(race: Race) -> bool:
    """Tell whether a search on a table waits for the workers of this race; a training can bear the wait for a turn."""
    waiting = Evaluation.objects.filter(status=Evaluation.Status.QUEUED, run__plan_json__evaluator="table")
    return waiting.filter(run__queue=race.queue, run__status__in=Run.WORKING).exists()


def send_next(race_id: int) -> bool:
    """Pass on the turn of a worker that has done its share, behind whatever else waits; False where no lane does."""
    lane = lanes.unsent(race_id).select_related("race").first()
    if lane is not None:
        dispatch.send_lanes(lane.race, [lane])
    return lane is not None
