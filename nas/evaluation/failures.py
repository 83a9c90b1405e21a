"""Which cause an exception stands for, and the sentence that says so."""

import errno
import sys
import traceback

import torch

from nas.events import Ended, EvaluationFailed
from nas.sentences import Refused, Sentence

NO_MEMORY = ("not enough memory", "can't allocate memory", "out of memory", "cannot allocate memory")


def ended(error: Exception) -> Ended:
    """Return the end of an evaluation that raised `error`; what nobody foresaw is also traced to stderr."""
    if isinstance(error, EvaluationFailed):
        return error.ended
    if isinstance(error, Refused):
        return Ended("error", error.sentence)
    if _ran_out(error):
        return Ended("oom", Sentence("The network did not fit into the memory of the device."))
    full = disk_full(error)
    if full:
        return Ended("error", full)
    traceback.print_exception(error, file=sys.stderr)
    message = " ".join(str(error).split())[:300]
    return Ended("error", Sentence("{kind}: {message}", {"kind": type(error).__name__, "message": message}))


def disk_full(error: Exception) -> Sentence | None:
    """Return the sentence for a full disk, where the error means that."""
    # safetensors raises its own error class and keeps only the operating system's words.
    if not (isinstance(error, OSError) and error.errno == errno.ENOSPC) and "No space left" not in str(error):
        return None
    path = getattr(error, "filename", None) or "the storage"
    return Sentence("The disk is full: {path} could not be written.", {"path": str(path)})


def _ran_out(error: Exception) -> bool:
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in NO_MEMORY)
