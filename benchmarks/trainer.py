"""Images per second of our trainer and of the fastest bare loop we know, on the same network in the same process.

    OMP_NUM_THREADS=1 python -m benchmarks.trainer --rounds 7

Both train the same CNN (three convolutions, 94,186 parameters) on images of Fashion-MNIST's size that already lie in
memory, in batches of 128, channels last, in bfloat16 where the processor has it. The bare loop crops and mirrors as we
do, but clips no gradient, draws no order from a seed, watches no loss and writes no checkpoint. Rounds alternate, so
that whatever else the machine does slows both; the ratio is of processor seconds too, which other processes disturb
less. Speed does not depend on what the images show: they are noise.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from torch import nn, optim
from torch.nn import functional

from nas.evaluation.batches import Batches, Scale
from nas.evaluation.checkpoints import Checkpoint
from nas.evaluation.datasets import Part
from nas.evaluation.devices import has_bf16
from nas.evaluation.networks import build
from nas.evaluation.protocol import Training
from nas.evaluation.training import Trainer
from nas.spaces.graph import Graph, Task
from nas.spaces.sketch import Sketch

BATCH = 128


def cnn() -> Graph:
    """Draw the network that both train."""
    sketch = Sketch(Task((1, 28, 28), 10))
    at = sketch.pool("pool1", sketch.conv("conv1", "input", filters=32, kernel=3), how="max", size=2)
    at = sketch.pool("pool2", sketch.conv("conv2", at, filters=64, kernel=3), how="max", size=2)
    return sketch.classify(sketch.global_pool("head", sketch.conv("conv3", at, filters=128, kernel=3)))


class Bare(nn.Module):
    """The same network as one would write it by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(1, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(64, 128, 3, padding=1, bias=False), nn.BatchNorm2d(128), nn.ReLU()),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10)),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        return self.layers(images)


def bare_epoch(network: Bare, part: Part) -> None:
    """Train an epoch of the bare loop."""
    options = {"momentum": 0.9, "nesterov": True, "weight_decay": 5e-4, "fused": True}
    optimizer = optim.SGD(network.parameters(), 0.01, **options)
    crops = functional.pad(part.images, (3,) * 4).unfold(2, 28, 1).unfold(3, 28, 1)
    for index in torch.randperm(len(part)).split(BATCH):
        down, right = torch.randint(0, 7, (2, len(index)))
        pixels = crops[index, :, down, right]
        pixels = torch.where(torch.rand(len(index), 1, 1, 1) < 0.5, pixels.flip(-1), pixels)
        images = pixels.float().sub_(127).mul_(1 / 90).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=has_bf16("cpu")):
            loss = functional.cross_entropy(network(images), part.labels[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds on the clock and those of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def main() -> None:
    """Alternate both and print the medians."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--images", type=int, default=6400)
    chosen = options.parse_args()
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (chosen.images, 1, 28, 28), dtype=torch.uint8, generator=draw)
    part = Part(images, torch.randint(0, 10, (chosen.images,), generator=draw))
    graph = cnn()
    bare = Bare().to(memory_format=torch.channels_last)
    ours = build(graph).to(memory_format=torch.channels_last)
    assert sum(parameter.numel() for parameter in bare.parameters()) == graph.parameters == 94_186
    scale = Scale(torch.full((1, 1, 1, 1), 127.0), torch.full((1, 1, 1, 1), 1 / 90))
    batches = Batches(part, scale, size=BATCH, seed=0, augment=True, mirrors=True)
    rounds: list[tuple[tuple[float, float], tuple[float, float]]] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(chosen.rounds + 1):
            checkpoint = Checkpoint(Path(folder), str(number))
            trainer = Trainer(ours, batches, Training(learning_rate=0.01), 1, scale, None, checkpoint)
            rounds.append((timed(lambda: bare_epoch(bare, part)), timed(lambda trainer=trainer: list(trainer.train()))))
    del rounds[0]  # warmed up
    found = {
        "network": "CNN, 3 convolutions, 94,186 parameters",
        "threads": torch.get_num_threads(),
        "bf16": has_bf16("cpu"),
        "images_per_second": {
            "bare": round(chosen.images / median(theirs[0] for theirs, _ in rounds)),
            "ours": round(chosen.images / median(own[0] for _, own in rounds)),
        },
        "median_ratio_clock": round(median(theirs[0] / own[0] for theirs, own in rounds), 3),
        "median_ratio_processor": round(median(theirs[1] / own[1] for theirs, own in rounds), 3),
        "rounds": chosen.rounds,
        "target": 0.95,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
