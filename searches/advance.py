"""The one place where a strategy is stepped: tell what came in, ask for the free seats, commit, send.

A run's version is the compare-and-set: whoever commits second throws the work away and reads again.
"""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from nas import codec, jobs, plan, selection
from nas.sentences import Refused, Sentence
from nas.strategies.protocol import Proposal
from nas.strategies.screened import CORRELATION, TRUSTED
from searches import dispatch, epochs, lifecycle
from searches.finals import champion_of
from searches.models import Candidate, Evaluation, Generation, Run, StrategyState, Worker
from searches.record import record

TRIES = 5
SEATS_PER_WORKER = 2
Status = Evaluation.Status
OVER = (Status.MEASURED, Status.FAILED)


def advance(run_id: int) -> None:
    """Bring a run as far as it can go now; harmless at any time, from any process."""
    for _ in range(TRIES):
        run = Run.objects.get(pk=run_id)
        if run.status not in Run.WORKING:
            lifecycle.settle(run_id)
            return
        try:
            stepped = _step_final(run) if run.stage == Run.Stage.FINAL else _step_search(run)
        except Refused as refused:
            # The plan was checked when it started, so something it stands on has gone since, such as a table's file.
            stepped = lifecycle.fail(run.pk, run.version, refused.sentence)
        if stepped:
            return


@dataclass
class _Step:
    """What one step of the strategy came to, before it is committed."""

    state: object
    told: list[int]
    proposals: list[Proposal]
    traces: dict[int, dict[str, float]]


def _step_search(run: Run) -> bool:
    """Step the strategy once; True where the step was committed or there was nothing to do."""
    if run.plan.is_gradient:
        return _step_supernet(run)
    in_flight = run.evaluations.filter(status__in=Evaluation.OPEN).count()
    # Candidates are numbered without gaps, so the latest number counts them.
    asked = run.candidates.order_by("-number").values_list("number", flat=True).first() or 0
    step = None if run.closing else _strategy_step(run, asked, in_flight)
    if step is None or not (step.proposals or in_flight):
        # Nothing is asked and nothing can come in: the search is over, once what runs has been let go.
        return True if in_flight else _open_final(run, step)
    if not (step.proposals or step.told):
        return True
    return _commit_search(run, step)


def _step_supernet(run: Run) -> bool:
    """Begin the one long evaluation that is the search, and go on to the final stage once it is over."""
    supernet = run.evaluations.filter(stage=Evaluation.SUPERNET).first()
    if supernet is None and not run.closing:
        return _commit_search(run, _Step(None, [], [], {}))
    if supernet is not None and supernet.status in Evaluation.OPEN:
        return True
    return _open_final(run, None)


def _strategy_step(run: Run, asked: int, in_flight: int) -> _Step:
    space, strategy = plan.search_space(run.plan), plan.strategy(run.plan)
    # Read after the run: if another step came between, the run's version tells, and this one is thrown away.
    kept = StrategyState.objects.filter(run=run).first()
    if kept is None:
        state = strategy.begin(run.plan.seed, plan.terms(run.plan))
    else:
        state = codec.load(strategy.state, kept.content)
    untold = run.evaluations.filter(stage=Run.Stage.SEARCH, status__in=OVER, told=False)
    before = asked - run.evaluations.filter(stage=Run.Stage.SEARCH, told=False).count()
    told, traces = [], {}
    for count, evaluation in enumerate(untold.select_related("candidate").order_by("finished_at", "pk"), before + 1):
        candidate = evaluation.of
        about = (candidate.number, candidate.architecture, candidate.fidelity, evaluation.metrics or None)
        outcome = selection.outcome(run.plan, *about, rejected=evaluation.is_rejected)
        state = strategy.tell(space, state, outcome)
        told.append(evaluation.pk)
        # By evaluations told, not by generation: a steady-state strategy has only one of those.
        if trace := strategy.trace(state):
            traces[count] = {**trace, "generation": candidate.generation}
    rejected = run.evaluations.filter(cause=Evaluation.Cause.REJECTED).count() if run.plan.rejects_built else 0
    seats = min(_seats(run) - in_flight, run.plan.budget - (asked - rejected))
    proposals: list[Proposal] = []
    if seats > 0:
        state, proposals = strategy.ask(space, state, seats)
    return _Step(codec.dump(state), told, proposals, traces)


