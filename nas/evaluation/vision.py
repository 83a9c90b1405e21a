"""Imports torchvision where its compiled operators cannot be loaded.

Beside a CPU-only build of torch the registry's torchvision wheel cannot load its operators, and its import fails with
"operator torchvision::nms does not exist". Nothing here calls those operators, so declaring their two schemas is
enough; where torchvision does load them, the first import succeeds and nothing is declared.
"""

import importlib
import sys
from types import ModuleType

import torch

SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"

# A library's declarations live as long as this object.
_declared: list[torch.library.Library] = []


def torchvision(module: str = "torchvision") -> ModuleType:
    """Return torchvision or one of its modules, such as "torchvision.datasets"."""
    if not _declared:
        _declare_missing()
    return importlib.import_module(module)


def _declare_missing() -> None:
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
        library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for name in ("nms", "qnms"):
            library.define(f"{name}{SCHEMA}")  # type: ignore[no-untyped-call]
        _declared.append(library)
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]  # what the failed import left half-made
