"""What this machine offers to workers, found out without importing torch."""

import os
import subprocess


def gpus() -> list[str]:
    """Return the UUIDs of the GPUs that workers may use, in the order of the bus; empty on a machine without."""
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--query-gpu=index,uuid", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [(index.strip(), uuid.strip()) for index, _, uuid in (line.partition(",") for line in listed.splitlines())]
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is None:
        return [uuid for _, uuid in rows]
    # What the person who starts us has narrowed down stays narrowed down; a MIG slice passes through by its own name.
    known = dict(rows)
    return [known.get(name, name) for name in (part.strip() for part in allowed.split(",")) if name not in {"", "-1"}]


def cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def usual_workers(gpu_count: int, slots: int = 1) -> int:
    """Return how many workers to start where nobody said: one per slot of a GPU, else one per core up to four."""
    return gpu_count * slots or min(4, cores())


def worker_environment(index: int, workers: int, uuids: list[str]) -> dict[str, str]:
    """Return what must be set before worker number `index` starts: its name, its GPUs, its share of the cores.

    Fewer workers than GPUs have several each; more have a share of the memory of one.
    """
    environment = {"NASWEB_WORKER_NAME": f"worker{index}", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    if uuids:
        own = uuids[index::workers] if workers < len(uuids) else [uuids[index % len(uuids)]]
        environment["CUDA_VISIBLE_DEVICES"] = ",".join(own)
        if workers > len(uuids):
            environment["NAS_MEMORY_SHARE"] = f"{0.95 / -(-workers // len(uuids)):.3f}"
    if "OMP_NUM_THREADS" not in os.environ:
        environment["OMP_NUM_THREADS"] = str(max(1, cores() // workers))
    return environment
