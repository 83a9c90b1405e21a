"""How much a dataset holds, in words that fit its kind."""

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from nas.datasets.known import Dataset
from nas.spaces.graph import Task


def content(known: Dataset) -> str:
    """Say how many rows of which form a dataset has, and what is to be told of them."""
    task = known.task
    return _("{train} to train and validate, {test} to test; {goal}; {form}").format(
        train=rows(task, known.train),
        test=number_format(known.test, force_grouping=True),
        goal=goal(task),
        form=_form(task),
    )


def goal(task: Task) -> str:
    """Say what is to be told."""
    if task.goal == "number":
        return _("a number to tell")
    return ngettext("{count} class", "{count} classes", task.classes).format(count=task.classes)


def rows(task: Task, count: int) -> str:
    """Say how many images, rows or sentences there are."""
    match task.kind:
        case "image":
            told = ngettext("{count} image", "{count} images", count)
        case "text":
            told = ngettext("{count} sentence", "{count} sentences", count)
        case _:
            told = ngettext("{count} row", "{count} rows", count)
    return told.format(count=number_format(count, force_grouping=True))


def _form(task: Task) -> str:
    match task.kind:
        case "image":
            return " × ".join(map(str, task.input_shape))
        case "text":
            return _("{length} words at most, {known} known").format(length=task.input_shape[0], known=task.vocabulary)
        case _:
            return ngettext("{count} feature", "{count} features", task.input_shape[0]).format(
                count=task.input_shape[0]
            )
