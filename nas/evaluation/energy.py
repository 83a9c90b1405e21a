"""The energy a device used, from its own counter: NVIDIA's driver, or Intel's and AMD's RAPL where it may be read.

Nothing here needs torch: a search that asks for energy is refused before it begins where there is no counter.
"""

import ctypes
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

POWERCAP = Path("/sys/class/powercap")
PACKAGES = "intel-rapl:?"  # one folder per processor, of AMD's too; their parts have a second number
NVML = "libnvidia-ml.so.1"


class Meter(Protocol):
    """Counters of joules, of which only differences mean something."""

    def joules(self) -> tuple[float, ...]:
        """Return the counts."""

    @property
    def ranges(self) -> tuple[float, ...]:
        """The joules after which each begins anew."""


@dataclass(frozen=True)
class Rapl:
    """The processors of this machine; everything that ran on them is counted."""

    files: tuple[Path, ...]
    ranges: tuple[float, ...]

    def joules(self) -> tuple[float, ...]:
        """Return the count of each processor."""
        return tuple(int(file.read_text()) / 1e6 for file in self.files)


@dataclass(frozen=True)
class Nvml:
    """One GPU, as NVIDIA's driver counts it since Volta; everything that ran on it is counted."""

    library: Any
    handle: Any
    ranges = (float(2**64),)

    def joules(self) -> tuple[float, ...]:
        """Return the driver's count, which is in millijoules."""
        found = ctypes.c_ulonglong()
        self.library.nvmlDeviceGetTotalEnergyConsumption(self.handle, ctypes.byref(found))
        return (found.value / 1e3,)


def meter(*, powercap: Path = POWERCAP, library: Any = None) -> Meter | None:
    """Return the counter of the device that this process trains on, None where it has none."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") != "":
        found = _nvml(library)
        if found is not None:
            return found
    return _rapl(powercap)


def used(counter: Meter, before: tuple[float, ...]) -> float:
    """Return the joules since `before`, also where a counter was full and began anew."""
    counts = zip(before, counter.joules(), counter.ranges, strict=True)
    return sum(now - then if now >= then else now - then + full for then, now, full in counts)


def _rapl(powercap: Path) -> Rapl | None:
    folders = sorted(powercap.glob(PACKAGES))
    files = tuple(folder / "energy_uj" for folder in folders)
    try:
        ranges = tuple(int((folder / "max_energy_range_uj").read_text()) / 1e6 for folder in folders)
        counter = Rapl(files, ranges)
        counter.joules()
    except (OSError, ValueError):
        return None  # since 2020 only root may read it on most systems
    return counter if files else None


def _nvml(library: Any) -> Nvml | None:
    try:
        found = library or ctypes.CDLL(NVML)
    except OSError:
        return None
    handle = ctypes.c_void_p()
    if found.nvmlInit_v2() or _handle(found, handle):
        return None
    reading = ctypes.c_ulonglong()
    if found.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(reading)):
        return None
    return Nvml(found, handle)


def _handle(library: Any, handle: ctypes.c_void_p) -> int:
    first = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0].strip() or "0"
    if first.startswith(("GPU-", "MIG-")):
        return int(library.nvmlDeviceGetHandleByUUID(first.encode(), ctypes.byref(handle)))
    return int(library.nvmlDeviceGetHandleByIndex_v2(int(first), ctypes.byref(handle)))
