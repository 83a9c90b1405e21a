"""Measures the platform around the training: start, latency, memory, idle CPU, overhead, and the demo search.

    make bench            or: .venv/bin/python benchmarks/whole_stack.py

Starts a NASWeb of its own in a temporary folder, with default settings and two workers, and drives it with Chromium.
Prints one JSON object.
"""

import itertools
import json
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Page, sync_playwright
from websockets.sync.client import connect

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.chromium import CHROMIUM, CHROMIUM_ARGUMENTS
from tests.running import SHORT_TIMES, Stack, wait_until

DEFAULT_TIMES = dict.fromkeys(SHORT_TIMES, "")
IDLE_SECONDS = 30
DEMO_LIMIT = 600
# Notes, in the page, when an event came through the socket and when its point was drawn.
WATCH = """
() => {
  window.seen = {events: [], drawn: []};
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(...args) {
      super(...args);
      this.addEventListener("message", m => {
        const event = JSON.parse(m.data);
        window.seen.events.push([event.kind, event.data.stage ?? "", Date.parse(event.at), Date.now()]);
      });
    }
  };
  document.addEventListener("DOMContentLoaded", () => {
    const look = setInterval(() => {
      const chart = document.getElementById("fitness");
      if (!chart?.on) return;
      clearInterval(look);
      const count = () => (chart.data ?? []).filter(t => t.mode === "markers").reduce((n, t) => n + t.x.length, 0);
      window.seen.drawn.push([count(), Date.now()]);
      chart.on("plotly_afterplot", () => window.seen.drawn.push([count(), Date.now()]));
    }, 20);
  });
}
"""


def main() -> None:
    """Print every figure."""
    with tempfile.TemporaryDirectory(prefix="nasweb-bench-") as folder:
        home = Path(folder) / "home"
        Stack(home, extra=DEFAULT_TIMES).start().stop()  # migrates: what is measured is a start on an installed copy
        stack = Stack(home, extra=DEFAULT_TIMES)
        began = time.monotonic()
        stack.start()
        urllib.request.urlopen(f"{stack.address}/sign-in/", timeout=10).read()
        figures: dict[str, Any] = {"start_to_first_page_s": round(time.monotonic() - began, 2)}
        try:
            time.sleep(5)
            figures |= idle(stack)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
                figures |= demo(stack, browser.new_page())
                browser.close()
            figures |= memory(stack)
            figures |= overhead(stack)
        finally:
            stack.stop()
    print(json.dumps(figures, indent=1))


def idle(stack: Stack) -> dict[str, Any]:
    """Return the CPU share of the whole stack while nothing is to do, in percent of one core."""

    def spent() -> float:
        return sum(sum(process.cpu_times()[:2]) for process in stack.processes())

    before, began = spent(), time.monotonic()
    time.sleep(IDLE_SECONDS)
    return {"idle_cpu_percent_of_a_core": round(100 * (spent() - before) / (time.monotonic() - began), 2)}


def memory(stack: Stack) -> dict[str, Any]:
    """Return resident megabytes of the web process after it has served the demo, and of all processes together."""
    resident = {}
    for process in stack.processes():
        resident[process.pid] = (process.memory_info().rss / 1e6, " ".join(process.cmdline()))
    web = next(size for size, command in resident.values() if "nasweb.embedded.web" in command)
    return {"web_mb": round(web), "all_processes_mb": round(sum(size for size, _ in resident.values()))}


def demo(stack: Stack, page: Page) -> dict[str, Any]:
    """Press the button of the empty dashboard and watch the search to its end."""
    page.add_init_script(f"({WATCH.strip()})()")
    page.goto(stack.sign_in_link())
    pressed = time.time()
    page.locator("form[action$='/demo/'] button").first.click()
    page.wait_for_url("**/searches/*/")
    run_id = int(page.url.rstrip("/").rpartition("/")[2])
    wait_until(lambda: page.evaluate("() => window.seen.drawn.some(([n]) => n > 0)"), 120, every=0.05)
    first = page.evaluate("() => window.seen.drawn.find(([n]) => n > 0)[1]") / 1000 - pressed

    def over() -> bool:
        (row,) = stack.rows("select status from searches_run where id = ?", run_id)
        return row["status"] in ("completed", "failed", "cancelled")

    with Ear(stack, page, run_id) as ear:
        wait_until(over, DEMO_LIMIT, every=0.5)
    total = time.time() - pressed
    page.wait_for_timeout(1500)
    seen = page.evaluate("() => window.seen")
    return {
        "first_point_s": round(first, 1),
        "demo_s": round(total, 1),
        **ear.latencies(),
        **points(seen),
        **outcome(stack, run_id),
    }


