"""Where a network is computed, and with which precision."""

import os
import platform
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cache

import torch

from nas.evaluation.team import team

BF16_FROM = 100_000  # multiply-adds per image; below, casting costs more than it saves (measured)


def device() -> torch.device:
    """Return the accelerator this process may use, that of its place in a team, otherwise the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    where = torch.device("cuda", team().rank)
    _share_memory(where)
    return where


@cache
def _share_memory(where: torch.device) -> None:
    """Keep to this process's share of the device's memory where several workers have it, so that none starves another.

    What does not fit into the share has run out of memory, which ends one training instead of all.
    """
    share = float(os.environ.get("NAS_MEMORY_SHARE", 1))
    if share < 1:
        torch.cuda.set_per_process_memory_fraction(share, where)


def device_name(where: torch.device, threads: int = 0) -> str:
    """Return the device's name as people know it; a processor's with `threads`, torch's where it is 0."""
    if where.type == "cuda":
        return torch.cuda.get_device_name(where)
    count = threads or torch.get_num_threads()
    return f"CPU ({platform.machine()}, {'1 thread' if count == 1 else f'{count} threads'})"


def precision(where: torch.device, multiply_adds: int) -> AbstractContextManager[object]:
    """Return the context to compute in: bfloat16 where the device has it and the network is large enough to gain.

    The rule reads only the device and the network, so the same job is computed in the same way every time.
    """
    pays = multiply_adds >= BF16_FROM and has_bf16(where.type)
    return torch.autocast(where.type, torch.bfloat16, enabled=pays)


@cache
def has_bf16(kind: str) -> bool:
    """Tell whether the hardware multiplies in bfloat16."""
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    # Newer than the oldest torch that this must run on; without it, float32 is never wrong.
    capabilities: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def synchronize(where: torch.device) -> None:
    """Wait until the device has done what it was given; the CPU always has."""
    if where.type == "cuda":
        torch.cuda.synchronize(where)
