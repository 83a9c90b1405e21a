"""What training costs beyond the arithmetic: our trainer beside a bare loop, workers beside each other, a resumption.

    python -m benchmarks.trainer [--rounds 7] [--write]

The bare loop is the fastest we know (`benchmarks/bare.py`), on the same networks and images in the same process; rounds
alternate, so that whatever else the machine does slows both. Speed does not depend on what the images show: they are
noise. Workers are the product's own runner processes on the same candidates, two of one thread and one of two in turn.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import torch
from torch import nn

from benchmarks.bare import BATCH, bare_cnn, bare_epoch, bare_resnet20, cnn, resnet20
from benchmarks.page import write
from benchmarks.runners import killed, per_hour
from nas.evaluation.batches import Batches, Scale
from nas.evaluation.checkpoints import Checkpoint
from nas.evaluation.datasets import Part
from nas.evaluation.networks import build
from nas.evaluation.protocol import Training
from nas.evaluation.training import Trainer
from nas.spaces.graph import Graph

NETWORKS: dict[str, tuple[Callable[[], Graph], Callable[[], nn.Module]]] = {
    "CNN, 3 convolutions": (cnn, bare_cnn),
    "ResNet-20": (resnet20, bare_resnet20),
}
Timed = tuple[float, float]


def main() -> None:
    """Measure all of it, print it, and write it into the page where asked to."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--images", type=int, default=6400)
    options.add_argument("--candidates", type=int, default=8)
    options.add_argument("--dataset", default="fashion_mnist", help="what the workers train on")
    options.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    chosen = options.parse_args()
    lines = []
    for part in (
        _speed(chosen.rounds, chosen.images),
        _workers(chosen.candidates, chosen.dataset),
        _resumption(),
    ):
        for line in part:
            print(line, flush=True)
            lines.append(line)
    if chosen.write:
        write("trainer", "make bench-train", "\n".join(lines))


def _speed(rounds: int, count: int) -> Iterator[str]:
    yield f"Images per second, batches of {BATCH}, median of {rounds} alternating rounds; goal: 0.95 of the bare loop."
    yield ""
    yield "| network | parameters | threads | bare loop | ours | ratio | of processor time |"
    yield "|---|---|---|---|---|---|---|"
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, 1, 28, 28), dtype=torch.uint8, generator=draw)
    part = Part(images, torch.randint(0, 10, (count,), generator=draw))
    before = torch.get_num_threads()
    for name, (drawn, bare) in NETWORKS.items():
        graph = drawn()
        for threads in (1, 2):
            torch.set_num_threads(threads)
            yield _row(name, graph, bare(), part, rounds, threads)
    torch.set_num_threads(before)
    yield ""


def _row(name: str, graph: Graph, bare: nn.Module, part: Part, rounds: int, threads: int) -> str:
    bare.to(memory_format=torch.channels_last)
    ours = build(graph).to(memory_format=torch.channels_last)
    assert sum(parameter.numel() for parameter in bare.parameters()) == graph.parameters
    scale = Scale(torch.full((1, 1, 1, 1), 127.0), torch.full((1, 1, 1, 1), 1 / 90))
    batches = Batches(part, scale, size=BATCH, seed=0, augment=True, mirrors=True)
    found: list[tuple[Timed, Timed]] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds + 1):
            checkpoint = Checkpoint(Path(folder), str(number))
            trainer = Trainer(ours, batches, Training(learning_rate=0.01), 1, scale, None, checkpoint)
            found.append((timed(lambda: bare_epoch(bare, part)), timed(lambda trainer=trainer: list(trainer.train()))))
    del found[0]  # warmed up
    clock, processor = (median(theirs[which] / own[which] for theirs, own in found) for which in (0, 1))
    speeds = [len(part) / median(row[which][0] for row in found) for which in (0, 1)]
    return (
        f"| {name} | {graph.parameters:,} | {threads} | {speeds[0]:,.0f} | {speeds[1]:,.0f} | {clock:.2f} | "
        f"{processor:.2f} |"
    )


def _workers(candidates: int, name: str) -> Iterator[str]:
    two, one = per_hour(candidates, name)
    of = f"{candidates} networks of the space `resnet` on `{name}`, better of two turns each"
    yield f"Candidates per hour, {of}: two workers of one thread {two:,.0f}, one worker of two threads {one:,.0f}."
    yield f"That is {two / one:.2f} times as many; goal: 1.1."
    yield ""


def _resumption() -> Iterator[str]:
    lost, seconds = killed()
    yield f"A runner was killed in the middle of an epoch. The next attempt repeated {lost} epochs before it (goal:"
    yield f"none) and was as far {seconds:.1f} s after its start, most of which is importing torch."


def timed(work: Callable[[], object]) -> Timed:
    """Return the seconds on the clock and those of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


if __name__ == "__main__":
    main()
