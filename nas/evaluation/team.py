"""Several processes that train one network together, each on a GPU of its own: data parallel, by torch.distributed.

The first member is the process that was asked; it starts the others, which hear the same job and say nothing. Every
member makes the same batch from the same seed and learns from its own part of it, so that together they take the step
that one process would take. Normalisation layers see the part of their member alone, as is usual.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from nas import codec
from nas.evaluation.protocol import Job
from nas.spaces.graph import Graph

MEMBER = "nas.evaluation.member"
PATIENCE = timedelta(minutes=5)
# Multiply-adds of a step below which telling each other the gradients costs more than it saves.
TOGETHER_FROM = 2e10


@dataclass(frozen=True)
class Team:
    """Which member of how many this process is; one process is a team of itself."""

    rank: int = 0
    size: int = 1

    def part(self, count: int) -> slice:
        """Return which of `count` inputs of a batch are this member's."""
        return slice(count * self.rank // self.size, count * (self.rank + 1) // self.size)

    def weigh(self, loss: Tensor, count: int) -> Tensor:
        """Return the mean loss of this member's part so that the mean over members is that over the batch."""
        mine = self.part(count)
        return loss if self.size == 1 else loss * ((mine.stop - mine.start) * self.size / count)

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean of a value over all members, which must all ask for it."""
        if self.size == 1:
            return value
        summed = value.clone()
        distributed.all_reduce(summed)
        return summed / self.size

    def wrap(self, network: nn.Module) -> nn.Module:
        """Return the network, its gradients averaged over all members."""
        if self.size == 1:
            return network
        devices = [self.rank] if next(network.parameters()).is_cuda else None
        return DistributedDataParallel(network, device_ids=devices)


def team() -> Team:
    """Return the team that this process is in."""
    if not distributed.is_available() or not distributed.is_initialized():
        return Team()
    return Team(distributed.get_rank(), distributed.get_world_size())


def size_of_team(job: Job, graph: Graph | None) -> int:
    """Return how many should train a job: the GPUs that this process sees, where its network is known to be worth it.

    NAS_TEAM says it instead, and makes a team of processes where there is no GPU.
    """
    if "NAS_TEAM" in os.environ:
        return min(int(os.environ["NAS_TEAM"]), job.training.batch_size)
    # How many epochs fit into its seconds is for one process to find out.
    worth = not job.seconds and graph is not None and graph.multiply_adds * job.training.batch_size >= TOGETHER_FROM
    return max(1, torch.cuda.device_count()) if worth else 1


@contextmanager
def gathered(job: Job, size: int) -> Iterator[None]:
    """Have a team of `size` for a job as long as this lasts; inside a team that there is already, nothing is done."""
    if size < 2 or team().size > 1:
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        meeting = str(Path(folder) / "meeting")
        members = [_member(job, rank, size, meeting) for rank in range(1, size)]
        try:
            join(0, size, meeting)
            yield
        finally:
            # They wait for the next step that will not come.
            for member in members:
                member.kill()
                member.wait()
            if distributed.is_initialized():
                distributed.destroy_process_group()


def join(rank: int, size: int, meeting: str) -> None:
    """Meet the other members at a file; raises where they do not come."""
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    distributed.init_process_group(
        backend, init_method=f"file://{meeting}", rank=rank, world_size=size, timeout=PATIENCE
    )


def _member(job: Job, rank: int, size: int, meeting: str) -> "subprocess.Popen[str]":
    order = json.dumps({"job": codec.dump(job), "rank": rank, "size": size, "meeting": meeting})
    member = subprocess.Popen(
        [sys.executable, "-m", MEMBER], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert member.stdin is not None
    member.stdin.write(order)
    member.stdin.close()
    return member
