"""A search followed in a terminal: a bar of candidates, a bar of what trains now, or JSON lines."""

import json
import sys
from typing import Any, TextIO

from tqdm import tqdm

from nas.jobs import final_trainings
from nas.plan import Plan
from nas.selection import best


class Follower:
    """Shows lines and epochs as they come: bars on standard error, JSON on standard output where asked for."""

    def __init__(self, plan: Plan, *, as_json: bool, out: TextIO | None = None) -> None:
        self._plan, self._json, self._out = plan, as_json, out or sys.stdout
        self._ahead: list[tuple[int, dict[str, float]]] = []
        finals = final_trainings(plan)
        self._search: tqdm[Any] = tqdm(total=plan.budget, desc="candidates", unit="", file=sys.stderr, position=0)
        self._final: tqdm[Any] = tqdm(total=finals, desc="final stage", unit="", file=sys.stderr, position=1)
        self._epochs: tqdm[Any] = tqdm(desc="epochs", unit="", file=sys.stderr, position=2, leave=False)

    def epoch(self, number: int, of: int, accuracy: float | None) -> None:
        """Move the bar of what trains now."""
        self._epochs.total = of
        self._epochs.n = number
        if accuracy is not None:
            self._epochs.set_postfix_str(f"validation {accuracy:.2f} %", refresh=False)
        self._epochs.refresh()

    def line(self, line: dict[str, Any]) -> None:
        """Take in an evaluation, or the closing line."""
        if self._json:
            print(json.dumps(line), file=self._out, flush=True)
        if "best" in line:
            return
        for note in line.get("notes", ()):
            tqdm.write(f"candidate {line['number']}: {note}", file=sys.stderr)
        if line["status"] == "failed":
            ended = "was rejected" if line["cause"] == "rejected" else "failed"
            tqdm.write(f"candidate {line['number']} {ended}: {line['sentence']}", file=sys.stderr)
            if ended == "was rejected":
                return  # it has cost nothing of the budget
        if line["stage"] == "final":
            self._final.update()
            return
        self._search.update()
        if line["status"] != "measured":
            return
        before = self._ahead
        latest = [*before, (line["number"], line["metrics"])]
        ahead = best(self._plan, latest)
        self._ahead = [one for one in latest if one[0] == ahead]
        if self._ahead and self._ahead != before:
            metric = self._plan.objectives[0].metric
            (number, metrics) = self._ahead[0]
            self._search.set_postfix_str(f"best {metric} {metrics[metric]:.2f} (candidate {number})", refresh=False)

    def close(self, last: dict[str, Any] | None) -> None:
        """End the bars, and print what came of it as a table unless JSON was asked for."""
        for bar in (self._epochs, self._final, self._search):
            bar.close()
        if last is None or self._json:
            return
        for known in last.get("warm_start", []):
            self._print_known(known)
        if self._plan.is_rehearsal:
            self._print_report(last)
            return
        print(f"{'test split':<18}{'winner':>12}{'baseline':>12}", file=self._out)
        for metric in last["test"]:
            theirs = last["baseline"].get(metric)
            value = f"{theirs:12,.2f}" if theirs is not None else f"{'-':>12}"
            print(f"{metric:<18}{last['test'][metric]:12,.2f}{value}", file=self._out)
        for said in (last["significance"] or {}).get("says", []):
            print(said, file=self._out)
        print(f"{last['cost']['device_hours']:.3f} device hours", file=self._out)
        layers = [option for name, option in last["best"]["decisions"].items() if name.endswith("operation")]
        depth = int(last["best"]["decisions"].get("depth", len(layers)))
        print(f"best: {' → '.join(layers[:depth])} ({last['best']['parameters']:,} parameters)", file=self._out)

    def _print_known(self, known: dict[str, Any]) -> None:
        here = f"reached after {known['reached']}" if known["reached"] else "not reached"
        there = f"its best, {known['best']:.3f}, found after {known['evaluations']} evaluations"
        print(f"{known['title']}: {there}, was {here}", file=self._out)

    def _print_report(self, last: dict[str, Any]) -> None:
        for column, value in (last["best"]["metrics"] | last["reports"]).items():
            print(f"{column:<40}{value:12,.3f}", file=self._out)
        print(f"best: {', '.join(last['best']['decisions'].values())}", file=self._out)
        print(f"{last['evaluations']} evaluations in {last['seconds']:.1f} s", file=self._out)