def _seats(run: Run) -> int:
    alive = sum(worker.is_alive for worker in Worker.objects.filter(queue=run.queue, draining=False))
    return SEATS_PER_WORKER * max(alive, 1)


def _commit_search(run: Run, step: _Step) -> bool:
    with transaction.atomic():
        changed = Run.objects.filter(pk=run.pk, version=run.version, status__in=Run.WORKING, closing=False).update(
            version=run.version + 1,
            status=Run.Status.RUNNING,
            started_at=run.started_at or timezone.now(),
        )
        if not changed:
            return False
        # Not update_or_create: it would read the old one, which may be large, to write the new one.
        if step.state is not None and not StrategyState.objects.filter(run=run).update(content=step.state):
            StrategyState.objects.create(run=run, content=step.state)
        if run.status == Run.Status.QUEUED:
            record(run.pk, "run", {"status": Run.Status.RUNNING, "stage": Run.Stage.SEARCH})
        _note(run, step)
        evaluations = [epochs.supernet(run)] if run.plan.is_gradient else _insert(run, step.proposals)
        transaction.on_commit(lambda: dispatch.send(evaluations))
    return True


def _note(run: Run, step: _Step) -> None:
    Evaluation.objects.filter(pk__in=step.told).update(told=True)
    before = run.generations.order_by("number").last()
    Generation.objects.bulk_create(
        Generation(run=run, number=number, trace=trace) for number, trace in step.traces.items()
    )
    trusted = before.trace.get(TRUSTED, 0.0) if before else 0.0
    for number, trace in step.traces.items():
        record(run.pk, "generation", {"told": number, "trace": trace})
        if trace.get(TRUSTED, trusted) != trusted:
            trusted = trace[TRUSTED]
            told = {"trusted": bool(trusted), "correlation": trace[CORRELATION], "proxy": run.plan.policy.proxy}
            record(run.pk, "proxy", told)


def _insert(run: Run, proposals: list[Proposal]) -> list[Evaluation]:
    if not proposals:
        return []
    space = plan.search_space(run.plan)
    candidates = []
    for proposal in proposals:
        graph = space.graph(proposal.architecture)
        candidates.append(
            Candidate(
                run=run,
                number=proposal.number,
                space=proposal.architecture.space,
                choices=list(proposal.architecture.choices),
                key=proposal.architecture.key,
                generation=proposal.generation,
                origin=proposal.origin,
                parents=list(proposal.parents),
                fidelity=proposal.fidelity,
                parameters=graph.parameters,
                multiply_adds=graph.multiply_adds,
            )
        )
    candidates = Candidate.objects.bulk_create(candidates)
    record(
        run.pk,
        "proposed",
        {
            "generation": proposals[-1].generation,
            "candidates": [
                {
                    "number": one.number,
                    "generation": one.generation,
                    "origin": one.origin,
                    "parents": one.parents,
                    "parameters": one.parameters,
                    "multiply_adds": one.multiply_adds,
                }
                for one in candidates
            ],
        },
    )
    return Evaluation.objects.bulk_create(
        Evaluation(
            run=run,
            candidate=one,
            stage=Run.Stage.SEARCH,
            epochs=jobs.epochs_of(run.plan, one.fidelity),
            seed=run.plan.seed,
        )
        for one in candidates
    )


