"""What happened in a run, told in words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from nas import codec
from nas.plan import usual_objective
from nas.sentences import Sentence
from searches.columns import figure_of
from searches.figures import Figure, decimals, write
from searches.models import Evaluation, Event, Run
from searches.say import say

LATEST = 60
TOLD = (
    Q(kind__in=("failed", "noted", "requeued", "run", "proxy"))
    | Q(kind="measured", data__best=True)
    | Q(kind="measured", data__stage=Run.Stage.FINAL)
    | Q(kind="generation", data__alarm=True)
)


@dataclass(frozen=True)
class Line:
    """One thing that happened; `tone` is "bad", "wait", "good" or nothing."""

    at: datetime
    text: str
    tone: str = ""


def story(run: Run) -> list[Line]:
    """Return the latest lines, newest first."""
    figure = figure_of(run.plan, run.plan.objectives[0].metric)
    return [_line(run, event, figure) for event in run.events.filter(TOLD).order_by("-seq")[:LATEST]]


def _line(run: Run, event: Event, figure: Figure) -> Line:
    data = event.data
    match event.kind:
        case "failed":
            words = {"who": _who(data), "cause": Evaluation.Cause(data["cause"]).label, "reason": _reason(data)}
            return Line(event.at, _("%(who)s failed (%(cause)s). %(reason)s") % words, "bad")
        case "noted":
            return Line(event.at, _("%(who)s: %(reason)s") % {"who": _who(data), "reason": _reason(data)}, "wait")
        case "requeued":
            words = {"who": _who(data), "attempt": data["attempt"], "reason": _reason(data)}
            return Line(event.at, _("%(who)s waits for attempt %(attempt)d. %(reason)s") % words, "wait")
        case "proxy":
            return _proxy_line(run, event)
        case "generation":
            text = _("Epoch %(epoch)d: skip connections and none take over; the alarm of collapse is raised.")
            return Line(event.at, text % {"epoch": data["told"]}, "bad")
        case "measured" if data["stage"] == Run.Stage.FINAL:
            return Line(event.at, _final_line(run, data))
        case "measured":
            words = {"who": _who(data), "value": write(figure, data["metrics"].get(figure.name))}
            return Line(event.at, _("%(who)s is the best so far: %(value)s.") % words, "good")
        case _:
            return _status_line(run, event)


def _final_line(run: Run, data: dict[str, Any]) -> str:
    if not run.plan.is_rehearsal:
        if run.plan.tells_number:
            figure = figure_of(run.plan, "rmse")
            words = {"who": _who(data), "metric": figure.title, "value": write(figure, data["metrics"].get("rmse"))}
            return _("%(who)s: %(metric)s %(value)s on the test split.") % words
        words = {"who": _who(data), "value": write("accuracy", data["metrics"].get("accuracy"))}
        if "accuracy" in data["metrics"]:
            return _("%(who)s: accuracy %(value)s on the test split.") % words
        figure = figure_of(run.plan, usual_objective(run.plan).metric)
        words |= {"title": str(figure.title), "value": write(figure, data["metrics"].get(figure.name))}
        return _("%(who)s: %(title)s %(value)s on the test split.") % words
    read = [figure_of(run.plan, column) for column in run.plan.report]
    values = [f"{figure.title} {write(figure, data['metrics'].get(figure.name))}" for figure in read]
    who = _("Candidate %(number)d") % {"number": data["candidate"]}
    if not values:
        return _("%(who)s was looked up once more.") % {"who": who}
    return _("%(who)s in the table: %(values)s.") % {"who": who, "values": _("; ").join(values)}


def _proxy_line(run: Run, event: Event) -> Line:
    words = {"proxy": figure_of(run.plan, event.data["proxy"]).title, "value": decimals(event.data["correlation"], 2)}
    if event.data["trusted"]:
        text = _("%(proxy)s ranks what was measured (rank correlation %(value)s): it rejects proposals from now on.")
        return Line(event.at, text % words, "good")
    text = _("%(proxy)s stopped ranking what is measured (rank correlation %(value)s): it rejects nothing more.")
    return Line(event.at, text % words, "wait")


def _status_line(run: Run, event: Event) -> Line:
    data = event.data
    if data.get("taken"):
        text = _("Searching ends here: the architecture of epoch %(epoch)d will be trained fully.")
        return Line(event.at, text % {"epoch": data["taken"]}, "wait")
    if data.get("closing"):
        return Line(event.at, _("Searching ends here; the best so far will be trained fully."), "wait")
    if data.get("winner") is not None and run.plan.is_rehearsal:
        text = _("The search ends: candidate %(number)d is the winner, and the table is asked for its report.")
        return Line(event.at, text % {"number": data["winner"]}, "good")
    if len(data.get("finalists", ())) > 1:
        text = _("The final stage began: candidates %(numbers)s and the baseline are trained fully.")
        return Line(event.at, text % {"numbers": _(", ").join(map(str, data["finalists"]))}, "good")
    if data.get("winner") is not None:
        text = _("The final stage began: candidate %(number)d and the baseline are trained fully.")
        return Line(event.at, text % {"number": data["winner"]}, "good")
    texts = {
        Run.Status.QUEUED: _("The search was started."),
        Run.Status.RUNNING: _("The search runs."),
        Run.Status.PAUSING: _("Pausing: what trains now saves a checkpoint."),
        Run.Status.PAUSED: _("The search is paused."),
        Run.Status.STOPPING: _("Stopping: what was measured is kept."),
        Run.Status.COMPLETED: _("The search is complete."),
        Run.Status.CANCELLED: _("The search was stopped; what was measured is kept."),
    }
    if data["status"] == Run.Status.FAILED:
        return Line(event.at, _("The search failed. %(reason)s") % {"reason": _reason(data)}, "bad")
    if data["status"] == Run.Status.PAUSING and data.get("sentence"):
        return Line(event.at, _("The search was paused. %(reason)s") % {"reason": _reason(data)}, "bad")
    return Line(event.at, texts[data["status"]])


def _who(data: dict[str, Any]) -> str:
    if data["candidate"] is None:
        return _("The supernet")
    if data["stage"] != Run.Stage.FINAL:
        return _("Candidate %(number)d") % {"number": data["candidate"]}
    if data["candidate"] == 0:
        return _("The baseline with seed %(seed)d") % {"seed": data["seed"]}
    return _("Candidate %(number)d with seed %(seed)d") % {"number": data["candidate"], "seed": data["seed"]}


def _reason(data: dict[str, Any]) -> str:
    return say(codec.load(Sentence, data["sentence"])) if data.get("sentence") else ""