class Ear:
    """A plain socket beside the page: when an event arrives there does not depend on what a browser is drawing."""

    def __init__(self, stack: Stack, page: Page, run_id: int) -> None:
        cookies = "; ".join(f"{one['name']}={one['value']}" for one in page.context.cookies())
        after = stack.rows("select last_seq from searches_run where id = ?", run_id)[0]["last_seq"]
        address = f"{stack.address.replace('http', 'ws', 1)}/ws/searches/{run_id}/?after={after}"
        self._socket = connect(address, additional_headers={"Cookie": cookies, "Origin": stack.address})
        self._thread = threading.Thread(target=self._listen)
        self.waits: list[float] = []

    def __enter__(self) -> "Ear":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._thread.join()

    def latencies(self) -> dict[str, Any]:
        """Return milliseconds from the row of an event to the socket."""
        waits = sorted(self.waits)
        return {
            "events": len(waits),
            "event_to_socket_p50_ms": round(statistics.median(waits), 1),
            "event_to_socket_p95_ms": round(waits[int(0.95 * len(waits))], 1),
        }

    def _listen(self) -> None:
        for message in self._socket:
            at = datetime.fromisoformat(json.loads(message)["at"]).timestamp()
            self.waits.append(1000 * (time.time() - at))


def points(seen: dict[str, Any]) -> dict[str, Any]:
    """Return milliseconds from a measured candidate's row to its drawn point."""
    drawn, waits = seen["drawn"], []
    measured = [at for kind, stage, at, _ in seen["events"] if kind in ("measured", "failed") and stage == "search"]
    for count, at in enumerate(measured, start=1):
        when = next((moment for points, moment in drawn if points >= count), None)
        waits += [when - at] if when else []
    return {
        "event_to_point_p50_ms": statistics.median(waits),
        "event_to_point_p95_ms": sorted(waits)[int(0.95 * len(waits))],
    }


def outcome(stack: Stack, run_id: int) -> dict[str, Any]:
    """Return mean test accuracy and size of the demo's winner and baseline."""
    rows = stack.rows(
        "select c.number, c.parameters, e.metrics from searches_evaluation e join searches_candidate c "
        "on c.id = e.candidate_id where e.run_id = ? and e.stage = 'final' and e.status = 'measured'",
        run_id,
    )
    found: dict[str, Any] = {}
    for name, mine in (
        ("winner", [r for r in rows if r["number"]]),
        ("baseline", [r for r in rows if not r["number"]]),
    ):
        accuracies = [json.loads(row["metrics"])["accuracy"] for row in mine]
        found[f"demo_{name}"] = {
            "test_accuracy": round(statistics.fmean(accuracies), 2),
            "seeds": len(accuracies),
            "parameters": mine[0]["parameters"],
        }
    return found


def overhead(stack: Stack) -> dict[str, Any]:
    """Return milliseconds per candidate and worker that are not training: random search, so that nobody waits."""
    told = stack.manage(
        *("search", "--strategy", "random", "--budget", "60", "--epochs", "4", "--final-epochs", "1"),
        *("--final-seeds", "1", "--wait", "--seed", "7"),
    )
    assert told.returncode == 0, told.stderr
    rows = stack.rows(
        "select worker, started_at, finished_at, metrics from searches_evaluation e where stage = 'search' and "
        "status = 'measured' and run_id = (select max(id) from searches_run) order by started_at"
    )
    spent: list[float] = []
    for worker in {row["worker"] for row in rows}:
        mine = [row for row in rows if row["worker"] == worker]
        for one, after in itertools.pairwise(mine):
            whole = seconds(after["started_at"]) - seconds(one["started_at"])
            spent.append(1000 * (whole - json.loads(one["metrics"])["training_seconds"]))
    return {
        "overhead_per_candidate_p50_ms": round(statistics.median(spent), 1),
        "overhead_per_candidate_mean_ms": round(statistics.fmean(spent), 1),
    }


def seconds(stamp: str) -> float:
    """Return the seconds of a timestamp as the database spells it."""
    return datetime.fromisoformat(stamp).timestamp()


if __name__ == "__main__":
    psutil.cpu_percent()
    main()