def _open_final(run: Run, step: _Step | None) -> bool:
    measured = run.evaluations.filter(stage=Run.Stage.SEARCH, status=Status.MEASURED).select_related("candidate")
    rows = ((one.of, one.metrics) for one in measured)
    # Of a search by gradient the winner may be known: the architecture that was derived, or that a person took.
    known = [run.winner] if run.winner else None
    finalists = known or selection.finalists(run.plan, rows, lambda candidate: candidate.key)
    if not finalists:
        return lifecycle.fail(run.pk, run.version, _why_no_winner(run))
    with transaction.atomic():
        changed = Run.objects.filter(pk=run.pk, version=run.version, status__in=Run.WORKING).update(
            stage=Run.Stage.FINAL, winner=finalists[0], version=run.version + 1, status=Run.Status.RUNNING
        )
        if not changed:
            return False
        if step is not None:
            Evaluation.objects.filter(pk__in=step.told).update(told=True)
        in_time = run.plan.is_rehearsal or run.plan.baseline.budget == "time"
        evaluations = _insert_final(run, finalists if in_time else [*finalists, _baseline(run)])
        about = {"winner": finalists[0].number, "finalists": [one.number for one in finalists]}
        record(run.pk, "run", {"status": Run.Status.RUNNING, "stage": Run.Stage.FINAL, **about})
        transaction.on_commit(lambda: dispatch.send(evaluations))
    return True


def _insert_final(run: Run, contestants: list[Candidate]) -> list[Evaluation]:
    seeds = jobs.final_seeds(run.plan)
    return Evaluation.objects.bulk_create(
        Evaluation(
            run=run,
            candidate=candidate,
            stage=Run.Stage.FINAL,
            epochs=run.plan.final_epochs,
            seed=seed,
            export=not candidate.is_baseline and seed == seeds[0],
        )
        for seed in seeds
        for candidate in contestants
    )


def _baseline(run: Run) -> Candidate:
    reference = run.plan.baseline
    # What torchvision builds is measured by a worker: this process cannot.
    graph = None if reference.is_foreign else reference.graph(run.plan.task)
    return Candidate.objects.create(
        run=run,
        number=0,
        space=reference.architecture.space,
        choices=list(reference.architecture.choices),
        key=reference.architecture.key,
        origin="baseline",
        parameters=graph.parameters if graph else 0,
        multiply_adds=graph.multiply_adds if graph else 0,
    )


def _why_no_winner(run: Run) -> Sentence:
    over = run.evaluations.exclude(stage=Run.Stage.FINAL).order_by("-finished_at")
    failed = over.filter(status=Status.FAILED).first()
    if run.evaluations.filter(status=Status.MEASURED).exists() or failed is None or failed.sentence is None:
        return Sentence(lifecycle.NO_WINNER)
    return Sentence(lifecycle.NOTHING_MEASURED, {"reason": failed.sentence})


def _step_final(run: Run) -> bool:
    final = run.evaluations.filter(stage=Run.Stage.FINAL)
    if final.filter(status__in=Evaluation.OPEN).exists():
        return True
    winner = champion_of(run)
    if winner is None:
        failed = final.filter(status=Status.FAILED).first()
        reason = failed.sentence if failed and failed.sentence else "-"
        return lifecycle.fail(run.pk, run.version, Sentence(lifecycle.NO_FINAL, {"reason": reason}))
    if run.plan.is_rehearsal or run.candidates.filter(number=0).exists():
        return lifecycle.complete(run.pk, run.version, winner=winner)
    return _open_baseline(run, winner)


def _open_baseline(run: Run, winner: Candidate) -> bool:
    """Train the baseline at last: for as long as the winner, which was not known before."""
    with transaction.atomic():
        changed = Run.objects.filter(pk=run.pk, version=run.version, status__in=Run.WORKING).update(
            winner=winner, version=run.version + 1
        )
        if not changed:
            return False
        evaluations = _insert_final(run, [_baseline(run)])
        transaction.on_commit(lambda: dispatch.send(evaluations))
    return True
