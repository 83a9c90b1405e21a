"""Which cause an exception stands for, and the sentence that says so."""

import errno
import sys
import traceback
from collections.abc import Iterator

import torch
from safetensors import SafetensorError

from nas.events import Ended, EvaluationFailed, Event
from nas.sentences import Refused, Sentence

NO_MEMORY = ("not enough memory", "can't allocate memory", "out of memory", "cannot allocate memory")
FULL = (errno.ENOSPC, errno.EDQUOT)


def guarded(events: Iterator[Event], folder: str) -> Iterator[Event]:
    """Yield the events of an evaluation that writes into `folder`; where it raises, how it ended takes their place.

    Whatever goes wrong with one network must not end the search.
    """
    try:
        yield from events
    except Exception as error:
        yield ended(error, folder)


def ended(error: Exception, folder: str) -> Ended:
    """Return the end of an evaluation that raised `error`; what nobody foresaw is also traced to stderr.

    `folder` is where it wrote: not every error says so.
    """
    if isinstance(error, EvaluationFailed):
        return error.ended
    if isinstance(error, Refused):
        return Ended("error", error.sentence)
    if ran_out(error):
        return Ended("oom", Sentence("The network did not fit into the memory of the device."))
    if _disk_full(error):
        path = getattr(error, "filename", None) or folder
        return Ended("error", Sentence("The disk is full: {path} could not be written.", {"path": str(path)}))
    traceback.print_exception(error, file=sys.stderr)
    message = " ".join(str(error).split())[:300]
    return Ended("error", Sentence("{kind}: {message}", {"kind": type(error).__name__, "message": message}))


def _disk_full(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in FULL
    # safetensors has its own class of errors and keeps only the operating system's words.
    return isinstance(error, SafetensorError) and any(f"os error {n})" in str(error) for n in FULL)


def ran_out(error: Exception) -> bool:
    """Tell whether an exception says that the device has not enough memory."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in NO_MEMORY)
