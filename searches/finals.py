"""The final stage of a run as the engine sees it, read from rows."""

from collections import defaultdict

from nas.events import Measured
from nas.final import Final
from searches.models import Candidate, Evaluation, Run, Worker


def final_of(run: Run) -> Final | None:
    """Return what the final stage has measured so far; None before that stage."""
    # In the order in which they were made, which is that of the search's ranking.
    rows = list(run.evaluations.filter(stage=Run.Stage.FINAL).select_related("candidate").order_by("pk"))
    finalists = {one.of.number: one.of.architecture for one in rows if not one.of.is_baseline}
    if not finalists:
        return None
    final = Final(run.plan, finalists)
    for one in sorted(rows, key=lambda row: row.seed):
        if one.status == Evaluation.Status.MEASURED:
            final.add(one.of.number, Measured(one.metrics, evidence=one.evidence))
    return final


def champion_of(run: Run) -> Candidate | None:
    """Return the finalist that has won, None where none was measured."""
    final = final_of(run)
    if final is None or not any(final.measured[number] for number in final.finalists):
        return None
    return run.candidates.get(number=final.winner)


def spent(run: Run) -> dict[tuple[str, str], float]:
    """Return the seconds that evaluations took, by stage and device; of one in several attempts the last counts."""
    devices = dict(Worker.objects.values_list("name", "device"))
    found: defaultdict[tuple[str, str], float] = defaultdict(float)
    for stage, worker, began, over in run.evaluations.values_list("stage", "worker", "started_at", "finished_at"):
        if began and over:
            found[stage, devices.get(worker, "cpu")] += (over - began).total_seconds()
    return dict(found)
